import { expect, test } from 'vitest'
import { credentialsOfSecret } from '../../api/chart-secret.ts'
import { TerminalError } from '../../lib/controller/errors.ts'
import { credentialsByPath, credentialsByPathOfSecret } from './credentials.ts'

const base64 = (text: string): string => Buffer.from(text).toString('base64')
const encoded = (data: Record<string, string>) => Object.fromEntries(Object.entries(data).map(([key, value]) => [key, base64(value)]))

test('a secret has a login, certificates and switches', () => {
  const secret = { username: 'me', password: 'p', 'ssh-privatekey': 'KEY', cacerts: 'PEM', insecureSkipVerify: 'true', basicHTTP: 'maybe' }
  expect(credentialsOfSecret(encoded(secret), 'helm')).toEqual({
    username: 'me',
    password: 'p',
    sshPrivateKey: 'KEY',
    sshKnownHosts: '',
    caBundle: 'PEM',
    insecureSkipTLSVerify: true,
    basicHTTP: false,
  })
})

test('half a login is an error that does not show it', () => {
  const read = () => credentialsOfSecret(encoded({ password: 'hidden' }), 'helm')
  expect(read).toThrow('the secret helm has a password and no username: add it')
  expect(read).toThrow(TerminalError)
})

const byPath = credentialsByPath(
  [
    'apps/one: {username: exact, password: p}',
    'apps/*: {Username: pattern, password: 12}',
    'apps/o*: {username: later, password: p}',
    `tls: {caBundle: ${base64('PEM')}, insecureSkipVerify: true, basicHTTP: true}`,
  ].join('\n'),
  'file',
)

test.each([
  ['apps/one', 'exact'],
  ['apps/other', 'pattern'],
  ['apps/a/b', undefined],
  ['elsewhere', undefined],
  ['.', undefined],
])('the folder %s gets %s', (folder, username) => {
  expect(byPath(folder).username).toBe(username)
})

test('certificates by path are base64', () => {
  expect(byPath('tls')).toMatchObject({ caBundle: 'PEM', insecureSkipTLSVerify: true, basicHTTP: true })
  expect(byPath('apps/x').password).toBe('12')
})

test.each([
  ['a: [', /is no valid YAML \(line/],
  ['- a', /is no map of folders/],
  ['a: secret', /a in file is no map/],
  ['a: {username: x}', /a in file has a username and no password/],
])('%s is refused and not repeated', (text, message) => {
  expect(() => credentialsByPath(text, 'file')).toThrow(message)
})

test('a pattern that cannot be read is an error for those who need it', () => {
  const sets = credentialsByPath('"[a": {username: u, password: p}\nexact: {}', 'file')
  expect(sets('exact')).toMatchObject({ username: '' })
  expect(() => sets('other')).toThrow(TerminalError)
})

test('the secret has to have its key', () => {
  expect(() => credentialsByPathOfSecret({}, 'by-path')).toThrow('the secret by-path has no key secrets-path.yaml: add it')
  expect(credentialsByPathOfSecret(encoded({ 'secrets-path.yaml': 'a: {username: u, password: p}' }), 's')('a').username).toBe('u')
})
