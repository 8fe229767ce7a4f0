// GitRepos whose repositories are reached by ssh: keys, known hosts of secret and ConfigMap.
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { silentLogger } from '../lib/controller/log.ts'
import { createInformerFactory, type InformerFactory } from '../lib/kube/informer.ts'
import type { KubeObject } from '../lib/kube/types.ts'
import { uniqueNamespace } from '../testing/cluster.ts'
import { useSource } from '../testing/source-hub.ts'
import { SSH_SERVER_PROBLEM, type SshServer, startSshServer } from '../testing/ssh-server.ts'
import { createGitDefaults, type GitDefaultsSource } from './git-defaults.ts'

const SSH_AUTH = 'kubernetes.io/ssh-auth'
if (SSH_SERVER_PROBLEM) process.stdout.write(`GitRepos over ssh skipped: ${SSH_SERVER_PROBLEM}\n`)

describe.skipIf(SSH_SERVER_PROBLEM !== undefined)('a GitRepo over ssh', () => {
  const fx = useSource()
  const systemNamespace = uniqueNamespace('system')
  const stop = new AbortController()
  let server: SshServer
  let informers: InformerFactory
  let defaults: GitDefaultsSource

  beforeAll(async () => {
    server = await startSshServer()
    await fx.client.create({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: systemNamespace } })
    informers = createInformerFactory(fx.client, { log: silentLogger })
    defaults = createGitDefaults({ client: fx.client, informers, systemNamespace, settings: () => ({}), log: silentLogger })
    informers.start(stop.signal)
    await informers.waitSynced()
  })
  afterAll(async () => {
    stop.abort()
    await informers.stop()
    await fx.client.delete({ apiVersion: 'v1', kind: 'Namespace', name: systemNamespace })
    await server.stop()
  })
  const start = () => fx.start({ gitDefaults: defaults.current, gitDefaultsInformers: defaults.informers })

  async function writeKnownHosts(text: string): Promise<void> {
    const object = {
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: { name: 'known-hosts', namespace: systemNamespace },
      data: { known_hosts: text },
    }
    await fx.client.apply(object as KubeObject, { fieldManager: 'test', force: true })
  }

  test('is read with the key and the known hosts of its secret, and followed', async () => {
    const [hub, git, name] = [await start(), await fx.repository(), fx.unique()]
    await fx.scene.secret('ssh-1', { 'ssh-privatekey': server.keys.ed25519, known_hosts: server.knownHosts }, SSH_AUTH)
    await fx.scene.create(name, { repo: server.url(git.dir), clientSecretName: 'ssh-1' })
    await fx.scene.current(name, await git.head())
    const next = await git.commit({ a: '2' })
    await fx.scene.current(name, next)
    expect(hub.publishedFor(name).map(({ files }) => files)).toEqual([{ a: '1' }, { a: '2' }])
  })

  test('names the host key that is not known, and goes on when the ConfigMap knows it', async () => {
    const [, git, name] = [await start(), await fx.repository(), fx.unique()]
    await writeKnownHosts('')
    await fx.scene.secret('ssh-2', { 'ssh-privatekey': server.keys.rsa }, SSH_AUTH)
    await fx.scene.create(name, { repo: server.url(git.dir), clientSecretName: 'ssh-2' })
    await fx.scene.condition(name, 'GitPolling', 'False', /unknown host key of \[127\.0\.0\.1\]:\d+: .* SHA256:.*ConfigMap .*known-hosts/)
    await writeKnownHosts(`# ours\n${server.knownHosts}`)
    await fx.scene.current(name, await git.head())
  })

  test('believes its secret and not the ConfigMap', async () => {
    const [, git, name] = [await start(), await fx.repository(), fx.unique()]
    await writeKnownHosts(server.knownHosts)
    const other = server.knownHosts.replace(/\S+$/m, server.authority.split(' ')[1] ?? '')
    await fx.scene.secret('ssh-3', { 'ssh-privatekey': server.keys.ecdsa, known_hosts: other }, SSH_AUTH)
    await fx.scene.create(name, { repo: server.url(git.dir), clientSecretName: 'ssh-3' })
    await fx.scene.condition(name, 'GitPolling', 'False', /mismatch of the host key .* secret "ssh-3" knows this host by/)
  })

  test('without a key says so, and begins when there is one', async () => {
    const [, git, name] = [await start(), await fx.repository(), fx.unique()]
    await fx.scene.create(name, { repo: server.url(git.dir), clientSecretName: 'ssh-4' })
    await fx.scene.condition(name, 'GitPolling', 'False', /SSH private key file is required/)
    await fx.scene.condition(name, 'Accepted', 'False', /Secret "ssh-4" not found/)
    await fx.scene.secret('ssh-4', { 'ssh-privatekey': server.strangerKey, known_hosts: server.knownHosts }, SSH_AUTH)
    await fx.scene.condition(name, 'GitPolling', 'False', /authentication failed: .* does not take this SSH key/)
    await fx.scene.secret('ssh-4', { 'ssh-privatekey': server.keys.ed25519, known_hosts: server.knownHosts }, SSH_AUTH)
    await fx.scene.current(name, await git.head())
  })

  test('an empty known-hosts does not concern http', async () => {
    const [, git, name] = [await start(), await fx.repository(), fx.unique()]
    await writeKnownHosts('')
    await fx.scene.create(name, { repo: git.url })
    await fx.scene.current(name, await git.head())
  })
})
