import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type ChartServer, packFiles, startChartServer } from '../../testing/chart-server.ts'
import { type GitServer, startGitServer } from '../../testing/git-server.ts'
import { TerminalError } from '../controller/errors.ts'
import { createDispatchers } from '../git/dispatchers.ts'
import { createIsomorphicBackend } from '../git/isomorphic.ts'
import { type ChartDownloader, type ChartLocation, createChartDownloader } from './downloads.ts'
import { ChartError } from './errors.ts'
import type { ChartAccess } from './types.ts'

const reader = { username: 'reader', password: 'pass-word' }
const never = new AbortController().signal
let dir: string
let downloader: ChartDownloader
let open: ChartServer
let guarded: ChartServer
let encrypted: ChartServer
let git: GitServer
const dispatchers = createDispatchers()

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'charts-test-'))
  downloader = createChartDownloader({
    helm: '/nowhere/helm',
    backend: createIsomorphicBackend(dispatchers),
    tempDir: dir,
    pid: process.pid,
    limits: { chartBytes: 50_000, files: 20 },
  })
  ;[open, guarded, encrypted] = await Promise.all([startChartServer(), startChartServer({ auth: reader }), startChartServer({ tls: true })])
  git = await startGitServer()
  for (const server of [open, guarded, encrypted])
    for (const version of ['1.0.0', '1.2.0', '2.0.0', '3.0.0-rc.1']) await server.publish('stable', 'hello', version)
})
afterAll(async () => {
  await Promise.all([open.stop(), guarded.stop(), encrypted.stop(), git.stop(), downloader.close(), dispatchers.close()])
  expect(await readdir(dir)).toEqual([]) // nothing is left behind
  await rm(dir, { recursive: true })
})

async function get(location: Partial<ChartLocation>, access: ChartAccess = {}): Promise<Record<string, string>> {
  const files = await downloader.session().chart({ chart: '', repo: '', version: '', ...location }, () => access, never)
  return Object.fromEntries(files.map(({ name, content }) => [name, content.toString('utf8')]))
}
const versionOf = (files: Record<string, string>): string | undefined => /version: (.*)/.exec(files['hello/Chart.yaml'] ?? '')?.[1]
async function errorOf(promise: Promise<unknown>): Promise<Error> {
  return promise.then(
    () => expect.unreachable(),
    (error) => error,
  )
}
const login = (server: ChartServer): ChartAccess => ({ credentials: { origin: server.url, ...reader } })

describe('a repository', () => {
  test.each([
    ['1.0.0', '1.0.0'],
    ['1.x', '1.2.0'],
    ['', '2.0.0'],
    ['>=3.0.0-0', '3.0.0-rc.1'],
    ['3.0.0-rc.1', '3.0.0-rc.1'],
  ])('asked for %j gives %s', async (version, expected) => {
    expect(versionOf(await get({ chart: 'hello', repo: open.repository('stable'), version }))).toBe(expected)
    expect(versionOf(await get({ chart: 'hello', repo: `${open.repository('stable')}/`, version }))).toBe(expected)
  })

  test.each([
    ['hello', '9.9.9', ChartError, /the chart hello of .* has no version 9\.9\.9/],
    ['nothere', '', ChartError, /has no chart nothere/],
    ['hello', 'bogus', TerminalError, /"bogus" is no version and no range/],
    ['', '', TerminalError, /name the chart/],
  ])('has no %s %s', async (chart, version, type, message) => {
    const error = await errorOf(get({ chart, repo: open.repository('stable'), version }))
    expect(error).toBeInstanceOf(type)
    expect(error.message).toMatch(message)
  })

  test('may list archives elsewhere', async () => {
    await open.publish('other', 'hello', '1.0.0', {}, { url: `${open.repository('stable')}/hello-2.0.0.tgz`, digest: '' })
    expect(versionOf(await get({ chart: 'hello', repo: open.repository('other') }))).toBe('2.0.0')
  })

  test('whose archive is not the one in the index is refused', async () => {
    await open.publish('forged', 'hello', '1.0.0', {}, { digest: 'ab'.repeat(32) })
    expect((await errorOf(get({ chart: 'hello', repo: open.repository('forged') }))).message).toMatch(/SHA-256 differs/)
  })

  test('is asked for its index once in a session', async () => {
    await open.publish('once', 'hello', '1.0.0')
    const session = downloader.session()
    const ask = () => session.chart({ chart: 'hello', repo: open.repository('once'), version: '' }, () => ({}), never)
    await Promise.all([ask(), ask()])
    await ask()
    expect(open.seen.filter(({ path }) => path === '/once/index.yaml')).toHaveLength(1)
  })

  test.each([
    ['ftp://x/y', /cannot be downloaded by ftp/],
    ['not an address', /is no address/],
    ['http://127.0.0.1:1', /cannot be reached/],
  ])('at %s says why not', async (repo, message) => {
    expect((await errorOf(get({ chart: 'hello', repo }))).message).toMatch(message)
  })

  test('that serves a web page instead of an index says so', async () => {
    open.serve('/page/index.yaml', '<html>sign in</html>')
    expect((await errorOf(get({ chart: 'hello', repo: open.repository('page') }))).message).toMatch(/is no index of a chart repository/)
  })

  test('that is busy says when to come back', async () => {
    open.handle('/busy/index.yaml', (_request, response) => void response.writeHead(503, { 'retry-after': '7' }).end())
    expect(await errorOf(get({ chart: 'hello', repo: open.repository('busy') }))).toMatchObject({ name: 'ChartError', retryAfterMs: 7_000 })
  })
})

describe('credentials', () => {
  test('open their own origin only', async () => {
    const location = { chart: 'hello', repo: guarded.repository('stable'), version: '1.0.0' }
    expect(versionOf(await get(location, login(guarded)))).toBe('1.0.0')
    expect((await errorOf(get(location))).message).toMatch(/error code 401, it wants credentials/)
    expect((await errorOf(get(location, login(open)))).message).toMatch(/error code 401/)
    const wrong = await errorOf(get(location, { credentials: { origin: guarded.url, username: 'reader', password: 'mistaken' } }))
    expect(wrong.message).toMatch(/does not accept these credentials/)
    expect(wrong.message).not.toContain('mistaken')
  })

  test('do not follow an archive to another origin, nor a redirect', async () => {
    open.seen.length = 0
    await guarded.publish('away', 'hello', '1.0.0', {}, { url: `${open.repository('stable')}/hello-1.0.0.tgz`, digest: '' })
    expect(versionOf(await get({ chart: 'hello', repo: guarded.repository('away') }, login(guarded)))).toBe('1.0.0')
    guarded.handle(
      '/moved/index.yaml',
      (_request, response) => void response.writeHead(302, { location: `${open.repository('stable')}/index.yaml` }).end(),
    )
    expect((await errorOf(get({ chart: 'hello', repo: guarded.repository('moved') }, login(guarded)))).message).toMatch(/401|404/)
    expect(open.seen.length).toBeGreaterThan(1)
    expect(open.seen.filter(({ authorization }) => authorization !== undefined)).toEqual([])
  })

  test('in an address are used and never shown', async () => {
    const repo = guarded.repository('stable').replace('//', '//reader:pass-word@')
    expect(versionOf(await get({ chart: 'hello', repo, version: '1.0.0' }))).toBe('1.0.0')
    const error = await errorOf(get({ chart: 'hello', repo: repo.replace('stable', 'absent') }))
    expect(error.message).toMatch(/error code 404/)
    expect(error.message).not.toContain('pass-word')
  })

  test('a circle of redirects, or one to another kind of address, is the end', async () => {
    open.handle('/circle/index.yaml', (_request, response) => void response.writeHead(302, { location: '/circle/index.yaml' }).end())
    expect((await errorOf(get({ chart: 'hello', repo: open.repository('circle') }))).message).toMatch(/from one address to the next/)
    encrypted.handle('/down/index.yaml', (_request, response) => void response.writeHead(302, { location: open.url }).end())
    const access = { caBundle: encrypted.ca }
    expect((await errorOf(get({ chart: 'hello', repo: encrypted.repository('down') }, access))).message).toMatch(/not safe/)
  })
})

test('a certificate needs its authority, or the consent to skip the check', async () => {
  const location = { chart: 'hello', repo: encrypted.repository('stable') }
  expect((await errorOf(get(location))).message).toMatch(
    /signed by an unknown authority \(.*\); add the authority to cacerts of the secret$/,
  )
  expect(versionOf(await get(location, { caBundle: encrypted.ca }))).toBe('2.0.0')
  expect(versionOf(await get(location, { insecureSkipTLSVerify: true }))).toBe('2.0.0')
  expect(await errorOf(get(location, { caBundle: 'nonsense' }))).toBeInstanceOf(TerminalError)
})

describe('an archive', () => {
  test('comes as it unpacks, or a folder of it', async () => {
    const chart = open.serve(
      '/a/bundle.tar.gz',
      await packFiles({ 'repo/charts/hello/Chart.yaml': 'name: hello', 'repo/link': { link: '/etc' } }),
    )
    expect(await get({ chart: `${chart}//repo/charts` })).toEqual({ 'hello/Chart.yaml': 'name: hello' })
    expect((await errorOf(get({ chart }))).message).toMatch(/repo\/link is a symlink/)
    expect((await errorOf(get({ chart: `${chart}//nowhere` }))).message).toMatch(/has no files in nowhere/)
  })

  test('is checked against its checksum before it is opened', async () => {
    const bytes = await packFiles({ 'c/Chart.yaml': 'name: c' })
    const chart = open.serve('/b/c.tgz', bytes)
    const digest = (await import('node:crypto')).createHash('sha512').update(bytes).digest('hex')
    expect(await get({ chart: `${chart}?archive=tgz&checksum=sha512:${digest}` })).toEqual({ 'c/Chart.yaml': 'name: c' })
    const wrong = open.serve('/b/d.tgz', 'this is no archive')
    expect((await errorOf(get({ chart: `${wrong}?checksum=sha512:${digest}` }))).message).toMatch(/does not have the sha512 checksum/)
  })

  test('keeps the rest of its query', async () => {
    open.handle('/signed.tgz', async (request, response) => {
      const isSigned = request.url === '/signed.tgz?token=ab+cd%2Fef'
      response.writeHead(isSigned ? 200 : 403).end(await packFiles({ 'c/Chart.yaml': 'x' }))
    })
    expect(await get({ chart: `${open.url}/signed.tgz?token=ab+cd%2Fef&archive=tgz` })).toEqual({ 'c/Chart.yaml': 'x' })
  })

  test('that is something else, too large or cut off is refused', async () => {
    const page = open.serve('/e/page.tgz', '<html>')
    expect((await errorOf(get({ chart: page }))).message).toMatch(/is no archive/)
    const large = open.serve('/e/large.tgz', await packFiles({ 'c/values.yaml': 'x'.repeat(60_000) }))
    expect(await errorOf(get({ chart: large }))).toBeInstanceOf(TerminalError)
    const cut = open.serve('/e/cut.tgz', (await packFiles({ 'c/values.yaml': 'x'.repeat(40_000) })).subarray(0, 60))
    expect((await errorOf(get({ chart: cut }))).message).toMatch(/or a broken one/)
    const zip = open.serve('/e/c.zip', Buffer.from('504b0304', 'hex'))
    expect((await errorOf(get({ chart: zip }))).message).toMatch(/zip archive, which cannot be read/)
  })
})

describe('git', () => {
  test('gives a folder of a branch, a tag or a commit', async () => {
    const repository = await git.repository(
      'charts',
      { 'charts/hello/Chart.yaml': 'name: hello\n', 'README.md': '#\n' },
      { branch: 'main' },
    )
    const first = await repository.head('main')
    await repository.commit({ 'charts/hello/Chart.yaml': 'name: changed\n' }, { branch: 'main' })
    const at = `git::${repository.url}//charts/hello`
    expect(await get({ chart: at })).toEqual({ 'Chart.yaml': 'name: changed\n' })
    expect(await get({ chart: `${at}?ref=main&depth=1` })).toEqual({ 'Chart.yaml': 'name: changed\n' })
    expect(await get({ chart: `${at}?ref=${first}` })).toEqual({ 'Chart.yaml': 'name: hello\n' })
    expect((await errorOf(get({ chart: `${at}?ref=absent` }))).message).toMatch(/absent/)
    expect((await errorOf(get({ chart: `git::${repository.url}//nowhere` }))).message).toMatch(/no folder|nowhere/)
  })

  test('by ssh needs a key, which has no place in the address', async () => {
    expect((await errorOf(get({ chart: 'git::https://h/x?sshkey=abc' }))).message).toMatch(/put it into the secret/)
    expect((await errorOf(get({ chart: 'git@127.0.0.1:charts.git' }))).message).toMatch(/key/)
  })
})

test('what is neither in the folder nor an address is refused', async () => {
  expect((await errorOf(get({ chart: './charts/hello' }))).message).toMatch(/neither in the folder nor an address/)
})

test('a registry without helm says what is missing', async () => {
  expect((await errorOf(get({ repo: 'oci://127.0.0.1:1/charts/hello' }))).message).toMatch(/need helm: \/nowhere\/helm cannot be started/)
  expect((await errorOf(get({ repo: 'oci://user:secret@host/x' }))).message).toBe(
    'oci://host/x is no chart in a registry: write oci://host/path',
  )
})
