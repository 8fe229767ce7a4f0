import { expect, test } from 'vitest'
import { type AccessFlags, credentialsOf, hostKeysOf, refOf } from './access.ts'

const HTTPS = 'https://git.example.com/x.git'
const NONE: AccessFlags = {
  username: undefined,
  password: undefined,
  sshPrivateKey: undefined,
  githubApp: { id: undefined, installationId: undefined, privateKey: undefined },
}
const credentials = (flags: Partial<AccessFlags>, repo = HTTPS) => credentialsOf(repo, { ...NONE, ...flags })

test('the revision goes before the branch, master is the default', () => {
  expect(refOf({ branch: undefined, revision: undefined })).toEqual({ branch: 'master' })
  expect(refOf({ branch: 'side', revision: undefined })).toEqual({ branch: 'side' })
  expect(refOf({ branch: 'side', revision: 'v1' })).toEqual({ revision: 'v1' })
  expect(refOf({ branch: undefined, revision: 'refs/tags/v1' })).toEqual({ tag: 'v1' })
  expect(refOf({ branch: undefined, revision: 'refs/heads/feature/x' })).toEqual({ branch: 'feature/x' })
})

test('a password comes with or without a name; the line break at its end is not part of it', () => {
  expect(credentials({ username: 'me', password: 'secret\n' })).toEqual({ kind: 'basic', username: 'me', password: 'secret' })
  expect(credentials({ password: 'token' })).toEqual({ kind: 'basic', username: 'token', password: 'token' })
  expect(credentials({ username: 'me' })).toBeUndefined()
  expect(credentials({})).toBeUndefined()
})

test.each(['ssh://git@example.com/x.git', 'git@example.com:x.git'])('%s needs a key', (repo) => {
  expect(() => credentials({}, repo)).toThrow('SSH private key file is required')
  expect(credentials({ sshPrivateKey: 'key' }, repo)).toEqual({ kind: 'ssh', privateKey: 'key' })
})

test('a key is of no use for https', () => {
  expect(() => credentials({ sshPrivateKey: 'key' })).toThrow('not an ssh address')
})

test('a GitHub App is given as a whole', () => {
  expect(() => credentials({ githubApp: { id: '1', installationId: undefined, privateKey: undefined } })).toThrow('only of use together')
  const app = { kind: 'github-app', appId: '1', installationId: '2', privateKey: 'k' }
  expect(credentials({ githubApp: { id: '1', installationId: '2', privateKey: 'k' } })).toEqual(app)
})

test('known hosts go before the shipped keys, unless nothing is checked', () => {
  const shipped = expect.objectContaining({ text: expect.stringContaining('github.com ssh-ed25519') })
  const given = { name: 'file', text: 'h ssh-ed25519 x' }
  expect(hostKeysOf(given, false)).toEqual({ known: [given, shipped] })
  expect(hostKeysOf({ name: 'file', text: undefined }, false)).toEqual({ known: [shipped] })
  expect(hostKeysOf({ name: 'file', text: ' \n' }, false)).toEqual({ known: [shipped] })
  expect(hostKeysOf(given, true)).toBe('unchecked')
})
