import { describe, expect, test } from 'vitest'
import type { GitRepo, GitRepoSpec } from '../api/git-repo.ts'
import { FLEET_API_VERSION } from '../api/kinds.ts'
import { type GitDefaults, gitAccess } from './git-access.ts'
import {
  annotationChanges,
  chartSecretProblem,
  chartSecretsId,
  hasChartSecretChanged,
  hashAnnotations,
  type Secret,
  secretKeysOf,
} from './secrets.ts'

const repo = (spec: Partial<GitRepoSpec> = {}): GitRepo => ({
  apiVersion: FLEET_API_VERSION,
  kind: 'GitRepo',
  metadata: { name: 'repo', namespace: 'ws' },
  spec: { repo: 'https://git.example/a', ...spec },
})
function secret(type: string, data: Record<string, string>, name = 'creds'): Secret {
  const encoded = Object.fromEntries(Object.entries(data).map(([key, value]) => [key, Buffer.from(value).toString('base64')]))
  return { apiVersion: 'v1', kind: 'Secret', type, metadata: { name, namespace: 'ws' }, data: encoded }
}
const access = (spec: Partial<GitRepoSpec> = {}, client?: Secret, defaults?: GitDefaults) => gitAccess(repo(spec), { client }, defaults)
const [BASIC, SSH] = ['kubernetes.io/basic-auth', 'kubernetes.io/ssh-auth']
const [HTTPS, SCP] = ['https://git.example/a', 'git@git.example:a']

describe('what is followed', () => {
  test.each<[Partial<GitRepoSpec>, object]>([
    [{}, { branch: 'master' }],
    [{ branch: 'main' }, { branch: 'main' }],
    [{ revision: 'v1' }, { tag: 'v1' }],
    [{ revision: 'v1', branch: 'main' }, { tag: 'v1' }],
    [{ revision: 'A'.repeat(40) }, { commit: 'A'.repeat(40) }],
    [{ revision: 'a'.repeat(64) }, { commit: 'a'.repeat(64) }],
    [{ revision: 'a'.repeat(39) }, { tag: 'a'.repeat(39) }],
  ])('%j is %j', (spec, ref) => {
    expect(access(spec).ref).toEqual(ref)
  })
})

describe('credentials', () => {
  test.each([
    [
      { username: 'u', password: 'p' },
      { kind: 'basic', username: 'u', password: 'p' },
    ],
    [{ password: 'token' }, { kind: 'basic', username: 'token', password: 'token' }],
    [{ username: 'u' }, { kind: 'basic', username: 'u', password: '' }],
    [{}, undefined],
  ])('%j', (data, credentials) => {
    const { remote, problem } = access({ clientSecretName: 'creds' }, secret(BASIC, data as Record<string, string>))
    expect(remote.credentials).toEqual(credentials)
    expect(problem).toBeUndefined()
  })

  test('that are missing are a problem only if they were named', () => {
    expect(access().problem).toBeUndefined()
    expect(access({ clientSecretName: 'x' }).problem?.message).toMatch(/^Secret "x" not found: create it in namespace ws/)
    expect(access({ clientSecretName: 'x' }).remote.credentials).toBeUndefined()
  })

  test('of other kinds are a problem that says what to do', () => {
    const messageOf = (client: Secret, url = 'https://git.example/a'): string | undefined => access({ repo: url }, client).problem?.message
    expect(messageOf(secret('Opaque', { token: 'x' }))).toMatch(/^missing Github App keys in secret "creds" \(github_app_id, .*basic-auth/)
    const app = { github_app_id: '1', github_app_installation_id: '2', github_app_private_key: 'key' }
    expect(messageOf(secret('Opaque', app))).toBeUndefined()
  })

  test('must fit the address, unless they are the default ones', () => {
    const [ssh, basic] = [secret(SSH, { 'ssh-privatekey': 'x' }), secret(BASIC, { username: 'u', password: 'p' })]
    const named = (client: Secret, url: string) => access({ repo: url, clientSecretName: 'creds' }, client)
    expect(named(ssh, HTTPS).problem?.message).toMatch(/holds an SSH key, but the repository is reached by http/)
    expect(named(basic, SCP).problem?.message).toMatch(/holds no SSH key, but the repository is reached by ssh/)
    expect(named(secret(SSH, { known_hosts: 'x' }), SCP).problem?.message).toMatch(/has no ssh-privatekey/)
    expect(named(ssh, SCP)).toMatchObject({ remote: { credentials: { kind: 'ssh', privateKey: 'x' } } })
    for (const [client, url] of [
      [ssh, HTTPS],
      [basic, SCP],
    ] as const) {
      const { problem, remote } = access({ repo: url }, client)
      expect({ problem, credentials: remote.credentials }).toEqual({ problem: undefined, credentials: undefined })
    }
  })

  test('of a GitHub App', () => {
    const app = secret('Opaque', { github_app_id: ' 1\n', github_app_installation_id: '2', github_app_private_key: 'key' })
    const { remote, problem } = access({ clientSecretName: 'creds' }, app)
    expect(remote.credentials).toEqual({ kind: 'github-app', appId: '1', installationId: '2', privateKey: 'key' })
    expect(problem).toBeUndefined()
  })

  test('make polls their own, and are not told by the id', () => {
    const one = secret(BASIC, { username: 'u', password: 'CANARY' })
    const ids = [
      access(),
      access({}, one),
      access({}, secret(BASIC, { username: 'u', password: 'q' })),
      access({ branch: 'x' }, one),
      access({ caBundle: 'YQ==' }),
    ]
    expect(new Set(ids.map(({ pollId }) => pollId)).size).toBe(5)
    expect(access({}, one).pollId).toBe(access({ branch: 'master', paths: ['x'] }, one).pollId)
    expect(access({}, one).remoteId).toBe(access({ branch: 'x' }, one).remoteId)
    expect(JSON.stringify(ids.map(({ pollId, remoteId }) => [pollId, remoteId]))).not.toContain('CANARY')
  })
})

describe('host keys', () => {
  const shipped = expect.objectContaining({ text: expect.stringContaining('github.com ssh-ed25519') })
  const knownHosts = { name: 'ConfigMap s/known-hosts', text: 'other ssh-ed25519 x' }
  const keysFor = (data: Record<string, string>, defaults?: GitDefaults, repoUrl = SCP) =>
    access({ repo: repoUrl }, secret(SSH, { 'ssh-privatekey': 'k', ...data }), defaults).remote.hostKeys

  test('are those of the secret alone, else those of the hub and the shipped ones', () => {
    expect(keysFor({ known_hosts: 'h ssh-ed25519 x' }, { knownHosts })).toEqual({
      known: [{ name: 'secret "creds"', text: 'h ssh-ed25519 x' }],
    })
    expect(keysFor({ known_hosts: ' \n' }, { knownHosts })).toEqual({ known: [knownHosts, shipped] })
    expect(keysFor({}, { knownHosts: { ...knownHosts, text: '' } })).toEqual({ known: [shipped] })
    expect(keysFor({})).toEqual({ known: [shipped] })
    expect(access({ repo: SCP }, undefined, { knownHosts }).remote.hostKeys).toEqual({ known: [knownHosts, shipped] })
  })

  test('are not checked when the administrator says so', () => {
    expect(keysFor({ known_hosts: 'h ssh-ed25519 x' }, { insecureSkipHostKeyChecks: true })).toBe('unchecked')
  })

  test("are nobody's concern over http, and make polls over ssh their own", () => {
    expect(keysFor({}, { knownHosts, insecureSkipHostKeyChecks: true }, HTTPS)).toBeUndefined()
    expect(access({}, undefined, { knownHosts }).pollId).toBe(access().pollId)
    expect(access({ repo: SCP }, undefined, { knownHosts }).pollId).not.toBe(access({ repo: SCP }).pollId)
  })
})

test('certificates may come with the secret', () => {
  const client = secret(BASIC, { username: 'u', password: 'p', cacerts: 'SECRET' })
  expect(access({}, client, { caBundle: 'HUB' }).remote.caBundle).toBe('SECRET')
  expect(access({ caBundle: Buffer.from('OWN').toString('base64') }, client).remote.caBundle).toBe('OWN')
})

test('certificates of the GitRepo go before those of the hub, and that of the proxy is always there', () => {
  const pem = (text: string): string => Buffer.from(text).toString('base64')
  const hub = { caBundle: 'HUB', proxyCaBundle: 'PROXY' }
  expect(access().remote.caBundle).toBeUndefined()
  expect(access({ caBundle: pem('OWN') }).remote.caBundle).toBe('OWN')
  expect(access({}, undefined, hub).remote.caBundle).toBe('HUB\nPROXY')
  expect(access({ caBundle: pem('OWN') }, undefined, hub).remote.caBundle).toBe('OWN\nPROXY')
})

describe('hashes of secrets', () => {
  const one = secret(BASIC, { username: 'u', password: 'p' })
  const helm = secret('Opaque', { username: 'h' }, 'helm')
  const named = repo({ clientSecretName: 'creds', helmSecretName: 'helm' })
  const hashes = hashAnnotations(named, { client: one, helm, helmForPaths: undefined })

  test('are those of the named secrets', () => {
    expect(hashes).toEqual({
      'fleet.cattle.io/client-secret-hash': expect.stringMatching(/^[0-9a-f]{64}$/),
      'fleet.cattle.io/helm-secret-hash': expect.stringMatching(/^[0-9a-f]{64}$/),
      'fleet.cattle.io/helm-secret-for-paths-hash': null,
      'fleet.cattle.io/oci-registry-secret-hash': null,
    })
    expect(
      hashAnnotations(repo(), { client: one, helm: undefined, helmForPaths: undefined })['fleet.cattle.io/client-secret-hash'],
    ).toBeNull()
  })

  test('differ from the annotations when a secret appears, changes or goes', () => {
    const present = Object.fromEntries(Object.entries(hashes).filter(([, hash]) => hash !== null))
    expect(annotationChanges(named, hashes)).toEqual(present)
    const annotated = { ...named, metadata: { ...named.metadata, annotations: hashes as Record<string, string> } }
    expect(annotationChanges(annotated, hashes)).toBeUndefined()
    const gone = annotationChanges(annotated, hashAnnotations(named, { client: one, helm: undefined, helmForPaths: undefined }))
    expect(gone).toEqual({ 'fleet.cattle.io/helm-secret-hash': null })
    expect(hasChartSecretChanged(gone)).toBe(true)
    expect(hasChartSecretChanged({ 'fleet.cattle.io/client-secret-hash': 'x' })).toBe(false)
    expect(hasChartSecretChanged(undefined)).toBe(false)
  })

  test('of the registry for files are a reason to read again, whether it is named or the default one', () => {
    const none = { client: undefined, helm: undefined, helmForPaths: undefined }
    const registry = (reference: string) => hashAnnotations(repo(), { ...none, oci: secret('Opaque', { reference }, 'ocistorage') })
    const [before, after] = [registry('a.example/x'), registry('b.example/x')]
    const annotated = { ...repo(), metadata: { ...repo().metadata, annotations: before as Record<string, string> } }
    expect(annotationChanges(annotated, before)).toBeUndefined()
    for (const changed of [after, hashAnnotations(repo(), none)]) {
      const changes = annotationChanges(annotated, changed)
      expect(Object.keys(changes ?? {})).toEqual(['fleet.cattle.io/oci-registry-secret-hash'])
      expect(hasChartSecretChanged(changes)).toBe(true)
      expect(chartSecretsId(changed)).not.toBe(chartSecretsId(before))
    }
  })

  test('a missing secret for charts is named, unless another wins', () => {
    const none = { client: undefined, helm: undefined, helmForPaths: undefined }
    expect(chartSecretProblem(repo({ helmSecretName: 'helm' }), none)?.message).toMatch(
      /failed to look up helmSecretName.*Secret "helm" not found/,
    )
    expect(
      chartSecretProblem(repo({ helmSecretName: 'helm', helmSecretNameForPaths: 'paths' }), { ...none, helmForPaths: helm }),
    ).toBeUndefined()
    expect(chartSecretProblem(repo(), none)).toBeUndefined()
  })

  test('the GitRepo is found by each of its secrets, the default one included', () => {
    expect(secretKeysOf(repo())).toEqual(['ws/gitcredential', 'ws/ocistorage'])
    const all = { clientSecretName: 'a', helmSecretName: 'b', helmSecretNameForPaths: 'c', ociRegistrySecret: 'd' }
    expect(secretKeysOf(repo(all))).toEqual(['ws/a', 'ws/b', 'ws/c', 'ws/d'])
  })
})
