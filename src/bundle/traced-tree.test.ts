import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { type TestFiles, writeTestCheckout } from '../lib/git/checkout.testing.ts'
import type { CommitFiles } from '../lib/git/commit-files.ts'
import { isUntouched, recordTrace } from '../source/read-trace.ts'
import type { ChartSource } from './charts.ts'
import type { BundleDraft, ReadOptions } from './draft.ts'
import { readBundles } from './read.ts'
import { configMap } from './testing/folder.ts'

const OPTIONS = { repoName: 'repo', namespace: 'ns' }

/** Charts from elsewhere, which are there for whoever asks. */
const CHARTS: ChartSource = {
  download: async () => [{ name: 'remote/Chart.yaml', content: Buffer.from('name: remote\n') }],
  dependencies: async (tree, folder) => {
    const has = await tree.list(`${folder}/charts`)
    return has ? { added: [], removed: [] } : { added: [{ name: 'charts/x-1.0.0.tgz', content: Buffer.from('x') }], removed: [] }
  },
}

type Reading = { readonly drafts: readonly BundleDraft[] } | { readonly error: string }

async function reading(root: string, options: Partial<ReadOptions>): Promise<Reading> {
  try {
    const { drafts } = await readBundles(root, { ...OPTIONS, charts: CHARTS, ...options })
    return { drafts }
  } catch (error) {
    return { error: String(error) }
  }
}

/** What a reading of the first tree leaves: whether another tree is the same for it. Undefined when each commit has to be read, or the first one cannot be. */
async function traced(tree: TestFiles, options: Partial<ReadOptions>) {
  await using checkout = await writeTestCheckout(tree)
  const recorder = recordTrace(checkout.files)
  const first = await reading(checkout.root, { ...options, trace: recorder })
  const trace = recorder.finish()
  return { first, why: recorder.spoiled, isUntouched: trace && ((files: CommitFiles) => isUntouched(trace, files)) }
}

const folders = ['app', 'app/sub', 'base', 'app/chart', 'app/chart/templates', 'other', '.'] as const
const names = ['cm.yaml', 'fleet.yaml', 'values.yaml', 'Chart.yaml', '.fleetignore', 'notes.txt', 'dev.yaml', 'link'] as const
const path = fc
  .tuple(fc.constantFrom(...folders), fc.constantFrom(...names))
  .map(([folder, name]) => (folder === '.' ? name : `${folder}/${name}`))
const content = fc.oneof(
  { weight: 4, arbitrary: fc.constantFrom(configMap('one'), configMap('two'), 'a: 1\n', 'a: 2\n', '*.txt\n', 'sub/*\n', '') },
  {
    weight: 3,
    arbitrary: fc.constantFrom(
      'helm: {valuesFiles: [values.yaml]}\n',
      'helm: {valuesFiles: [../base/values.yaml]}\n',
      'helm: {chart: chart}\n',
      'helm: {chart: ../base}\n',
      'targets: [{name: t, helm: {valuesFiles: [../base/values.yaml]}}]\n',
      'namespace: x\n',
      'name: chart\nversion: 1.0.0\ndependencies: [{name: x, version: 1, repository: "https://charts.example"}]\n',
    ),
  },
  {
    weight: 2,
    arbitrary: fc
      .constantFrom('../base/values.yaml', '../base', 'values.yaml', 'cm.yaml', '../other/cm.yaml', '../app', '../../out', 'link')
      .map((link) => ({ link })),
  },
)
const tree: fc.Arbitrary<TestFiles> = fc.dictionary(path, content, { minKeys: 1, maxKeys: 14, noNullPrototype: true })
const change = fc.array(fc.tuple(path, fc.option(content, { nil: undefined })), { minLength: 1, maxLength: 3 })
const options: fc.Arbitrary<Partial<ReadOptions>> = fc.constantFrom<Partial<ReadOptions>>(
  {},
  { paths: ['app'] },
  { paths: ['a*', 'base'] },
  { paths: ['app/sub', 'none'] },
  {
    bundles: [
      { base: 'app', options: 'dev.yaml' },
      { base: 'app', options: '../base/values.yaml' },
    ],
  },
)

function changed(before: TestFiles, changes: readonly (readonly [string, TestFiles[string] | undefined])[]): TestFiles {
  const after = new Map(Object.entries(before))
  for (const [at, to] of changes) {
    if (to === undefined) after.delete(at)
    else after.set(at, to)
  }
  return Object.fromEntries(after)
}

describe('a commit that changes nothing that was looked at', () => {
  test('gives the same bundles, whatever it changes', { timeout: 120_000 }, async () => {
    const seen = { same: 0, other: 0 }
    await fc.assert(
      fc.asyncProperty(tree, change, options, async (before, changes, how) => {
        const { first, isUntouched: isSame } = await traced(before, how)
        if ('error' in first || !isSame) return
        await using next = await writeTestCheckout(changed(before, changes))
        const isSkipped = isSame(next.files)
        seen[isSkipped ? 'same' : 'other']++
        if (isSkipped) expect(await reading(next.root, how)).toEqual(first)
      }),
      { numRuns: 1_000 }, // most trees cannot be read, or not be told by
    )
    // else it says nothing
    expect(seen.same).toBeGreaterThan(10)
    expect(seen.other).toBeGreaterThan(10)
  })

  test('is always one that changes nothing at all', async () => {
    await fc.assert(
      fc.asyncProperty(tree, options, async (given, how) => {
        const { first, isUntouched: isSame } = await traced(given, how)
        if ('error' in first || !isSame) return
        await using again = await writeTestCheckout(given)
        expect(isSame(again.files)).toBe(true)
      }),
      { numRuns: 50 },
    )
  })
})

const APP = {
  'app/fleet.yaml': 'helm: {valuesFiles: [../base/values.yaml], chart: chart}\n',
  'app/chart/Chart.yaml': 'name: chart\nversion: 1.0.0\n',
  'app/chart/templates/cm.yaml': configMap('one'),
  'app/notes.txt': 'left out',
  'app/.fleetignore': 'notes.txt\n',
  'base/values.yaml': 'a: 1\n',
  'base/more.yaml': configMap('two'),
} satisfies TestFiles

async function isSame(change: TestFiles, how: Partial<ReadOptions> = { paths: ['app'] }): Promise<boolean> {
  const { first, isUntouched: same } = await traced(APP, how)
  expect(first).toHaveProperty('drafts')
  await using next = await writeTestCheckout({ ...APP, ...change })
  return same?.(next.files) ?? false
}

describe('bundles depend on', () => {
  test.each<[string, TestFiles]>([
    ['files of their folder', { 'app/chart/templates/cm.yaml': configMap('three') }],
    ['new files of it', { 'app/new.yaml': configMap('three') }],
    ['values files elsewhere', { 'base/values.yaml': 'a: 2\n' }],
    ['what is ignored', { 'app/.fleetignore': '' }],
    ['options of a folder below', { 'app/chart/fleet.yaml': 'namespace: x\n' }],
  ])('%s', async (_, change) => {
    expect(await isSame(change)).toBe(false)
  })

  test.each<[string, TestFiles]>([
    ['files of other folders', { 'base/more.yaml': configMap('three'), 'new/fleet.yaml': '' }],
    ['ignored files', { 'app/notes.txt': 'changed' }],
  ])('not on %s', async (_, change) => {
    expect(await isSame(change)).toBe(true)
  })

  test('whether a chart is there, and a path', async () => {
    const own = { 'app/fleet.yaml': 'helm: {chart: ../charts/x}\n', 'app/cm.yaml': configMap('one') }
    const { isUntouched: same } = await traced({ ...own, 'charts/x/Chart.yaml': 'name: x\nversion: 1.0.0\n' }, { paths: ['app', 'later'] })
    await using gone = await writeTestCheckout(own)
    expect(same?.(gone.files)).toBe(false)
    await using other = await writeTestCheckout({ ...own, 'charts/x/Chart.yaml': 'name: y\nversion: 1.0.0\n', later: 'a file' })
    expect(same?.(other.files)).toBe(false)
    await using alike = await writeTestCheckout({ ...own, 'charts/x/Chart.yaml': 'name: y\nversion: 1.0.0\n' })
    expect(same?.(alike.files)).toBe(true)
  })

  test('folders that a pattern may match', async () => {
    expect(await isSame({ 'apple/cm.yaml': configMap('three') }, { paths: ['app*'] })).toBe(false)
    expect(await isSame({ 'pear/cm.yaml': configMap('three') }, { paths: ['app*'] })).toBe(false) // the names at the top were looked at
    expect(await isSame({ 'base/pear.yaml': configMap('three') }, { paths: ['app*'] })).toBe(true)
  })

  test.each<[string, TestFiles]>([
    ['charts from elsewhere', { 'app/fleet.yaml': 'helm: {repo: "https://charts.example", chart: x, version: 1.0.0}\n' }],
    [
      'dependencies from elsewhere',
      {
        'app/chart/Chart.yaml':
          'name: chart\nversion: 1.0.0\ndependencies: [{name: x, version: 1, repository: "https://charts.example"}]\n',
      },
    ],
  ])('%s, and are read with each commit', async (_, files) => {
    const { first, why, isUntouched: same } = await traced({ ...APP, ...files }, { paths: ['app'] })
    expect(first).toHaveProperty('drafts')
    expect(same).toBeUndefined()
    expect(why).toBe('charts that are not in the repository')
  })

  test('dependencies that are in the repository', async () => {
    const own = {
      'app/chart/Chart.yaml': 'name: chart\nversion: 1.0.0\ndependencies: [{name: x, version: 1, repository: "https://charts.example"}]\n',
      'app/chart/charts/x/Chart.yaml': 'name: x\nversion: 1.0.0\n',
    }
    const { isUntouched: same } = await traced({ ...APP, ...own }, { paths: ['app'] })
    await using next = await writeTestCheckout({ ...APP, ...own, other: 'x' })
    expect(same?.(next.files)).toBe(true)
  })
})
