// The part of the backend contract about servers that misbehave, limits, credentials and certificates.
import { describe, expect, test } from 'vitest'
import { type ServedRepository, startGitServer } from '../../testing/git-server.ts'
import { type ContractFixture, USER } from './backend-fixture.contract.ts'

/** Limits on what comes. */
export function describeLimits(fx: ContractFixture): void {
  describe('keeps limits', () => {
    test.each([
      ['files', { files: 3 }, /more than 3 files/],
      ['bytes of a file', { fileBytes: 1_000 }, /file of more than/],
      ['bytes', { bytes: 50_000 }, /MiB of files/],
      ['bytes on the wire', { packBytes: 500 }, /sends more than/],
    ])('on %s', async (_what, limits, message) => {
      const noise = (seed: number): string => Array.from({ length: 2_000 }, (_, n) => ((n + seed) * 2_654_435_761).toString(36)).join('')
      const git = await fx.repository({ a: noise(1), b: noise(2), c: noise(3), d: noise(4) })
      const head = await git.head()
      await fx.leavesNothing(() => expect(fx.fetch(git, head, { limits })).rejects.toEqual(fx.failsWith('too-large', message)))
    })

    test('on what a small pack unpacks to', async () => {
      const git = await fx.repository({ bomb: Buffer.alloc(20_000_000) })
      const head = await git.head()
      await fx.leavesNothing(() =>
        expect(fx.fetch(git, head, { limits: { fileBytes: 10_000_000 } })).rejects.toEqual(
          fx.failsWith('too-large', /file of more than 10 MiB/),
        ),
      )
    })
  })
}

/** Limits on time, and errors. */
export function describeFaults(fx: ContractFixture): void {
  describe('keeps limits', () => {
    test('on the time a server may take to name refs', async () => {
      const git = await fx.repository()
      git.fault({ hang: true })
      await expect(fx.resolve({ url: git.url, timeoutMs: 300 }, { branch: 'master' })).rejects.toEqual(
        fx.failsWith('timeout', /did not answer in time/),
      )
    })

    test('on the time of a fetch, even when some bytes come', async () => {
      const git = await fx.repository({ a: 'x'.repeat(10_000) })
      const head = await git.head()
      git.fault({ stallAfterBytes: 20, only: /git-upload-pack$/ })
      await fx.leavesNothing(() =>
        expect(fx.fetch(git, head, { limits: { timeMs: 500 } })).rejects.toEqual(fx.failsWith('timeout', /did not answer in time/)),
      )
    })

    test('and stops at once when told to', async () => {
      const git = await fx.repository()
      git.fault({ hang: true })
      const stop = new AbortController()
      const resolved = fx.resolve(git, { branch: 'master' }, stop.signal)
      const fetched = fx.fetch(git, await git.head(), { signal: stop.signal })
      setTimeout(() => stop.abort(new Error('told to')), 200)
      await Promise.all([resolved, fetched].map((work) => expect(work).rejects.toThrow('told to')))
      await expect(fx.resolve(git, { branch: 'master' }, stop.signal)).rejects.toThrow('told to')
    })
  })

  describe('tells what went wrong', () => {
    const cases: [string, (git: ServedRepository) => Promise<unknown>, string, RegExp][] = [
      ['status 503', async (git) => git.fault({ status: 503 }), 'unreachable', /answered with an error \(status 503\)/],
      ['status 403', async (git) => git.fault({ status: 403 }), 'authentication', /may not read/],
      ['status 404', async (git) => git.fault({ status: 404 }), 'not-found', /repository not found/],
      ['status 418', async (git) => git.fault({ status: 418 }), 'protocol', /refuses to answer \(status 418\)/],
      [
        'a web page',
        async (git) => git.fault({ body: '<html>hello</html>', headers: { 'content-type': 'text/html' } }),
        'protocol',
        /not a git repository/,
      ],
      [
        'nothing',
        async (git) => git.fault({ body: '', headers: { 'content-type': 'application/x-git-upload-pack-advertisement' } }),
        'protocol',
        /not a git repository/,
      ],
      ['half an answer', async (git) => git.fault({ cutAfterBytes: 30 }), 'unreachable', /cannot be reached/],
    ]
    test.each(cases)('%s', async (_what, prepare, kind, message) => {
      const git = await fx.repository({ a: '' })
      const head = await git.head()
      await prepare(git)
      const error = fx.failsWith(kind, message)
      await expect(fx.resolve(git, { branch: 'master' })).rejects.toEqual(error)
      await expect(fx.fetch(git, head)).rejects.toEqual(error)
      git.fault(undefined)
      expect(await fx.resolve(git, { branch: 'master' })).toBe(head)
    })

    test('garbage where a pack should be', async () => {
      const git = await fx.repository({ a: '' })
      const head = await git.head()
      for (const body of [
        '',
        'garbage',
        '0008NAK\n',
        '0008NAK\n0009\u0001PACK',
        '0008NAK\n0024\u0001PACK\0\0\0\u0002\0\0\0\u0001abcdefghijklmnop0000',
        '0008NAK\n0011\u0003disk is full0000',
      ]) {
        git.fault({ body, headers: { 'content-type': 'application/x-git-upload-pack-result' }, only: /git-upload-pack$/ })
        await fx.leavesNothing(() => expect(fx.fetch(git, head, { limits: { timeMs: 3_000 } })).rejects.toMatchObject({ name: 'GitError' }))
      }
      git.fault(undefined)
      expect(await fx.list(await fx.fetch(git, head))).toEqual(['a'])
    })

    test('a server that is gone', async () => {
      const gone = await startGitServer()
      const git = await gone.repository('gone')
      await gone.stop()
      await expect(fx.resolve(git, { branch: 'master' })).rejects.toEqual(fx.failsWith('unreachable', /cannot be reached \(ECONNREFUSED\)/))
    })

    test.each([
      ['ssh://git@127.0.0.1/x', 'authentication', /SSH private key file is required/],
      ['git@127.0.0.1:x', 'authentication', /SSH private key file is required/],
      ['ssh://git@127.0.0.1/', 'invalid-url', /path that is empty/],
      ['file:///etc', 'invalid-url', /use https or http/],
    ])('an address such as %s', async (url, kind, message) => {
      await expect(fx.resolve({ url }, { branch: 'master' })).rejects.toEqual(fx.failsWith(kind, message))
      await expect(fx.fetch({ url }, 'a'.repeat(40))).rejects.toEqual(fx.failsWith(kind, message))
    })

    test('an SSH key for an http server', async () => {
      const { url } = await fx.repository()
      await expect(fx.resolve({ url, credentials: { kind: 'ssh', privateKey: 'CANARY' } }, { branch: 'master' })).rejects.toEqual(
        fx.failsWith('authentication', /^(?!.*CANARY).*use its ssh address/),
      )
    })
  })
}

/** Credentials and certificates. */
export function describeAccess(fx: ContractFixture): void {
  describe('shows credentials', () => {
    const basic = { kind: 'basic', ...USER } as const

    test('to the server that asks, for refs and files', async () => {
      const git = await fx.servers().guarded.repository(fx.unique('repo'), { a: '1' })
      const remote = { url: git.url, credentials: basic }
      const head = await fx.resolve(remote, { branch: 'master' })
      expect(await fx.read(await fx.fetch(remote, head), 'a')).toBe('1')
    })

    test('from inside the URL', async () => {
      const git = await fx.servers().guarded.repository(fx.unique('repo'))
      const url = git.url.replace('//', `//${USER.username}:${encodeURIComponent(USER.password)}@`)
      expect(await fx.resolve({ url }, { branch: 'master' })).toBe(await git.head())
    })

    test('of which wrong ones are an error that does not name them', async () => {
      const git = await fx.servers().guarded.repository(fx.unique('repo'))
      const remote = { url: git.url, credentials: { ...basic, password: 'CANARY' } }
      await expect(fx.resolve(remote, { branch: 'master' })).rejects.toEqual(
        fx.failsWith('authentication', /^(?!.*CANARY).*authentication required/),
      )
      await expect(fx.resolve({ url: git.url }, { branch: 'master' })).rejects.toEqual(
        fx.failsWith('authentication', /authentication required/),
      )
    })

    test('to no other origin than that of the repository', async () => {
      const git = await fx.repository()
      const other = await fx.servers().open.repository(fx.unique('repo'))
      const elsewhere = other.url.replace('127.0.0.1', 'localhost')
      git.fault({ status: 302, headers: { location: `${elsewhere}/info/refs?service=git-upload-pack` }, only: /info\/refs/ })
      expect(await fx.resolve({ url: git.url, credentials: basic }, { branch: 'master' })).toBe(await other.head())
      expect(git.requests().every((request) => request.authorization !== undefined)).toBe(true)
      expect(other.requests().map((request) => request.authorization)).toEqual([undefined, undefined])
    })

    test('after a redirect within the origin, and goes on where it led', async () => {
      const git = await fx.servers().guarded.repository(fx.unique('repo'), { a: '1' })
      const moved = await fx.servers().guarded.repository(fx.unique('repo'), { a: '2' })
      git.fault({ status: 301, headers: { location: `${moved.url}/info/refs?service=git-upload-pack` } })
      const remote = { url: git.url, credentials: basic }
      expect(await fx.read(await fx.fetch(remote, await fx.resolve(remote, { branch: 'master' })), 'a')).toBe('2')
    })

    test('but follows no endless or unsafe redirect', async () => {
      const git = await fx.repository()
      for (const location of [`${git.url}/info/refs?service=git-upload-pack`, 'file:///etc/passwd', 'nonsense://x', '']) {
        git.fault({ status: 302, headers: { location } })
        await expect(fx.resolve(git, { branch: 'master' })).rejects.toEqual(fx.failsWith('protocol', /sends us/))
      }
    })
  })

  describe('checks certificates', () => {
    test('against the usual authorities and caBundle', async () => {
      const git = await fx.servers().encrypted.repository(fx.unique('repo'), { a: '1' })
      await expect(fx.resolve(git, { branch: 'master' })).rejects.toEqual(fx.failsWith('certificate', /certificate .* unknown authority/))
      const remote = { url: git.url, caBundle: fx.servers().encrypted.ca }
      expect(await fx.read(await fx.fetch(remote, await fx.resolve(remote, { branch: 'master' })), 'a')).toBe('1')
    })

    test('unless told not to', async () => {
      const git = await fx.servers().encrypted.repository(fx.unique('repo'))
      expect(await fx.resolve({ url: git.url, insecureSkipTLSVerify: true }, { branch: 'master' })).toBe(await git.head())
      await expect(fx.resolve(git, { branch: 'master' })).rejects.toMatchObject({ kind: 'certificate' })
    })

    test('and says so when caBundle is no certificate', async () => {
      const git = await fx.servers().encrypted.repository(fx.unique('repo'))
      for (const caBundle of ['nonsense', '-----BEGIN CERTIFICATE-----\nnonsense\n-----END CERTIFICATE-----\n'])
        await expect(fx.resolve({ url: git.url, caBundle }, { branch: 'master' })).rejects.toEqual(
          fx.failsWith('certificate', /certificate/),
        )
    })

    test('and says so when the server speaks no TLS', async () => {
      const git = await fx.repository()
      await expect(fx.resolve({ url: git.url.replace('http:', 'https:') }, { branch: 'master' })).rejects.toEqual(
        fx.failsWith('protocol', /does not speak TLS/),
      )
    })
  })
}
