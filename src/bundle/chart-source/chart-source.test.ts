import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import type { GitRepo, GitRepoSpec } from '../../api/git-repo.ts'
import { GIT_REPO } from '../../api/kinds.ts'
import { type ChartDownloader, createChartDownloader } from '../../lib/charts/downloads.ts'
import { ChartError } from '../../lib/charts/errors.ts'
import { TerminalError } from '../../lib/controller/errors.ts'
import type { RepoSecrets, Secret } from '../../source/secrets.ts'
import { type ChartServer, packFiles, startChartServer } from '../../testing/chart-server.ts'
import { readBundles } from '../read.ts'
import { makeFolder, type Tree } from '../testing/folder.ts'
import { type ChartSourceOptions, createChartSource } from './chart-source.ts'
import { credentialsByPath } from './credentials.ts'
import { chartSourceFor } from './git-repo-charts.ts'

const user = { username: 'reader', password: 'pass word' }
const backend = { resolve: () => Promise.reject(new Error('no git')), fetch: () => Promise.reject(new Error('no git')) }
let dir: string
let downloader: ChartDownloader
let open: ChartServer
let guarded: ChartServer
let encrypted: ChartServer

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'chart-source-'))
  downloader = createChartDownloader({ helm: '/nowhere/helm', backend, tempDir: dir, pid: process.pid })
  ;[open, guarded, encrypted] = await Promise.all([startChartServer(), startChartServer({ auth: user }), startChartServer({ tls: true })])
  for (const server of [open, guarded, encrypted])
    for (const version of ['1.0.0', '1.2.0']) await server.publish('stable', 'hello', version)
})
beforeEach(() => {
  for (const server of [open, guarded, encrypted]) server.seen.length = 0
})
afterAll(async () => {
  await Promise.all([open.stop(), guarded.stop(), encrypted.stop(), downloader.close()])
  await rm(dir, { recursive: true })
})

type Given = Omit<ChartSourceOptions, 'downloader'>

/** Names of the resources of all bundles; hashes are cut off. */
async function read(tree: Tree, given: Given = {}): Promise<string[]> {
  await using folder = await makeFolder(tree)
  const charts = createChartSource({ downloader, ...given })
  const { drafts } = await readBundles(folder.root, { repoName: 'repo', namespace: 'ns', charts })
  return drafts.flatMap(({ bundle }) => (bundle.spec.resources ?? []).map(({ name = '' }) => name.replace(/^\.chart\/[0-9a-f]{64}/, '*')))
}

const fleetYaml = (helm: object) => JSON.stringify({ helm })
const hello = (server: ChartServer, more: object = {}) =>
  fleetYaml({ repo: server.repository('stable'), chart: 'hello', version: '1.x', ...more })
const sent = () => [...open.seen, ...guarded.seen].some(({ authorization }) => authorization !== undefined)

describe('credentials', () => {
  const given = { credentials: () => user }

  test('go to addresses that the expression matches', async () => {
    expect(await read({ 'app/fleet.yaml': hello(guarded) }, { ...given, urlPattern: `${guarded.url}/.*` })).toEqual(['*/hello/Chart.yaml'])
    expect(guarded.seen.every(({ authorization }) => authorization !== undefined)).toBe(true)
  })

  test.each([
    [undefined, /error code 401, it wants credentials: those that are there are sent only .* which is not set/],
    ['https://charts\\.example', /401.* because helmRepoURLRegex does not match/],
    ['stable', /401/],
    ['/stable|nothing', /401/],
    ['(', /is no regular expression/],
  ])('are kept back with the expression %s', async (urlPattern, message) => {
    await expect(read({ 'app/fleet.yaml': hello(guarded) }, { ...given, urlPattern })).rejects.toThrow(message)
    expect(sent()).toBe(false)
  })

  test('of one folder are not those of another', async () => {
    const credentials = credentialsByPath(JSON.stringify({ app: user }), 'file')
    expect(await read({ 'app/fleet.yaml': hello(guarded) }, { credentials, urlPattern: '.*' })).toHaveLength(1)
    await expect(
      read({ 'app/fleet.yaml': hello(guarded), 'b/fleet.yaml': hello(guarded) }, { credentials, urlPattern: '.*' }),
    ).rejects.toThrow(/^b: .*401/)
  })

  test('that are wrong do not show', async () => {
    const wrong = { credentials: () => ({ ...user, password: 'mistaken' }), urlPattern: '.*' }
    const error = await read({ 'app/fleet.yaml': hello(guarded) }, wrong).catch((e: unknown) => e)
    expect(error).toBeInstanceOf(ChartError)
    expect(String(error)).toMatch(/app: chart hello 1\.x of http.*401/)
    expect(String(error) + JSON.stringify(error)).not.toContain('mistaken')
  })

  test('are used for dependencies by the same rules', async () => {
    const chart = {
      apiVersion: 'v2',
      name: 'app',
      version: '1.0.0',
      dependencies: [{ name: 'hello', version: '^1', repository: guarded.repository('stable') }],
    }
    const tree = { 'app/Chart.yaml': JSON.stringify(chart), 'app/fleet.yaml': '' }
    expect(await read(tree, { ...given, urlPattern: '.*' })).toEqual(['Chart.lock', 'Chart.yaml', 'charts/hello-1.2.0.tgz'])
    await expect(read(tree, given)).rejects.toThrow(/^app: .*401/)
  })
})

test('a chart is downloaded once for all who want it', async () => {
  const wanted = { 'a/fleet.yaml': hello(open), 'b/fleet.yaml': hello(open), 'c/fleet.yaml': hello(open, { version: '1.0.0' }) }
  expect(await read(wanted)).toHaveLength(3)
  expect(open.seen.map(({ path }) => path).sort()).toEqual(['/stable/hello-1.0.0.tgz', '/stable/hello-1.2.0.tgz', '/stable/index.yaml'])
})

test('a downloaded chart gets the dependencies it lacks, unless that is disabled', async () => {
  const chart = {
    apiVersion: 'v2',
    name: 'parent',
    version: '1.0.0',
    dependencies: [{ name: 'hello', version: '1.0.0', repository: open.repository('stable') }],
  }
  const address = open.serve('/parent.tgz', await packFiles({ 'parent/Chart.yaml': JSON.stringify(chart) }))
  expect(await read({ 'app/fleet.yaml': fleetYaml({ chart: address }) })).toEqual([
    '*/parent/Chart.lock',
    '*/parent/Chart.yaml',
    '*/parent/charts/hello-1.0.0.tgz',
  ])
  expect(await read({ 'app/fleet.yaml': fleetYaml({ chart: address, disableDependencyUpdate: true }) })).toEqual(['*/parent/Chart.yaml'])
})

test('of a downloaded chart is left out what would be left out of the folder, but for its values', async () => {
  const address = open.serve(
    '/flat.tgz',
    await packFiles({
      'Chart.yaml': 'name: flat\nversion: 1.0.0\n',
      'values.yaml': 'a: 1\n',
      'more.yaml': 'b: 1\n',
      'fleet.yaml': 'x',
      'sub/fleet.yaml': 'x',
      '.fleetignore': 'notes.txt\ndocs/*\n',
      'sub/notes.txt': 'x',
      'docs/readme': 'x',
      'sub/.fleetignore': 'own.txt\n',
      'sub/own.txt': 'x',
      'own.txt': 'x',
    }),
  )
  const tree = {
    'app/fleet.yaml': fleetYaml({ chart: address, valuesFiles: ['values.yaml', 'more.yaml'] }),
    'app/values.yaml': '',
    'app/more.yaml': '',
  }
  expect(await read(tree)).toEqual(['*/Chart.yaml', '*/own.txt', '*/sub/fleet.yaml', '*/values.yaml'])
  const bad = open.serve('/bad.tgz', await packFiles({ 'Chart.yaml': 'name: bad\nversion: 1.0.0\n', '.fleetignore': '[' }))
  await expect(read({ 'app/fleet.yaml': fleetYaml({ chart: bad }) })).rejects.toThrow(
    /^app: \.fleetignore of the chart that it takes: bad pattern/,
  )
})

test('dependencies stay in the repository', async () => {
  const chart = (repository: string) =>
    JSON.stringify({ apiVersion: 'v2', name: 'c', version: '1.0.0', dependencies: [{ name: 'part', version: '*', repository }] })
  const outside = { '../part/Chart.yaml': 'name: part\nversion: 1.0.0\n', 'app/fleet.yaml': '' }
  await expect(read({ ...outside, 'app/Chart.yaml': chart('file://../../part') })).rejects.toThrow(TerminalError)
  await expect(read({ ...outside, 'app/Chart.yaml': chart('file://../link'), link: { link: '../part' } })).rejects.toThrow(TerminalError)
  await expect(
    read({
      'app/Chart.yaml': chart('file://../loop'),
      'app/fleet.yaml': '',
      'loop/Chart.yaml': 'name: part\nversion: 1.0.0\n',
      'loop/in': { link: '.' },
    }),
  ).rejects.toThrow(TerminalError)
})

describe('a GitRepo', () => {
  const secret = (data: Record<string, string>): Secret => ({
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { name: 's' },
    data: Object.fromEntries(Object.entries(data).map(([key, value]) => [key, Buffer.from(value).toString('base64')])),
  })

  async function readFor(
    server: ChartServer,
    spec: Partial<GitRepoSpec>,
    secrets: Partial<RepoSecrets> = {},
    caBundle?: string,
  ): Promise<string[]> {
    const gitRepo = { ...GIT_REPO, metadata: { name: 'repo', namespace: 'ns' }, spec: { repo: 'https://git', ...spec } } as GitRepo
    const reader = { read: async () => ({ client: undefined, helm: undefined, helmForPaths: undefined, ...secrets }) }
    const charts = await chartSourceFor({ downloader, secrets: reader, caBundle: () => caBundle })(gitRepo)
    await using folder = await makeFolder({ 'app/fleet.yaml': hello(server) })
    const { drafts } = await readBundles(folder.root, { repoName: 'repo', namespace: 'ns', charts })
    return drafts.map(({ bundle }) => bundle.metadata.name)
  }

  test('names a secret and the addresses it is for', async () => {
    const spec = { helmSecretName: 's', helmRepoURLRegex: 'http://127\\.0\\.0\\.1.*' }
    expect(await readFor(guarded, spec, { helm: secret(user) })).toEqual(['repo-app'])
    await expect(readFor(guarded, { helmSecretName: 's' }, { helm: secret(user) })).rejects.toThrow(/401/)
    await expect(readFor(guarded, spec)).rejects.toThrow(/helmSecretName: Secret "s" not found/)
  })

  test('names a secret with credentials by path, which wins', async () => {
    const byPath = (value: object) => secret({ 'secrets-path.yaml': JSON.stringify({ app: value }) })
    const spec = { helmSecretNameForPaths: 's', helmRepoURLRegex: '.*', insecureSkipTLSVerify: true }
    expect(await readFor(guarded, spec, { helmForPaths: byPath(user) })).toEqual(['repo-app'])
    const caBundle = Buffer.from(encrypted.ca).toString('base64')
    expect(await readFor(encrypted, spec, { helmForPaths: byPath({ caBundle }) })).toEqual(['repo-app'])
    await expect(readFor(encrypted, spec, { helmForPaths: byPath({}) })).rejects.toThrow(/unknown authority/)
  })

  test('knows certificates from its secret, from the hub, or does not check them', async () => {
    await expect(readFor(encrypted, {})).rejects.toThrow(/unknown authority/)
    expect(await readFor(encrypted, { helmSecretName: 's' }, { helm: secret({ cacerts: encrypted.ca }) })).toEqual(['repo-app'])
    expect(await readFor(encrypted, {}, {}, encrypted.ca)).toEqual(['repo-app'])
    expect(await readFor(encrypted, { insecureSkipTLSVerify: true })).toEqual(['repo-app'])
  })
})
