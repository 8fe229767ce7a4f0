import { expect, test } from 'vitest'
import type { ImageScan } from '../api/image-scan.ts'
import { IMAGE_SCAN } from '../api/kinds.ts'
import { questionOf, type Secret } from './question.ts'

const scan = (image: string, secret?: string): ImageScan => ({
  ...IMAGE_SCAN,
  metadata: { name: 'scan', namespace: 'ws' },
  spec: { image, interval: '1m', ...(secret ? { secretRef: { name: secret } } : {}) },
})

function secret(auths: unknown, more: Partial<Secret> & { cacerts?: string } = {}): Secret {
  const { cacerts, ...rest } = more
  const encode = (text: string): string => Buffer.from(text).toString('base64')
  const data = {
    '.dockerconfigjson': encode(typeof auths === 'string' ? auths : JSON.stringify({ auths })),
    ...(cacerts ? { cacerts: encode(cacerts) } : {}),
  }
  return {
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { name: 'pull', namespace: 'ws' },
    type: 'kubernetes.io/dockerconfigjson',
    data,
    ...rest,
  }
}

const login = (username: string, password = 'p') => ({ auth: Buffer.from(`${username}:${password}`).toString('base64') })
const userOf = (image: string, auths: unknown): unknown => questionOf(scan(image, 'pull'), secret(auths)).access.credentials?.username

test.each([
  ['nginx', 'index.docker.io/library/nginx'],
  ['rancher/fleet:v1', 'index.docker.io/rancher/fleet'],
  ['docker.io/rancher/fleet', 'index.docker.io/rancher/fleet'],
  ['index.docker.io/rancher/fleet', 'index.docker.io/rancher/fleet'],
  ['docker.io/nginx:1.27', 'index.docker.io/library/nginx'],
  ['index.docker.io/nginx', 'index.docker.io/library/nginx'],
  ['registry-1.docker.io/nginx', 'index.docker.io/library/nginx'],
  ['ghcr.io/nginx', 'ghcr.io/nginx'],
  ['ghcr.io/a/b/c:1.0', 'ghcr.io/a/b/c'],
  ['127.0.0.1:5000/app', '127.0.0.1:5000/app'],
])('%s is %s', (image, canonical) => {
  expect(questionOf(scan(image), undefined)).toMatchObject({ canonical, access: {} })
})

test('credentials are those of the registry, and of the closest path', () => {
  const auths = {
    'ghcr.io': login('host'),
    'ghcr.io/team': login('team'),
    'https://index.docker.io/v1/': login('hub'),
    'quay.io': { username: 'q', password: 'x' },
  }
  expect(userOf('ghcr.io/other/x', auths)).toBe('host')
  expect(userOf('ghcr.io/team/x', auths)).toBe('team')
  expect(userOf('ghcr.io/teammate/x', auths)).toBe('host')
  expect(userOf('nginx', auths)).toBe('hub')
  expect(userOf('quay.io/a', auths)).toBe('q')
  expect(questionOf(scan('ghcr.io/x', 'pull'), secret({ 'ghcr.io': login('u', 'a:b') })).access.credentials).toEqual({
    username: 'u',
    password: 'a:b',
  })
  expect(questionOf(scan('ghcr.io/x', 'pull'), secret({ 'ghcr.io': login('u') }, { cacerts: 'PEM' })).access.caBundle).toBe('PEM')
})

test('auth counts before user name and password; identity tokens count before both where they can be used', () => {
  const access = (entry: object): unknown => questionOf(scan('ghcr.io/a', 'pull'), secret({ 'ghcr.io': entry })).access
  expect(access({ ...login('auth', 'one'), username: 'plain', password: 'two' })).toEqual({
    credentials: { username: 'auth', password: 'one' },
  })
  expect(access({ auth: 'nonsense', username: 'plain', password: 'two' })).toEqual({ credentials: { username: 'plain', password: 'two' } })
  expect(access({ ...login('00000000-0000', ''), identitytoken: 'long' })).toEqual({ identityToken: 'long' })
  expect(access({ ...login('u', 'p'), identitytoken: 'long' })).toEqual({
    identityToken: 'long',
    credentials: { username: 'u', password: 'p' },
  })
  expect(access(login('<token>', 'long'))).toEqual({ identityToken: 'long' })
  expect(access({ username: '<token>', password: 'long' })).toEqual({ identityToken: 'long' })
})

test.each(['docker.io', 'https://index.docker.io/v1/', 'index.docker.io', 'registry-1.docker.io', 'https://index.docker.io/v2/'])(
  'Docker Hub may be called %s',
  (key) => {
    for (const image of ['nginx', 'docker.io/nginx', 'index.docker.io/library/nginx', 'docker.io/library/nginx:1'])
      expect(userOf(image, { [key]: login('hub') })).toBe('hub')
    expect(() => userOf('ghcr.io/nginx', { [key]: login('hub') })).toThrow(/has no credentials for the registry ghcr.io/)
  },
)

test('programs that keep credentials are not here', () => {
  const config = (content: object): unknown => questionOf(scan('ghcr.io/a', 'pull'), secret(JSON.stringify(content))).access
  const refused =
    /^secret "pull" leaves the login for the registry ghcr.io to the program docker-credential-\w+, which is not here: make a secret/
  expect(() => config({ credHelpers: { 'ghcr.io': 'gh' } })).toThrow(refused)
  expect(() => config({ auths: {}, credHelpers: { 'https://ghcr.io': 'gh' } })).toThrow(refused)
  expect(() => config({ auths: { 'ghcr.io': {} }, credsStore: 'desktop' })).toThrow(refused)
  expect(() => config({ auths: {}, credHelpers: { 'quay.io': 'q' } })).toThrow(/has no credentials for the registry ghcr.io/)
  expect(config({ auths: { 'ghcr.io': login('u') }, credsStore: 'desktop' })).toEqual({ credentials: { username: 'u', password: 'p' } })
})

test('the same question has the same id, with other credentials another', () => {
  const id = (image: string, auths?: unknown): string =>
    questionOf(scan(image, auths ? 'pull' : undefined), auths ? secret(auths) : undefined).id
  expect(id('ghcr.io/a:1')).toBe(id('ghcr.io/a:2'))
  expect(id('ghcr.io/a')).not.toBe(id('ghcr.io/b'))
  expect(id('ghcr.io/a')).not.toBe(id('ghcr.io/a', { 'ghcr.io': login('u') }))
  expect(id('ghcr.io/a', { 'ghcr.io': login('u') })).not.toBe(id('ghcr.io/a', { 'ghcr.io': login('v') }))
  expect(id('ghcr.io/a', { 'ghcr.io': login('<token>', 'a') })).not.toBe(id('ghcr.io/a', { 'ghcr.io': login('<token>', 'b') }))
})

test.each([
  ['no such secret', undefined, /^Secret "pull" not found: create it in namespace ws/],
  ['another type', secret({}, { type: 'Opaque' }), /^secret "pull" is of type "Opaque": it has to be kubernetes.io\/dockerconfigjson/],
  ['no JSON', secret('canary{'), /^secret "pull" holds no registries under .dockerconfigjson/],
  ['another registry', secret({ 'quay.io': login('u') }), /^secret "pull" has no credentials for the registry ghcr.io/],
  [
    'an empty entry',
    secret({ 'ghcr.io': {} }),
    /^secret "pull" has neither auth nor username and password nor identitytoken for the registry ghcr.io/,
  ],
  ['a broken entry', secret({ 'ghcr.io': { auth: 'canary' } }), /^secret "pull" has neither/],
])('%s is told, without what is in it', (_name, given, message) => {
  const act = (): unknown => questionOf(scan('ghcr.io/a', 'pull'), given)
  expect(act).toThrow(message)
  expect(act).not.toThrow(/canary/)
})

test('what is no image is told', () => {
  expect(() => questionOf(scan('UPPER/case image'), undefined)).toThrow(/^image: .*is no reference/)
})
