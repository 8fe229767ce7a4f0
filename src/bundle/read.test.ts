import { createHash } from 'node:crypto'
import { gunzipSync } from 'node:zlib'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { TerminalError } from '../lib/controller/errors.ts'
import type { ChartSource } from './charts.ts'
import type { ReadOptions, ReadResult } from './draft.ts'
import { readBundles } from './read.ts'
import { addFiles, configMap, makeFolder, type Tree } from './testing/folder.ts'

async function read(tree: Tree, options: Partial<ReadOptions> = {}): Promise<ReadResult> {
  await using checkout = await makeFolder(tree)
  return await readBundles(checkout.root, { repoName: 'repo', namespace: 'ws', ...options })
}

function names(result: ReadResult): string[] {
  return result.drafts.map(({ bundle }) => `${bundle.metadata.name}: ${bundle.spec.resources?.map((resource) => resource.name).join(' ')}`)
}

describe('readBundles', () => {
  test('one folder, one bundle', async () => {
    const { drafts, warnings } = await read(
      { 'app/cm.yaml': configMap('x'), 'app/fleet.yaml': 'labels: {own: "1", both: file}\nannotations: {note: a}\n' },
      { paths: ['app'], labels: { both: 'given', more: '1' } },
    )
    expect(warnings).toEqual([])
    expect(drafts).toEqual([
      {
        origin: 'app',
        scans: [],
        values: { hash: '', data: {} },
        bundle: {
          apiVersion: 'fleet.cattle.io/v1alpha1',
          kind: 'Bundle',
          metadata: { name: 'repo-app', namespace: 'ws', labels: { own: '1', both: 'file', more: '1' }, annotations: { note: 'a' } },
          spec: { resources: [{ name: 'cm.yaml', content: configMap('x') }], targets: [{ name: 'default', clusterGroup: 'default' }] },
        },
      },
    ])
  })

  test('names: path, options file, own name; nested bundles are carried by the outer one too', async () => {
    const tree = {
      'r/cm.yaml': '',
      'r/fleet.yaml': '',
      'r/in/cm.yaml': '',
      'r/in/fleet.yaml': 'name: chosen',
      'My_App/cm.yaml': '',
      'cm.yaml': '',
      'dev.yaml': '',
    }
    expect(names(await read(tree, { paths: ['r', 'My_App', '.'] }))).toEqual([
      'repo-r: cm.yaml in/cm.yaml in/fleet.yaml',
      'chosen: cm.yaml',
      `repo-my-app-${createHash('md5').update('repo-My_App').digest('hex').slice(0, 8)}: cm.yaml`,
      'repo: My_App/cm.yaml cm.yaml dev.yaml r/cm.yaml r/fleet.yaml r/in/cm.yaml r/in/fleet.yaml',
      'repo-r: cm.yaml in/cm.yaml in/fleet.yaml',
      'chosen: cm.yaml',
    ])
    expect(
      names(
        await read(tree, {
          bundles: [
            { base: '.', options: 'dev.yaml' },
            { base: 'r', options: 'in/fleet.yaml' },
          ],
        }),
      ),
    ).toEqual(['repo-dev: My_App/cm.yaml cm.yaml r/cm.yaml r/fleet.yaml r/in/cm.yaml r/in/fleet.yaml', 'chosen: cm.yaml in/cm.yaml'])
  })

  test('a fleet.yml beside fleet.yaml, and fleet.yaml below, are resources', async () => {
    const result = await read({ 'fleet.yaml': 'defaultNamespace: a', 'fleet.yml': 'defaultNamespace: b', 'x/fleet.yaml': '' })
    expect(result.drafts[0]?.bundle.spec.defaultNamespace).toBe('a')
    expect(names(result)).toEqual(['repo: fleet.yml x/fleet.yaml'])
  })

  test('values stand in the draft twice: in its spec, and as they are to be kept', async () => {
    const tree = {
      'cm.yaml': '',
      'v.yaml': 'b: 2',
      'fleet.yaml': 'helm: {chart: ., values: {a: 1}, valuesFiles: [v.yaml]}\ntargetCustomizations: [{name: t, helm: {values: {c: 3}}}]',
    }
    const { drafts } = await read(tree)
    expect(drafts[0]?.bundle.spec.helm?.values).toEqual({ a: 1, b: 2 })
    expect(drafts[0]?.values.data).toEqual({ 'values.yaml': '{"a":1,"b":2}', t: '{"c":3}' })
  })

  test('folders without resources are left out, with a warning', async () => {
    const result = await read({ 'a/fleet.yaml': 'unknown: 1', 'b/cm.yaml': '' }, { paths: ['a', 'b'] })
    expect(names(result)).toEqual(['repo-b: cm.yaml'])
    expect(result.warnings).toEqual([
      'a/fleet.yaml: the key unknown is unknown and has no effect: check its spelling',
      'a: no resources, so no bundle',
    ])
  })

  test('nothing at all is an error that lists the paths', async () => {
    await expect(read({ 'x.txt': '' }, { paths: ['missing', 'absent'] })).rejects.toThrow(
      'no resource found at the following paths to deploy: [missing absent]',
    )
    await expect(read({ 'x.txt': '' })).rejects.toThrow('no resource found at the following paths to deploy: [.]')
    await expect(read({ a: null }, { bundles: [{ base: 'a' }] })).rejects.toThrow('to deploy: [a]')
  })

  test('all broken folders are told at once', async () => {
    const tree = {
      'a/fleet.yaml': 'paused: [',
      'b/fleet.yaml': 'paused: 1',
      'c/cm.yaml': '',
      'd/x': { link: '../c/cm.yaml' },
      'd/y': { link: '/etc/hostname' },
      'd/fleet.yaml': '',
    }
    const error = await read(tree, { paths: ['a', 'b', 'c', 'd'] }).catch((thrown: Error) => thrown)
    expect(error).toBeInstanceOf(TerminalError)
    expect((error as Error).message.split('\n')).toEqual([
      expect.stringMatching(/^a\/fleet\.yaml:1:\d+: /),
      'b/fleet.yaml: paused must be true or false, not a number',
      'd/x: this symlink leads out of the folder d: replace it by the file itself',
      'd/y: this symlink leads out of the folder d: replace it by the file itself',
    ])
  })

  test('of very many broken folders some are told', async () => {
    const tree = Object.fromEntries(Array.from({ length: 30 }, (_, index) => [`f${index}/fleet.yaml`, 'paused: 1']))
    await expect(read(tree)).rejects.toThrow(/\nand 20 more$/)
  })

  test('image scans are named after the folder, whatever the name of the bundle', async () => {
    const tree = { 'app/cm.yaml': configMap('x'), 'app/fleet.yaml': 'name: other\nimageScans: [{image: a, tagName: t}]\n' }
    const { drafts } = await read(tree, { paths: ['app'], imageScans: true })
    expect(drafts.map(({ bundle, scans }) => [bundle.metadata.name, ...scans.map(({ metadata }) => metadata.name)])).toEqual([
      ['other', 'imagescan-repo-app-0'],
    ])
  })

  test('a chart that helm cannot load is an error, unless its dependencies are not looked at', async () => {
    const tree = { 'app/c/Chart.yaml': 'name: c\n', 'app/cm.yaml': configMap('x') }
    await expect(read(tree, { paths: ['app'] })).rejects.toThrow('app/c/Chart.yaml: chart.metadata.version is required')
    const disabled = { ...tree, 'app/fleet.yaml': 'helm: {disableDependencyUpdate: true}' }
    expect((await read(disabled, { paths: ['app'] })).drafts).toHaveLength(1)
  })

  test('an aborted signal ends it', async () => {
    await expect(read({ 'cm.yaml': '' }, { signal: AbortSignal.abort(new Error('stop')) })).rejects.toThrow('stop')
  })
})

describe('bytes', () => {
  test('what is no UTF-8 is compressed, everything else stays as it is', async () => {
    const bytes = Buffer.from([0x89, 0x50, 0xff, 0x00])
    const [draft] = (await read({ 'a.bin': bytes, 'b.txt': '\ufeffa\0b\r\n', 'c.yaml': '' })).drafts
    const [binary, text, empty] = draft?.bundle.spec.resources ?? []
    expect(binary?.encoding).toBe('base64+gz')
    expect(gunzipSync(Buffer.from(binary?.content ?? '', 'base64'))).toEqual(bytes)
    expect([text, empty]).toEqual([{ name: 'b.txt', content: '\ufeffa\0b\r\n' }, { name: 'c.yaml' }])
  })

  test.each([
    ['x'.repeat(998_000), false],
    ['x'.repeat(1_000_000), true],
    ['\n'.repeat(499_000), false],
    ['\n'.repeat(500_000), true],
    ['<'.repeat(166_000), false],
    ['<'.repeat(167_000), true],
    ['é'.repeat(500_000), true],
  ])('a bundle is compressed from a million bytes of JSON on', async (content, compressed) => {
    const { drafts } = await read({ 'app/big.txt': content, 'app/cm.yaml': 'a: 1' }, { paths: ['app'] })
    expect(drafts[0]?.bundle.spec.resources?.map(({ encoding }) => encoding === 'base64+gz')).toEqual([compressed, compressed])
  })

  test.each([
    [999_547, false],
    [999_548, true],
  ])('the namespace does not count: %d bytes and what Go writes around them', async (size, compressed) => {
    const { drafts } = await read(
      { 'app/cm.txt': 'x'.repeat(size), 'app/cm.yaml': configMap('x'), 'app/e': '' },
      { paths: ['app'], namespace: 'a'.repeat(20), labels: { a: 'b' } },
    )
    expect(drafts[0]?.bundle.spec.resources?.some(({ encoding }) => encoding === 'base64+gz')).toBe(compressed)
  })
})

describe('charts', () => {
  const chart = (dependencies = '') => `apiVersion: v2\nname: c\nversion: 0.1.0\n${dependencies}`
  const needs = 'dependencies: [{name: part, version: 0.1.0, repository: file://../part}]\n'

  function source(files: Record<string, string>, asked: unknown[] = []): ChartSource {
    const answer = Object.entries(files).map(([name, content]) => ({ name, content: Buffer.from(content) }))
    return {
      download: async (request, { folder }) => {
        asked.push([request, folder])
        return answer
      },
      dependencies: async (_tree, folder) => {
        asked.push(folder)
        return { added: answer, removed: [] }
      },
    }
  }

  test('a chart in the folder needs nobody', async () => {
    expect(names(await read({ 'app/c/Chart.yaml': chart(), 'app/fleet.yaml': 'helm: {chart: ./c}' }, { paths: ['app'] }))).toEqual([
      'repo-app: c/Chart.yaml',
    ])
  })

  test('others are downloaded, once each, below a hashed folder', async () => {
    const asked: unknown[] = []
    const fleet =
      'helm: {chart: c, repo: r, version: "1"}\ntargetCustomizations: [{name: a, helm: {version: "2"}}, {name: b, helm: {values: {x: 1}}}]'
    const result = await read(
      { 'app/fleet.yaml': fleet },
      { paths: ['app'], charts: source({ 'c/Chart.yaml': chart(), 'c/.helmignore': '', '../evil': '', '/evil': '' }, asked) },
    )
    const at = (version: string) => `.chart/${createHash('sha256').update(`c:r:${version}`).digest('hex')}`
    expect(result.drafts[0]?.bundle.spec.resources?.map(({ name }) => name)).toEqual(
      [`${at('1')}/c/Chart.yaml`, `${at('2')}/c/Chart.yaml`].sort(),
    )
    expect(asked).toEqual([
      [{ chart: 'c', repo: 'r', version: '1' }, 'app'],
      [{ chart: 'c', repo: 'r', version: '2' }, 'app'],
    ])
  })

  test('dependencies are added to charts that list some, unless that is disabled', async () => {
    const tree = { 'app/Chart.yaml': chart(needs), 'app/in/Chart.yaml': chart() }
    const asked: unknown[] = []
    const charts = source({ 'charts/part-0.1.0.tgz': 'x', 'Chart.lock': 'lock' }, asked)
    expect(names(await read(tree, { paths: ['app'], charts }))).toEqual([
      'repo-app: Chart.lock Chart.yaml charts/part-0.1.0.tgz in/Chart.yaml',
    ])
    expect(asked).toEqual(['app'])
    expect(names(await read({ ...tree, 'app/fleet.yaml': 'helm: {disableDependencyUpdate: true}' }, { paths: ['app'], charts }))).toEqual([
      'repo-app: Chart.yaml in/Chart.yaml',
    ])
  })

  test('what dependencies add may be ignored like any other file', async () => {
    const charts = source({ 'charts/part-0.1.0.tgz': 'x', 'Chart.lock': 'lock' })
    const added = async (ignore: Record<string, string>) =>
      names(await read({ 'app/c/Chart.yaml': chart(needs), ...ignore }, { paths: ['app'], charts }))
    expect(await added({ 'app/.fleetignore': '*.tgz' })).toEqual(['repo-app: c/Chart.lock c/Chart.yaml'])
    expect(await added({ 'app/c/.fleetignore': 'charts/*' })).toEqual(['repo-app: c/Chart.lock c/Chart.yaml'])
    expect(await added({ 'app/c/.fleetignore': 'Chart.lock' })).toEqual(['repo-app: c/Chart.yaml c/charts/part-0.1.0.tgz'])
    expect(await added({ 'app/c/charts/.fleetignore': 'part-*' })).toEqual(['repo-app: c/Chart.lock c/Chart.yaml'])
  })

  test('without a source, what is missing is an error and what is there is not', async () => {
    await expect(read({ 'app/fleet.yaml': 'helm: {chart: c, repo: "https://x", version: 1.x}' }, { paths: ['app'] })).rejects.toThrow(
      'app: the chart c 1.x of https://x is not in the folder, and charts cannot be downloaded here',
    )
    await expect(read({ 'app/Chart.yaml': chart(needs) }, { paths: ['app'] })).rejects.toThrow(
      /^app\/Chart\.yaml: the dependencies part are not in charts\//,
    )
    expect(names(await read({ 'app/Chart.yaml': chart(needs), 'app/charts/part/Chart.yaml': chart() }, { paths: ['app'] }))).toHaveLength(1)
    expect(names(await read({ 'app/Chart.yaml': chart(needs), 'app/charts/part-0.1.0.tgz': '' }, { paths: ['app'] }))).toHaveLength(1)
  })
})

test('whatever lies in a repository: bundles or a TerminalError, and nothing from outside', async () => {
  const CANARY = 'canary-4711'
  const part = fc.constantFrom('a', 'b', 'fleet.yaml', '.fleetignore', 'Chart.yaml', 'v.yaml', '.x')
  const path = fc.array(part, { minLength: 1, maxLength: 3 }).map((parts) => parts.join('/'))
  const link = fc
    .constantFrom('../outside', '../../outside', '../../../outside', '/etc/hostname', '..', '.', 'a', '../a/b', 'fleet.yaml', 'b')
    .map((to) => ({ link: to }))
  const text = fc.constantFrom(
    '',
    'helm: {valuesFiles: [v.yaml]}',
    'helm: {valuesFiles: [../../outside]}',
    'helm: {valuesFiles: [../v.yaml], chart: ../a}',
    'name: Odd Name',
    '*\n',
    '[x',
    'a/*\n',
    'x: [',
    'dependencies: [{name: p}]',
    '- 1',
  )
  const options = fc.record({
    paths: fc.array(fc.constantFrom('.', 'a', '*', '..', '../outside', 'a/..', '/', '[', '**', 'a/../../outside'), { maxLength: 3 }),
    bundles: fc.option(
      fc.array(
        fc.record({
          base: fc.constantFrom('.', 'a', '..', 'b'),
          options: fc.constantFrom('', 'fleet.yaml', '../outside', 'a', '../../outside'),
        }),
        { maxLength: 2 },
      ),
      { nil: undefined },
    ),
  })
  await fc.assert(
    fc.asyncProperty(fc.dictionary(path, fc.oneof({ weight: 3, arbitrary: text }, link), { maxKeys: 8 }), options, async (files, given) => {
      try {
        await using checkout = await makeFolder({ '../outside': CANARY })
        await addFiles(checkout.root, files)
        const result = await readBundles(checkout.root, { repoName: 'repo', namespace: 'ws', ...given })
        expect(JSON.stringify(result)).not.toContain(CANARY)
      } catch (error) {
        expect(error).toBeInstanceOf(TerminalError)
        expect((error as Error).message).not.toContain(CANARY)
      }
    }),
    { numRuns: 150 },
  )
})
