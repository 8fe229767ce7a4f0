// Registration against two real API servers; the hub's answers are played by the test.
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { testCluster } from '../../testing/cluster.ts'
import { type FaultProxy, startFaultProxy } from '../../testing/fault-proxy.ts'
import { eventually } from '../../testing/kube.ts'
import { kubeconfigText } from './hub.ts'
import { BOOTSTRAP, CREDENTIAL, useScene } from './registration-scene.ts'

const scene = useScene({ hub: testCluster('hub'), downstream: testCluster('downstream') })

describe('a new agent', () => {
  test('asks, waits, stores the credential and forgets the bootstrap secret', async () => {
    const upstream = await scene.register()
    const [request, ...more] = await scene.hub.requests()
    expect(more).toEqual([])
    expect(request?.metadata.name).toMatch(/^request-[a-z0-9]{5}$/)
    expect(request?.metadata.labels).toEqual({ 'fleet.cattle.io/registration-token': 'join' })
    expect(request?.spec).toEqual({
      clientID: 'client-1',
      clientRandom: expect.stringMatching(/^[bcdfghjklmnpqrstvwxz2456789]{54}$/),
      clusterLabels: { env: 'test', 'fleet.cattle.io/created-by-agent-pod': 'pod-1' },
    })
    const [, token = ''] = scene.hub.tokens
    const { url, ca } = testCluster('hub')
    const kubeconfig = kubeconfigText({ server: url, ca, token, namespace: scene.hub.deploymentNamespace })
    const texts = {
      kubeconfig,
      deploymentNamespace: scene.hub.deploymentNamespace,
      clusterNamespace: scene.hub.workspace,
      clusterName: 'granted',
    }
    expect(await scene.place.secret(CREDENTIAL)).toEqual(texts)
    expect(upstream).toEqual({
      kubeconfig,
      deploymentNamespace: scene.hub.deploymentNamespace,
      cluster: { namespace: scene.hub.workspace, name: 'granted' },
    })
    expect(await scene.place.secret(BOOTSTRAP)).toBeUndefined()
  })

  test('is known by the uid of kube-system when it has no client id', async () => {
    await scene.client.patch(
      { apiVersion: 'v1', kind: 'ConfigMap', namespace: scene.place.namespace, name: CREDENTIAL },
      { data: { config: '{}' } },
      { type: 'merge' },
    )
    await scene.register()
    const system = await scene.client.get({ apiVersion: 'v1', kind: 'Namespace', name: 'kube-system' })
    expect((await scene.hub.requests())[0]?.spec.clientID).toBe(system.metadata.uid)
  })

  test('says once what it waits for and notices the bootstrap secret by itself', async () => {
    const registered = scene.start()
    await eventually('it is waiting', () => scene.logged('waiting for registration').length > 0)
    await new Promise((resolve) => setTimeout(resolve, 3_000))
    expect(scene.logged('"message":"waiting for registration"')).toHaveLength(1)
    await scene.place.putSecret(BOOTSTRAP, scene.hub.bootstrap)
    expect((await registered).cluster.name).toBe('granted')
  })

  test('goes on with a better bootstrap secret when the first one is no good', async () => {
    await scene.place.putSecret(BOOTSTRAP, { ...scene.hub.bootstrap, token: 'canary-token' })
    const registered = scene.start()
    await eventually('the token is refused', () => scene.logged('the hub refuses the token of the bootstrap secret').length > 0)
    await scene.place.putSecret(BOOTSTRAP, scene.hub.bootstrap)
    await registered
    expect(scene.logged('canary-token')).toEqual([])
  })

  test('waits for its ConfigMap', async () => {
    await scene.client.delete({ apiVersion: 'v1', kind: 'ConfigMap', namespace: scene.place.namespace, name: CREDENTIAL })
    const registered = scene.register()
    await eventually(
      'it says what is missing',
      () => scene.logged(`configmap ${scene.place.namespace}/fleet-agent does not exist`).length > 0,
    )
    expect(await scene.hub.requests()).toEqual([])
    const data = { config: '{"clientID":"late"}' }
    await scene.client.create({
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: { name: CREDENTIAL, namespace: scene.place.namespace },
      data,
    } as never)
    await registered
    expect((await scene.hub.requests())[0]?.spec.clientID).toBe('late')
  })
})

describe('an agent with a credential', () => {
  test('uses it and removes a left-over bootstrap secret', async () => {
    const first = await scene.register()
    const names = await scene.requestNames()
    await scene.place.putSecret(BOOTSTRAP, { token: 'stale' })
    expect(await scene.start()).toEqual(first)
    expect(await scene.place.secret(BOOTSTRAP)).toBeUndefined()
    expect(await scene.requestNames()).toEqual(names)
  })

  test('that the hub refuses registers anew, in the same secret', async () => {
    const first = await scene.register()
    await scene.hub.revoke()
    await eventually('the token is refused', () => scene.refuses(first))
    const second = await scene.register()
    expect(second.kubeconfig).not.toBe(first.kubeconfig)
    expect((await scene.place.secret(CREDENTIAL))?.kubeconfig).toBe(second.kubeconfig)
    expect(await scene.requestNames()).toHaveLength(2)
  })

  test('that the hub refuses waits when there is no bootstrap secret, and works again when the hub says so', async () => {
    await scene.place.putSecret(CREDENTIAL, scene.credentialOf('canary-token'))
    const registered = scene.start()
    await eventually('it is waiting', () => scene.logged('waiting for registration').length > 0)
    await scene.place.putSecret(CREDENTIAL, scene.credentialOf(testCluster('hub').token))
    await registered
    expect(await scene.hub.requests()).toEqual([])
    expect(scene.logged('canary-token')).toEqual([])
  })

  test.each([
    ['no kubeconfig', { kubeconfig: 'token: canary-token: {' }],
    [
      'a program to run',
      {
        kubeconfig: JSON.stringify({
          'current-context': 'c',
          contexts: [{ name: 'c', context: { cluster: 'c', user: 'u' } }],
          clusters: [{ name: 'c', cluster: { server: 'https://hub' } }],
          users: [{ name: 'u', user: { exec: { apiVersion: 'v1', command: 'canary-token' } } }],
        }),
      },
    ],
    ['nothing', { kubeconfig: '' }],
  ])('that holds %s registers anew', async (_, change) => {
    await scene.place.putSecret(CREDENTIAL, { ...scene.credentialOf('x'), ...change })
    const upstream = await scene.register()
    expect((await scene.place.secret(CREDENTIAL))?.kubeconfig).toBe(upstream.kubeconfig)
    expect(scene.logged('canary-token')).toEqual([])
  })

  test('that cannot be written over is replaced', async () => {
    await scene.place.putSecret(CREDENTIAL, scene.credentialOf('refused'))
    await scene.client.patch(
      { apiVersion: 'v1', kind: 'Secret', namespace: scene.place.namespace, name: CREDENTIAL },
      { immutable: true },
      { type: 'merge' },
    )
    const upstream = await scene.register()
    expect((await scene.place.secret(CREDENTIAL))?.kubeconfig).toBe(upstream.kubeconfig)
  })

  test('moves to the hub that a bootstrap secret names when its own is gone', async () => {
    await scene.place.putSecret(CREDENTIAL, scene.credentialOf('x', { server: 'https://127.0.0.1:1' }))
    const upstream = await scene.register()
    expect(upstream.kubeconfig).toContain(testCluster('hub').url)
  })
})

describe('when the hub has troubles', () => {
  let proxy: FaultProxy

  beforeEach(async () => {
    const { url, ca, token } = testCluster('hub')
    proxy = await startFaultProxy({ target: { url, ca, token } })
  })
  afterEach(() => proxy.stop())

  const throughProxy = () => ({ ...scene.hub.bootstrap, apiServerURL: proxy.url, apiServerCA: proxy.ca })
  const isList = ({ path }: { path: string }): boolean => path.includes('bundledeployments')

  async function withCredential(): Promise<void> {
    await scene.place.putSecret(CREDENTIAL, scene.credentialOf(testCluster('hub').token, { server: proxy.url, ca: proxy.ca }))
    await scene.place.putSecret(BOOTSTRAP, throughProxy())
  }

  test.each([
    ['is away', () => proxy.fail({ status: 503, count: Number.POSITIVE_INFINITY })],
    ['breaks connections', () => proxy.delay(60_000)],
  ])('a credential survives a hub that %s', async (_, begin) => {
    await withCredential()
    begin()
    const registered = scene.start()
    await eventually('it says so', () => scene.logged('not registered, trying again').length > 0)
    expect(proxy.seen.filter(({ method }) => method !== 'GET')).toEqual([])
    proxy.resume()
    proxy.cut()
    expect((await registered).cluster.name).toBe('one')
    expect(await scene.hub.requests()).toEqual([])
  })

  test('a single refusal is no reason to register anew', async () => {
    await withCredential()
    proxy.fail({ match: isList, status: 401 })
    proxy.fail({ match: isList, status: 403 })
    await scene.start()
    expect(await scene.hub.requests()).toEqual([])
    expect(proxy.seen.filter(isList)).toHaveLength(3)
  })

  test('a start with a good credential costs one request', async () => {
    await withCredential()
    await scene.start()
    expect(proxy.seen.map(({ method, path }) => `${method} ${path}`)).toEqual([
      `GET /apis/fleet.cattle.io/v1alpha1/namespaces/${scene.hub.deploymentNamespace}/bundledeployments?limit=1`,
    ])
  })

  test('a registration goes on through errors and lost connections', async () => {
    await scene.place.putSecret(BOOTSTRAP, throughProxy())
    for (const status of [500, 503, 429]) proxy.fail({ match: ({ path }) => path.includes('/secrets/c-'), status })
    proxy.fail({ match: ({ method }) => method === 'POST', status: 500 })
    const registered = scene.start()
    // a request that always takes longer than connections live would never come through
    let cuts = 0
    const cutting = setInterval(() => cuts++ < 12 && proxy.cut(), 300)
    await eventually('the request is there', async () => (await scene.hub.requests()).length > 0).finally(() => clearInterval(cutting))
    expect((await registered).kubeconfig).toContain(proxy.url)
  })

  test('the new credential is only stored once it works', async () => {
    await scene.place.putSecret(BOOTSTRAP, throughProxy())
    proxy.fail({ match: isList, status: 403, count: 3 })
    await scene.start()
    expect(scene.logged('waiting for the rights of the new credential')).toHaveLength(1)
    expect(await scene.requestNames()).toHaveLength(1)
  })
})
