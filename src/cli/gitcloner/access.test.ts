import { expect, test } from 'vitest'
import { type AccessFlags, credentialsOf, refOf } from './access.ts'

const HTTPS = 'https://git.example.com/x.git'
const NONE: AccessFlags = {
  username: undefined,
  password: undefined,
  sshPrivateKeyFile: undefined,
  githubApp: { id: undefined, installationId: undefined, keyFile: undefined },
}
const credentials = (flags: Partial<AccessFlags>, repo = HTTPS) => credentialsOf(repo, { ...NONE, ...flags })

test('the revision goes before the branch, master is the default', () => {
  expect(refOf({ branch: undefined, revision: undefined })).toEqual({ branch: 'master' })
  expect(refOf({ branch: 'side', revision: undefined })).toEqual({ branch: 'side' })
  expect(refOf({ branch: 'side', revision: 'v1' })).toEqual({ revision: 'v1' })
})

test('a password comes with or without a name; the line break at its end is not part of it', () => {
  expect(credentials({ username: 'me', password: 'secret\n' })).toEqual({ kind: 'basic', username: 'me', password: 'secret' })
  expect(credentials({ password: 'token' })).toEqual({ kind: 'basic', username: 'token', password: 'token' })
  expect(credentials({ username: 'me' })).toBeUndefined()
  expect(credentials({})).toBeUndefined()
})

test.each(['ssh://git@example.com/x.git', 'git@example.com:x.git'])('%s needs a key, and is not supported even so', (repo) => {
  expect(() => credentials({}, repo)).toThrow('SSH private key file is required')
  expect(() => credentials({ sshPrivateKeyFile: 'key' }, repo)).toThrow('ssh is not supported yet')
})

test('a key is of no use for https', () => {
  expect(() => credentials({ sshPrivateKeyFile: 'key' })).toThrow('not an ssh address')
})

test('a GitHub App is given as a whole', () => {
  expect(() => credentials({ githubApp: { id: '1', installationId: undefined, keyFile: undefined } })).toThrow('only of use together')
  expect(() => credentials({ githubApp: { id: '1', installationId: '2', keyFile: 'k' } })).toThrow('not supported yet')
})
