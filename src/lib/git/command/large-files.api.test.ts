import { createHash } from 'node:crypto'
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { createServer, request as forward, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { type GitServer, type ServedRepository, startGitServer } from '../../../testing/git-server.ts'
import { describedFetch } from '../checkout.testing.ts'
import { DEFAULT_GIT_LIMITS, type GitLimits } from '../types.ts'
import { type CommandBackend, createCommandBackend } from './command-backend.ts'
import { findGitCommand } from './find-git.ts'
import { parsePointer } from './lfs-pointer.ts'

const sum = (content: string): string => createHash('sha256').update(content).digest('hex')
const pointerTo = (content: string, size = content.length): string =>
  `version https://git-lfs.github.com/spec/v1\noid sha256:${sum(content)}\nsize ${size}\n`

describe('pointers to large files', () => {
  test('are told from other texts', () => {
    expect(parsePointer(pointerTo('x'))).toEqual({ oid: sum('x'), size: 1 })
    const pointer = pointerTo('x')
    for (const text of [
      '',
      'x',
      pointer.replace('version', 'Version'),
      pointer.replace('sha256', 'md5'),
      pointer.replace('size 1', ''),
      pointer + ' '.repeat(1_000),
    ])
      expect(parsePointer(text)).toBeUndefined()
  })
})

const found = await findGitCommand(process.env.PATH ?? '')
const problem = 'problem' in found ? found.problem : undefined
const auth = { username: 'me', password: 'CANARY' }
const AUTHORIZATION = `Basic ${Buffer.from('me:CANARY').toString('base64')}`

describe.skipIf(problem !== undefined)('large files', () => {
  let git: GitServer
  /** In front of the git server, with a store beside each repository. */
  let front: Server
  /** Where the store keeps its files. */
  let elsewhere: Server
  let backend: CommandBackend
  let dir: string
  let serial = 0
  let contents: Map<string, string>
  let seen: string[]
  let onBatch: ((response: ServerResponse) => void) | undefined
  let onDownload: ((response: ServerResponse) => void) | undefined
  const urlOf = (server: Server): string => `http://127.0.0.1:${(server.address() as AddressInfo).port}`

  beforeAll(async () => {
    if ('problem' in found) throw new Error(found.problem)
    dir = await mkdtemp(join(tmpdir(), 'git-large-'))
    git = await startGitServer({ auth })
    backend = createCommandBackend({ command: found, tempDir: dir })
    front = createServer(answer)
    elsewhere = createServer((request, response) => {
      seen.push(`GET elsewhere ${request.headers.authorization} ${request.headers['x-token']}`)
      if (onDownload) onDownload(response)
      else response.end(contents.get(request.url?.slice(1) ?? ''))
    })
    for (const server of [front, elsewhere]) await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  })
  afterAll(async () => {
    await Promise.all([backend.close(), git.stop()])
    for (const server of [front, elsewhere]) {
      server.closeAllConnections()
      server.close()
    }
    await rm(dir, { recursive: true, force: true })
  })
  beforeEach(() => {
    contents = new Map()
    seen = []
    onBatch = undefined
    onDownload = undefined
  })

  function answer(request: IncomingMessage, response: ServerResponse): void {
    if (request.url?.endsWith('/info/lfs/objects/batch')) batch(request, response)
    else passOn(request, response)
  }

  function passOn(request: IncomingMessage, response: ServerResponse): void {
    const upstream = forward(`${git.url}${request.url}`, { method: request.method, headers: request.headers }, (got) => {
      response.writeHead(got.statusCode ?? 502, got.headers)
      got.pipe(response)
    })
    upstream.on('error', () => response.destroy())
    request.pipe(upstream)
  }

  function batch(request: IncomingMessage, response: ServerResponse): void {
    seen.push(`POST ${request.url?.split('/').slice(2).join('/')} ${request.headers.authorization}`)
    let text = ''
    request.on('data', (chunk) => {
      text += chunk
    })
    request.on('end', () => {
      if (onBatch) return onBatch(response)
      const { objects } = JSON.parse(text) as { objects: { oid: string; size: number }[] }
      const answers = objects.map(({ oid, size }) =>
        contents.has(oid)
          ? { oid, size, actions: { download: { href: `${urlOf(elsewhere)}/${oid}`, header: { 'X-Token': 'once' } } } }
          : { oid, size, error: { code: 404, message: 'Object does not exist' } },
      )
      response.setHeader('content-type', 'application/vnd.git-lfs+json')
      response.end(JSON.stringify({ transfer: 'basic', objects: answers }))
    })
  }

  /** Files in the store are given as `large:CONTENT`. */
  async function repository(files: Record<string, string>, attributes = '*.bin filter=lfs diff=lfs merge=lfs -text\n') {
    const stored = Object.entries(files).map(([path, content]) => {
      if (!content.startsWith('large:')) return [path, content]
      contents.set(sum(content), content)
      return [path, pointerTo(content)]
    })
    return git.repository(`repo-${serial++}`, { ...Object.fromEntries(stored), ...(attributes ? { '.gitattributes': attributes } : {}) })
  }

  type FetchCall = { limits?: Partial<GitLimits>; paths?: string[] }
  const fetch = async (from: ServedRepository, options?: FetchCall): Promise<string> => (await fetchDescribed(from, options)).into

  async function fetchDescribed(from: ServedRepository, { limits, paths }: FetchCall = {}) {
    const { onWritten, check } = describedFetch()
    const into = join(dir, `tree-${serial++}`)
    const remote = { url: from.url.replace(git.url, urlOf(front)), credentials: { kind: 'basic', ...auth } as const }
    const options = { paths, limits: { ...DEFAULT_GIT_LIMITS, ...limits }, onWritten }
    await backend.fetch(remote, await from.head(), into, options, new AbortController().signal)
    return { into, files: await check(into) }
  }
  const read = (...parts: string[]): Promise<string> => readFile(join(...parts), 'utf8')

  test('come from the store beside the repository, which alone gets the credentials', async () => {
    const from = await repository({
      'a.bin': 'large:one',
      'deep/b.bin': 'large:two',
      'same.bin': 'large:one',
      'c.bin': 'no pointer',
      'd.txt': pointerTo('x'),
    })
    const { into: root, files } = await fetchDescribed(from)
    expect(files.content('a.bin', '.')).toBe(`sha256:${sum('large:one')}`)
    expect(files.content('same.bin', '.')).toBe(files.content('a.bin', '.'))
    expect(files.content('c.bin', '.')).toMatch(/^[0-9a-f]{40}$/)
    expect(await Promise.all(['a.bin', 'deep/b.bin', 'same.bin', 'c.bin'].map((path) => read(root, path)))).toEqual([
      'large:one',
      'large:two',
      'large:one',
      'no pointer',
    ])
    expect(await read(root, 'd.txt')).toBe(pointerTo('x'))
    expect(seen).toEqual([`POST info/lfs/objects/batch ${AUTHORIZATION}`, 'GET elsewhere undefined once', 'GET elsewhere undefined once'])
  })

  test('are those that attributes name, by the rules of git', async () => {
    const attributes = 'deep/** filter=lfs\ndeep/not/* -filter\n[attr]big filter=lfs\n/top* big\n'
    const from = await repository({ 'deep/a': 'large:1', 'deep/not/b': 'large:2', 'top x': 'large:3', other: 'large:4' }, attributes)
    const root = await fetch(from)
    expect(await read(root, 'deep/a')).toBe('large:1')
    expect(await read(root, 'top x')).toBe('large:3')
    for (const path of ['deep/not/b', 'other']) expect(await read(root, path)).toMatch(/^version https/)
  })

  test('outside the paths that are read are not asked for', async () => {
    const from = await repository({ 'x/a.bin': 'large:1', 'y/b.bin': 'large:2' })
    await from.git(['config', 'uploadpack.allowFilter', 'true'])
    const root = await fetch(from, { paths: ['x'] })
    expect((await readdir(root, { recursive: true })).sort()).toEqual(['x', 'x/a.bin'])
    expect(await read(root, 'x/a.bin')).toBe('large:1')
    expect(seen).toHaveLength(2)
  })

  test('of a store that the repository itself names are not looked for there', async () => {
    const from = await repository({ 'a.bin': 'large:1', '.lfsconfig': `[lfs]\n\turl = ${urlOf(elsewhere)}/evil\n` })
    expect(await read(await fetch(from), 'a.bin')).toBe('large:1')
    expect(seen[0]).toMatch(/^POST info\/lfs/)
  })

  const end =
    (status: number, body = '') =>
    (response: ServerResponse) =>
      response.writeHead(status).end(body)
  test.each<[string, () => void, string, RegExp]>([
    ['without a store', () => (onBatch = end(404)), 'not-found', /a\.bin .* store of large files \(git LFS\), but the server has none/],
    ['that wants other credentials', () => (onBatch = end(401)), 'authentication', /authentication required/],
    ['that lacks the file', () => contents.clear(), 'not-found', /does not give a\.bin \(Object does not exist\); push it/],
    ['that answers nonsense', () => (onBatch = end(200, '<html>')), 'protocol', /an answer that is none/],
    ['that answers too much', () => (onBatch = end(200, 'x'.repeat(5_000_000))), 'too-large', /too large/],
    ['that answers with nothing', () => (onBatch = end(200, '{"objects":[null,7,{}]}')), 'not-found', /does not say where it is/],
    ['that sends another file', () => (onDownload = end(200, 'large:X')), 'protocol', /sent something else for a\.bin/],
    ['that sends a longer file', () => (onDownload = end(200, 'x'.repeat(1_000))), 'protocol', /sent something else for a\.bin/],
    ['that fails', () => (onDownload = end(503)), 'unreachable', /status 503/],
    ['that hangs', () => (onDownload = () => {}), 'timeout', /did not answer in time/],
  ])('of a server %s are an error', async (_what, prepare, kind, message) => {
    const from = await repository({ 'a.bin': 'large:1' })
    prepare()
    const before = await readdir(dir)
    const limits = kind === 'timeout' ? { timeMs: 3_000 } : {}
    await expect(fetch(from, { limits })).rejects.toMatchObject({ kind, message: expect.stringMatching(message) })
    expect(await readdir(dir)).toEqual(before)
  })

  test('are followed where they are sent to, but no way out of TLS, and without tokens', async () => {
    const from = await repository({ 'a.bin': 'large:1' })
    const away = urlOf(elsewhere).replace('127.0.0.1', 'localhost')
    onDownload = (response) => {
      onDownload = undefined
      response.writeHead(302, { location: `${away}/${sum('large:1')}` }).end()
    }
    expect(await read(await fetch(from), 'a.bin')).toBe('large:1')
    expect(seen.slice(1)).toEqual(['GET elsewhere undefined once', 'GET elsewhere undefined undefined'])
    onDownload = (response) => response.writeHead(302, { location: 'file:///etc/passwd' }).end()
    await expect(fetch(from)).rejects.toMatchObject({ kind: 'protocol', message: expect.stringMatching(/sends us elsewhere/) })
  })

  test('count for the limits before they are asked for', async () => {
    const from = await repository({ 'a.bin': `large:${'x'.repeat(5_000)}` })
    for (const limits of [{ fileBytes: 1_000 }, { bytes: 2_000 }])
      await expect(fetch(from, { limits })).rejects.toMatchObject({
        kind: 'too-large',
        message: expect.stringMatching(/large files \(git LFS\)/),
      })
    expect(seen).toEqual([])
  })
})
