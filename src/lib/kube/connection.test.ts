import { mkdtemp, rm, unlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { inspect } from 'node:util'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createFakeClock } from '../../testing/fake-clock.ts'
import { KubeconfigError, loadConnection } from './connection.ts'

let folder: string

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'connection-'))
})

afterAll(async () => {
  await rm(folder, { recursive: true })
})

async function file(name: string, text: string): Promise<string> {
  await writeFile(join(folder, name), text)
  return join(folder, name)
}

/** A kubeconfig with one context; indentation as a person would write it. */
function kubeconfig(user: string, cluster = '', extra = ''): string {
  return `
apiVersion: v1
kind: Config
current-context: main
contexts:
- name: main
  context: {cluster: c, user: u, namespace: team}
- name: other
  context: {cluster: c2, user: u}
clusters:
- name: c
  cluster: {server: "https://example.com:6443/", certificate-authority-data: ${base64('CA')}${cluster}}
- name: c2
  cluster: {server: "https://other.example.com/k8s/clusters/c-1"}
users:
- name: u
  user: {${user}}
${extra}`
}

function base64(text: string): string {
  return Buffer.from(text).toString('base64')
}

describe('a kubeconfig', () => {
  test('with a token', async () => {
    const connection = await loadConnection({ kubeconfigText: kubeconfig('token: t0ken') })
    expect(connection).toMatchObject({ server: 'https://example.com:6443', namespace: 'team' })
    expect(await connection.authorize()).toEqual({ authorization: 'Bearer t0ken' })
    expect(connection.tls()).toEqual({ ca: 'CA', rejectUnauthorized: true })
  })

  test('with a certificate, a name for it, a proxy and no verification', async () => {
    const user = `client-certificate-data: ${base64('CERT')}, client-key-data: ${base64('KEY')}`
    const cluster = ', tls-server-name: inner, proxy-url: "http://proxy:3128", insecure-skip-tls-verify: true'
    const connection = await loadConnection({ kubeconfigText: kubeconfig(user, cluster) })
    expect(await connection.authorize()).toEqual({})
    expect(connection.tls()).toEqual({ ca: 'CA', cert: 'CERT', key: 'KEY', servername: 'inner', rejectUnauthorized: false })
    expect(connection.proxyUrl()).toBe('http://proxy:3128')
  })

  test('with user and password, acting as somebody', async () => {
    const user = 'username: u, password: p, as: jane, as-groups: [a, b], as-uid: "7", as-user-extra: {Reason/x: [because]}'
    const connection = await loadConnection({ kubeconfigText: kubeconfig(user) })
    expect(await connection.authorize()).toEqual({
      authorization: `Basic ${base64('u:p')}`,
      'impersonate-user': 'jane',
      'impersonate-uid': '7',
      'impersonate-group': ['a', 'b'],
      'impersonate-extra-reason%2Fx': ['because'],
    })
  })

  test('of another context, and without a CA: those of the machine', async () => {
    const connection = await loadConnection({ kubeconfigText: kubeconfig('token: x'), context: 'other' })
    expect(connection).toMatchObject({ server: 'https://other.example.com/k8s/clusters/c-1', namespace: 'default' })
    expect(connection.tls().ca?.length).toBeGreaterThan(10)
  })

  test('in files that complete each other, with paths relative to them', async () => {
    await file('token', 'from-file\n')
    await file('ca.crt', 'FILE CA')
    const first = await file('one.yaml', 'current-context: x\ncontexts: [{name: x, context: {cluster: c, user: u}}]')
    const second = await file(
      'two.yaml',
      'current-context: z\nclusters: [{name: c, cluster: {server: https://h, certificate-authority: ca.crt}}]\nusers: [{name: u, user: {tokenFile: token}}]',
    )
    const connection = await loadConnection({ kubeconfig: [first, join(folder, 'missing'), second].join(':') })
    expect(await connection.authorize()).toEqual({ authorization: 'Bearer from-file' })
    expect(connection.tls().ca).toBe('FILE CA')
    expect(JSON.parse(connection.toKubeconfig())).toMatchObject({
      clusters: [{ cluster: { 'certificate-authority': join(folder, 'ca.crt') } }],
      users: [{ user: { tokenFile: join(folder, 'token') } }],
    })
  })

  test.each([
    ['no YAML', 'a: [', 'is not valid YAML'],
    ['text only', 'hello', 'is not a kubeconfig'],
    ['too large', `a: ${'x'.repeat(2 ** 20)}`, 'at most'],
    [
      'unknown context',
      kubeconfig('token: x').replace('current-context: main', 'current-context: nope'),
      'no context "nope", only "main", "other"',
    ],
    ['no context', 'contexts: []', 'no current-context'],
    ['token that is a number', kubeconfig('token: 12345'), 'user u: token must be text'],
    ['server with credentials', kubeconfig('token: x').replace('https://example', 'https://a:b@example'), 'not into the URL'],
    ['missing file', kubeconfig('tokenFile: /nowhere/token'), 'cannot read /nowhere/token'],
    ['proxy of another kind', kubeconfig('token: x', ', proxy-url: "socks5://p:1"'), 'must be an http or https proxy'],
    ['unknown cluster', kubeconfig('token: x').replace('cluster: c,', 'cluster: d,'), 'no cluster "d"'],
  ])('is refused: %s', async (_, kubeconfigText, message) => {
    const error = await loadConnection({ kubeconfigText }).catch((reason: unknown) => reason)
    expect(error).toBeInstanceOf(KubeconfigError)
    expect(String(error)).toContain(message)
  })

  test('errors of the parser do not quote credentials', async () => {
    const error = await loadConnection({ kubeconfigText: 'users: [{user: {token: s3cret}}' }).catch(String)
    expect(error).not.toContain('s3cret')
  })

  test('of any shape gives a connection or a KubeconfigError', async () => {
    const part = fc.oneof(
      fc.jsonValue(),
      fc.constant([{ name: 'x', context: { cluster: 'x', user: 'x' }, cluster: { server: 'h' }, user: {} }]),
    )
    await fc.assert(
      fc.asyncProperty(fc.record({ contexts: part, clusters: part, users: part }), async (value) => {
        const result = await loadConnection({ kubeconfigText: JSON.stringify(value) }).catch((error: unknown) => error)
        return result instanceof KubeconfigError || typeof (result as { server?: unknown }).server === 'string'
      }),
    )
  })
})

describe('a kubeconfig that others wrote', () => {
  test.each([
    ['exec', 'exec: {apiVersion: client.authentication.k8s.io/v1, command: /bin/touch, args: [/x]}', ''],
    ['auth-provider', 'auth-provider: {name: oidc}', ''],
    ['tokenFile', 'tokenFile: /etc/passwd', ''],
    ['client-certificate', 'client-certificate: /x', ''],
    ['client-key', 'client-key: /x', ''],
    ['certificate-authority', 'token: x', ', certificate-authority: /x'],
  ])('must not use %s', async (field, user, cluster) => {
    const loading = loadConnection({ kubeconfigText: kubeconfig(user, cluster), trusted: false })
    await expect(loading).rejects.toThrow(`must not use ${field}`)
  })

  test('may hold a token or a certificate', async () => {
    const connection = await loadConnection({
      kubeconfigText: kubeconfig(`token: x, client-certificate-data: ${base64('C')}`),
      trusted: false,
    })
    expect(await connection.authorize()).toEqual({ authorization: 'Bearer x' })
  })
})

describe('in a cluster', () => {
  test('the files of the ServiceAccount count, and are read again', async () => {
    const clock = createFakeClock()
    await Promise.all([file('token', 'one'), file('ca.crt', 'CA 1'), file('namespace', 'fleet-system\n')])
    const options = { serviceHost: 'fd00::1', servicePort: '443', inClusterDir: folder, clock }
    const connection = await loadConnection(options)
    expect(connection).toMatchObject({ server: 'https://[fd00::1]', namespace: 'fleet-system' })
    expect(await connection.authorize()).toEqual({ authorization: 'Bearer one' })
    const tls = connection.tls()

    await file('token', 'two')
    expect(await connection.authorize()).toEqual({ authorization: 'Bearer one' })
    await clock.advance(60_000)
    expect(await connection.authorize()).toEqual({ authorization: 'Bearer two' })
    expect(connection.tls()).toBe(tls)

    await file('token', 'three')
    await file('ca.crt', 'CA 2')
    expect(connection.expire()).toBe(false)
    await clock.advance(1_000)
    expect(connection.expire()).toBe(true)
    expect(await connection.authorize()).toEqual({ authorization: 'Bearer three' })
    expect(connection.tls()).toMatchObject({ ca: 'CA 2' })

    await unlink(join(folder, 'token'))
    await clock.advance(60_000)
    expect(await connection.authorize()).toEqual({ authorization: 'Bearer three' })
  })

  test('credentials that cannot change are not read again', async () => {
    const connection = await loadConnection({ kubeconfigText: kubeconfig('token: x'), clock: createFakeClock() })
    expect(connection.expire()).toBe(false)
  })
})

describe('credentials of a program', () => {
  const apiVersion = 'client.authentication.k8s.io/v1'

  async function plugin(script: string): Promise<string> {
    return `exec: {apiVersion: ${apiVersion}, command: /bin/sh, args: ["${await file('plugin.sh', script)}"], env: [{name: GREETING, value: hello}]}`
  }

  test('are asked for when needed and kept until they end', async () => {
    const clock = createFakeClock()
    const count = await file('count', '')
    const expiry = new Date(clock.now() + 100_000).toISOString()
    const user = await plugin(
      `echo >>${count}; printf '{"status":{"token":"%s-%s-%s","expirationTimestamp":"${expiry}"}}' $GREETING $(wc -l <${count}) "$(echo $KUBERNETES_EXEC_INFO | grep -c '"interactive":false')"`,
    )
    const connection = await loadConnection({ kubeconfigText: kubeconfig(user), clock })
    expect(await Promise.all([connection.authorize(), connection.authorize()])).toEqual([
      { authorization: 'Bearer hello-1-1' },
      { authorization: 'Bearer hello-1-1' },
    ])
    await clock.advance(89_000)
    expect(await connection.authorize()).toEqual({ authorization: 'Bearer hello-1-1' })
    await clock.advance(1_000)
    expect(await connection.authorize()).toEqual({ authorization: 'Bearer hello-2-1' })
  })

  test('may be a certificate', async () => {
    const status = { status: { clientCertificateData: 'CERT', clientKeyData: 'KEY' } }
    const connection = await loadConnection({ kubeconfigText: kubeconfig(await plugin(`echo '${JSON.stringify(status)}'`)) })
    await connection.authorize()
    expect(connection.tls()).toMatchObject({ cert: 'CERT', key: 'KEY' })
  })

  test.each([
    ['echo oops >&2; exit 3', 'exit code 3: oops'],
    ['echo s3cret', 'not JSON'],
    [`echo '{"status":{}}'`, 'neither a token nor a certificate'],
  ])('that do not come: %s', async (script, message) => {
    const connection = await loadConnection({ kubeconfigText: kubeconfig(await plugin(script)) })
    const error = await connection.authorize().catch(String)
    expect(error).toContain(message)
    expect(error).not.toContain('s3cret')
  })

  test('of programs that do not exist', async () => {
    const user = `exec: {apiVersion: ${apiVersion}, command: no-such-program, installHint: install it}`
    const connection = await loadConnection({ kubeconfigText: kubeconfig(user) })
    await expect(connection.authorize()).rejects.toThrow(/no-such-program failed: ENOENT \(install it\)/)
  })

  test('of an OIDC provider are used as long as they are good', async () => {
    const payload = Buffer.from(JSON.stringify({ exp: Math.floor(Date.now() / 1_000) + 3_600 })).toString('base64url')
    const token = `e30.${payload}.c2ln`
    const connection = await loadConnection({ kubeconfigText: kubeconfig(`auth-provider: {name: oidc, config: {id-token: ${token}}}`) })
    expect(await connection.authorize()).toEqual({ authorization: `Bearer ${token}` })
    const other = await loadConnection({ kubeconfigText: kubeconfig('auth-provider: {name: gcp}') })
    await expect(other.authorize()).rejects.toThrow('use an exec plugin')
  })
})

describe('a connection', () => {
  test('shows no credential', async () => {
    const connection = await loadConnection({ kubeconfigText: kubeconfig('token: s3cret') })
    for (const text of [inspect(connection, { depth: 9, showHidden: true }), JSON.stringify(connection), String(connection)]) {
      expect(text).not.toContain('s3cret')
    }
    expect(JSON.stringify(connection)).toContain('***')
  })

  test('goes on to child processes', async () => {
    const connection = await loadConnection({
      kubeconfigText: kubeconfig('token: x'),
      proxy: { httpsProxy: 'proxy:3128', noProxy: '.internal' },
    })
    const again = await loadConnection({ kubeconfigText: connection.impersonate('system:serviceaccount:a:b').toKubeconfig() })
    expect(again).toMatchObject({ server: connection.server, namespace: connection.namespace })
    expect(again.proxyUrl()).toBe('http://proxy:3128')
    expect(await again.authorize()).toEqual({ authorization: 'Bearer x', 'impersonate-user': 'system:serviceaccount:a:b' })
  })

  test('acts as one other, not as another of that', async () => {
    const connection = await loadConnection({ kubeconfigText: kubeconfig('token: x') })
    const jane = connection.impersonate('jane', ['devs'])
    expect(await jane.authorize()).toMatchObject({ 'impersonate-user': 'jane', 'impersonate-group': ['devs'] })
    expect(() => jane.impersonate('root')).toThrow('already acts as jane')
    expect(() => connection.impersonate('')).toThrow('must be named')
  })
})
