import { gunzipSync } from 'node:zlib'
import { describe, expect, test } from 'vitest'
import { packFiles } from '../../testing/chart-server.ts'
import { TerminalError } from '../controller/errors.ts'
import { unpackBytes } from './archive.ts'
import { type DependencyFetcher, type DependencyUpdate, updateDependencies } from './dependencies.ts'
import { fileTree } from './file-tree.ts'
import { CHART_LIMITS } from './limits.ts'

const signal = new AbortController().signal
const limits = { ...CHART_LIMITS, dependencies: 3 }
type Files = Record<string, string | Buffer>

function chart(name: string, dependencies: readonly object[] = [], apiVersion = 'v2'): string {
  return JSON.stringify({ apiVersion, name, version: '0.1.0', ...(dependencies.length > 0 ? { dependencies } : {}) })
}

function update(files: Files, fetch: DependencyFetcher = async () => expect.unreachable()): Promise<DependencyUpdate> {
  const tree = fileTree(Object.entries(files).map(([name, content]) => ({ name, content: Buffer.from(content) })))
  return updateDependencies(tree, 'app', { fetch, limits, signal })
}

async function unpacked(bytes: Buffer | undefined): Promise<Record<string, string>> {
  const files = await unpackBytes(bytes ?? Buffer.alloc(0), { shown: 'archive', limits, signal })
  return Object.fromEntries(files.map(({ name, content }) => [name, content.toString('utf8')]))
}

const names = ({ added, removed }: DependencyUpdate): string[] => [...added.map(({ name }) => name), ...removed.map((name) => `-${name}`)]
const part = { name: 'part', version: '>=0.1.0', repository: 'file://../part' }
const remote = { name: 'web', version: '^1', repository: 'https://charts.example' }
const fetched: DependencyFetcher = async ({ name }) => ({
  version: '1.4.0',
  archive: { name: `${name}-1.4.0.tgz`, content: Buffer.from('x') },
})

describe('nothing is looked for', () => {
  test.each<[string, Files]>([
    ['no dependencies', { 'app/Chart.yaml': chart('app') }],
    ['a folder in charts/', { 'app/Chart.yaml': chart('app', [remote]), 'app/charts/any/Chart.yaml': chart('web') }],
  ])('with %s', async (_name, files) => {
    expect(names(await update(files))).toEqual([])
  })

  test('with an archive in charts/ that holds a chart of the name', async () => {
    const files = { 'app/Chart.yaml': chart('app', [remote]), 'app/charts/a.tgz': await packFiles({ 'web/Chart.yaml': chart('web') }) }
    expect(names(await update(files))).toEqual([])
    expect(names(await update({ ...files, 'app/charts/a.tgz': await packFiles({ 'w/Chart.yaml': chart('other') }) }, fetched))).toEqual([
      'Chart.lock',
      'charts/web-1.4.0.tgz',
      '-charts/a.tgz',
    ])
  })
})

describe('a chart of the tree', () => {
  test('is packed as helm does, with a lock', async () => {
    const files = {
      'app/Chart.yaml': chart('app', [part]),
      'part/Chart.yaml': 'version: 0.1.0\nname: part\nunknown: 1\nappVersion: 2\napiVersion: v2\n',
      'part/values.yaml': 'a: 1\n',
      'part/.helmignore': '*.md\n# comment\nskipped/\n',
      'part/README.md': '#',
      'part/skipped/x': 'x',
      'part/templates/.swp': 'x',
      'part/templates/p.yaml': 'a: {{ .Values.a }}\n',
      'part/charts/sub.tgz': await packFiles({ 'sub/Chart.yaml': chart('sub') }),
    }
    const result = await update(files)
    expect(names(result)).toEqual(['Chart.lock', 'charts/part-0.1.0.tgz'])
    expect(result.added[0]?.content.toString('utf8')).toBe(
      'dependencies:\n- name: part\n  repository: file://../part\n  version: 0.1.0\n' +
        'digest: sha256:cd39f58c2f31817670c40fd5fc21b8accf204ba37f6ac08db747a5a9337f3994\ngenerated: "0001-01-01T00:00:00Z"\n',
    )
    expect(await unpacked(result.added[1]?.content)).toEqual({
      'part/Chart.yaml': 'apiVersion: v2\nappVersion: "2"\nname: part\nversion: 0.1.0\n',
      'part/values.yaml': 'a: 1\n',
      'part/.helmignore': '*.md\n# comment\nskipped/\n',
      'part/templates/p.yaml': 'a: {{ .Values.a }}\n',
      'part/charts/sub/Chart.yaml': 'apiVersion: v2\nname: sub\nversion: 0.1.0\n',
    })
    expect((await update(files)).added[1]?.content.equals(result.added[1]?.content ?? Buffer.alloc(0))).toBe(true)
  })

  test('may be larger than one block of the archive', async () => {
    const big = 'x'.repeat(200_000)
    const { added } = await update({ 'app/Chart.yaml': chart('app', [part]), 'part/Chart.yaml': chart('part'), 'part/values.yaml': big })
    expect((await unpacked(added[1]?.content))['part/values.yaml']).toBe(big)
    expect(gunzipSync(added[1]?.content ?? '').length).toBeGreaterThan(200_000)
  })

  test.each([
    ['file:///etc', {}, /lies outside of the repository/],
    ['file://../absent', {}, /no such folder/],
    ['file://../part', { 'part/Chart.yaml': 'name: ../x\nversion: 0.1.0' }, /name and version are needed/],
    ['file://../part', { 'part/Chart.yaml': 'name: part\nversion: 0.0.1' }, /is there in version 0\.0\.1, which is not >=0\.1\.0/],
    ['file://../part', { 'part/values.yaml': '' }, /no Chart\.yaml/],
    ['@alias', {}, /is no address: write https/],
    ['', {}, /has no repository and is not in charts/],
  ])('at %s that is not as it should be', async (repository, files, message) => {
    const promise = update({ 'app/Chart.yaml': chart('app', [{ ...part, repository }]), ...files })
    await expect(promise).rejects.toThrow(message)
    await expect(promise).rejects.toBeInstanceOf(TerminalError)
  })
})

describe('a chart from elsewhere', () => {
  test('replaces the archives of other versions', async () => {
    const old = await packFiles({ 'web/Chart.yaml': chart('web') })
    const other = { ...remote, name: 'db' }
    const files = { 'app/Chart.yaml': chart('app', [remote, other]), 'app/charts/web-1.0.0.tgz': old }
    expect(names(await update(files, fetched))).toEqual([
      'Chart.lock',
      'charts/web-1.4.0.tgz',
      'charts/db-1.4.0.tgz',
      '-charts/web-1.0.0.tgz',
    ])
  })

  test('removes archives that nothing lists, whatever they are called, but no folders', async () => {
    const files = {
      'app/Chart.yaml': chart('app', [remote, { name: 'own', version: '*' }]),
      'app/charts/left.tgz': await packFiles({ 'left/Chart.yaml': chart('left') }),
      'app/charts/own-1.0.0.tgz': await packFiles({ 'own/Chart.yaml': chart('own') }),
      'app/charts/folder/Chart.yaml': chart('folder'),
    }
    expect(names(await update(files, fetched))).toEqual(['Chart.lock', 'charts/web-1.4.0.tgz', '-charts/left.tgz'])
  })

  test('leaves a lock alone that says the same', async () => {
    const files = { 'app/Chart.yaml': chart('app', [remote]) }
    const { added } = await update(files, fetched)
    const lock = added[0]?.content ?? ''
    expect(names(await update({ ...files, 'app/Chart.lock': lock }, fetched))).toEqual(['charts/web-1.4.0.tgz'])
    expect(names(await update({ ...files, 'app/Chart.lock': 'digest: sha256:other\n' }, fetched))).toContain('Chart.lock')
    expect(names(await update({ ...files, 'app/Chart.lock': '\n' }, fetched))).toContain('Chart.lock')
    await expect(update({ ...files, 'app/Chart.lock': '- a' }, fetched)).rejects.toThrow('app/Chart.lock: this is no map of settings')
  })

  test('is listed in requirements.yaml by older charts', async () => {
    const files = { 'app/Chart.yaml': chart('app', [], 'v1'), 'app/requirements.yaml': JSON.stringify({ dependencies: [remote] }) }
    expect(names(await update(files, fetched))).toEqual(['requirements.lock', 'charts/web-1.4.0.tgz'])
  })

  test('needs a version that can be read, and there may not be too many', async () => {
    await expect(update({ 'app/Chart.yaml': chart('app', [{ ...remote, version: 'latest' }]) }, fetched)).rejects.toThrow(
      /app\/Chart\.yaml: the version of the dependency web: "latest" is no version/,
    )
    await expect(update({ 'app/Chart.yaml': chart('app', [remote, remote, remote, remote]) })).rejects.toThrow(/more than 3 dependencies/)
  })
})
