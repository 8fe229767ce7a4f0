import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createTestRepository } from '../../../testing/git-repository.ts'
import { SSH_SERVER_PROBLEM, startSshServer } from '../../../testing/ssh-server.ts'
import { createDispatchers } from '../dispatchers.ts'
import { createIsomorphicBackend } from '../isomorphic.ts'
import { judgeHostKey, parseKnownHosts } from '../known-hosts.ts'
import { checkHostCertificate, isCertificate } from './certificate.ts'

const run = promisify(execFile)
const HAS_KEYGEN = ['/usr/bin/ssh-keygen', '/usr/local/bin/ssh-keygen', '/bin/ssh-keygen'].some((path) => existsSync(path))
const DAY_MS = 86_400_000
const now = Date.now()

describe.skipIf(!HAS_KEYGEN)('host certificates', () => {
  let dir: string
  const keys = new Map<string, Buffer>()
  const key = (name: string): Buffer => keys.get(name) ?? Buffer.alloc(0)
  const read = async (name: string): Promise<Buffer> => Buffer.from((await readFile(join(dir, name), 'utf8')).split(' ')[1] ?? '', 'base64')

  async function make(name: string, type: string, ...more: string[]): Promise<void> {
    await run('ssh-keygen', ['-q', '-t', type, ...more, '-N', '', '-C', name, '-f', join(dir, name)])
    keys.set(name, await read(`${name}.pub`))
  }

  async function certify(authority: string, ...options: string[]): Promise<Buffer> {
    await run('ssh-keygen', ['-q', '-s', join(dir, authority), '-I', 'x', ...options, join(dir, 'host.pub')])
    return read('host-cert.pub')
  }

  const check = (certificate: Buffer, rules: Partial<Parameters<typeof checkHostCertificate>[1]> = {}) =>
    checkHostCertificate(certificate, { host: 'git.example', authorities: [key('ca')], revoked: [], now, ...rules })

  beforeAll(async () => {
    dir = await mkdtemp(join(tmpdir(), 'certificates-'))
    await Promise.all([
      make('host', 'ed25519'),
      make('ca', 'ed25519'),
      make('ca-rsa', 'rsa', '-b', '2048'),
      make('ca-ecdsa', 'ecdsa', '-b', '384'),
      make('ca-521', 'ecdsa', '-b', '521'),
    ])
  })
  afterAll(() => rm(dir, { recursive: true, force: true }))

  test.each(['ca', 'ca-rsa', 'ca-ecdsa', 'ca-521'])('signed by %s are good', async (authority) => {
    const certificate = await certify(authority, '-h', '-n', 'web.example,git.example')
    expect(isCertificate(certificate)).toBe(true)
    expect(isCertificate(key('host'))).toBe(false)
    expect(check(certificate, { authorities: [key('host'), key(authority)] })).toEqual({ key: key('host') })
  })

  test('without names are good for all hosts', async () => {
    expect(check(await certify('ca', '-h'))).toEqual({ key: key('host') })
  })

  test.each<[string, string[], Parameters<typeof check>[1], RegExp]>([
    ['for other hosts', ['-h', '-n', 'web.example'], {}, /for other hosts \(web\.example\)/],
    ['for users', ['-n', 'git.example'], {}, /not for hosts/],
    ['that have expired', ['-h', '-V', '-2d:-1d'], {}, /has expired/],
    ['that are not valid yet', ['-h', '-V', '+1d:+2d'], {}, /not valid yet/],
    ['of an unknown authority', ['-h'], { authorities: [] }, /authority has signed it that is not known/],
    ['with a critical option', ['-h', '-O', 'critical:nobody@knows=1'], {}, /critical options/],
  ])('%s are refused', async (_what, options, rules, message) => {
    const certificate = await certify('ca', ...options)
    expect(check(certificate, rules)).toEqual({ problem: expect.stringMatching(message) })
  })

  test('that are revoked, or whose key or authority is, are refused', async () => {
    const certificate = await certify('ca', '-h')
    for (const revoked of [certificate, key('host'), key('ca')])
      expect(check(certificate, { revoked: [revoked] })).toEqual({ problem: 'it is revoked', isRevoked: true })
    expect(check(certificate, { revoked: [key('ca-rsa')], now: now + DAY_MS })).toEqual({ key: key('host') })
  })

  test('with any other byte are refused', async () => {
    const certificate = await certify('ca', '-h', '-n', 'git.example')
    for (let at = 0; at < certificate.length; at++) {
      const changed = Buffer.from(certificate)
      changed[at] = (changed[at] ?? 0) ^ 1
      expect(check(changed), `byte ${at}`).toHaveProperty('problem')
      expect(check(certificate.subarray(0, at))).toHaveProperty('problem')
    }
  })

  test('count in known_hosts where an authority is named, and nowhere else', async () => {
    const certificate = await certify('ca', '-h', '-n', 'git.example')
    const judge = (text: string) => judgeHostKey(parseKnownHosts(text), { host: 'git.example', port: 22, key: certificate, now })
    const line = (name: string) => `ssh-ed25519 ${key(name).toString('base64')}`
    expect(judge(`@cert-authority *.example ${line('ca')}`)).toEqual({ kind: 'certified', key: key('host') })
    expect(judge(`@cert-authority *.example ${line('ca')}\n@revoked * ${line('ca')}`)).toEqual({ kind: 'revoked' })
    expect(judge(`git.example ${line('ca')}`)).toMatchObject({ kind: 'mismatch' })
    expect(judge(`@cert-authority other ${line('ca')}`)).toEqual({ kind: 'unknown' })
  })
})

describe.skipIf(SSH_SERVER_PROBLEM !== undefined)('an sshd with a certificate', () => {
  test.each<[string, string[], boolean]>([
    ['is trusted by its authority', ['127.0.0.1'], true],
    ['for another host is not', ['elsewhere'], false],
  ])('%s', async (_what, certifiedFor, isTrusted) => {
    const dir = await mkdtemp(join(tmpdir(), 'certified-'))
    const dispatchers = createDispatchers()
    const server = await startSshServer({ certifiedFor })
    try {
      const repository = await createTestRepository(join(dir, 'r.git'), { branch: 'master', anyCommit: true })
      const head = await repository.commit({ a: '1' })
      const known = [{ name: 'secret "x"', text: `@cert-authority [127.0.0.1]:${server.port} ${server.authority}` }]
      const remote = {
        url: server.url(repository.dir),
        credentials: { kind: 'ssh', privateKey: server.keys.rsa } as const,
        hostKeys: { known },
      }
      const resolved = createIsomorphicBackend(dispatchers).resolve(remote, { branch: 'master' }, new AbortController().signal)
      if (isTrusted) expect(await resolved).toBe(head)
      else
        await expect(resolved).rejects.toMatchObject({
          kind: 'host-key',
          message: expect.stringContaining('it is for other hosts (elsewhere)'),
        })
    } finally {
      await server.stop()
      await dispatchers.close()
      await rm(dir, { recursive: true, force: true })
    }
  })
})
