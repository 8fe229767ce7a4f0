// A registration that ends anywhere is made good by the next start, and two at a time do not spoil each other's work.
import { getCACertificates, setDefaultCACertificates } from 'node:tls'
import { describe, expect, test } from 'vitest'
import { systemClock } from '../../lib/controller/clock.ts'
import type { KubeClient } from '../../lib/kube/client.ts'
import { testCluster } from '../../testing/cluster.ts'
import { startFaultProxy } from '../../testing/fault-proxy.ts'
import { eventually } from '../../testing/kube.ts'
import { ensureRegistered } from './register.ts'
import { BOOTSTRAP, CREDENTIAL, useScene } from './registration-scene.ts'

const scene = useScene({ hub: testCluster('hub'), downstream: testCluster('downstream') })

/** The agent's client, which calls `hook` before or after each request that it sends. */
function observed(hook: { before?: (call: string) => unknown; after?: (call: string) => unknown }): KubeClient {
  return new Proxy(scene.client, {
    get(target, name, receiver) {
      const method: unknown = Reflect.get(target, name, receiver)
      if (typeof method !== 'function' || !['find', 'get', 'create', 'update', 'delete'].includes(String(name))) return method
      return async (subject: { name?: string; metadata?: { name: string } }, ...rest: unknown[]) => {
        const call = `${String(name)} ${subject.name ?? subject.metadata?.name}`
        await hook.before?.(call)
        const answer: unknown = await method.call(target, subject, ...rest)
        await hook.after?.(call)
        return answer
      }
    },
  })
}

async function expectRegistered(): Promise<void> {
  const texts = await scene.place.secret(CREDENTIAL)
  expect(texts?.clusterName).toBe('granted')
  expect(await scene.works({ kubeconfig: texts?.kubeconfig ?? '', deploymentNamespace: '', cluster: { namespace: '', name: '' } })).toBe(
    true,
  )
  expect(await scene.place.secret(BOOTSTRAP)).toBeUndefined()
}

describe('an agent that ends', () => {
  const calls = ['find fleet-agent-bootstrap', 'find fleet-agent', 'create fleet-agent', 'delete fleet-agent-bootstrap']
  test.each(calls.flatMap((call) => [['before', call] as const, ['after', call] as const]))(
    '%s "%s" registers with the next start',
    async (when, call) => {
      await scene.place.putSecret(BOOTSTRAP, scene.hub.bootstrap)
      const end = new AbortController()
      const hook = (current: string): void => {
        if (current !== call) return
        end.abort(new Error('killed'))
        throw new Error('killed')
      }
      await expect(scene.start(observed({ [when]: hook }), end.signal)).rejects.toThrow('killed')
      await scene.start()
      await expectRegistered()
    },
  )

  test('while it waits for the hub registers with the next start', async () => {
    await scene.place.putSecret(BOOTSTRAP, scene.hub.bootstrap)
    const end = new AbortController()
    const first = scene.start(scene.client, end.signal)
    // seen here and not on the hub: until the answer of that is read the agent may be done
    await eventually('it waits for the hub', () => scene.logged('registration requested, waiting').length > 0)
    end.abort(new Error('killed'))
    await expect(first).rejects.toThrow('killed')
    await scene.start()
    await expectRegistered()
    expect(await scene.requestNames()).toHaveLength(2)
  })
})

describe('when somebody else is at work', () => {
  test('two agents end up with one credential', async () => {
    await scene.place.putSecret(BOOTSTRAP, scene.hub.bootstrap)
    const [one, two] = await Promise.all([scene.start(), scene.start()])
    expect(one).toEqual(two)
    await expectRegistered()
  })

  test('a bootstrap secret that comes during the registration is not deleted with the old one, but used', async () => {
    await scene.place.putSecret(BOOTSTRAP, scene.hub.bootstrap)
    let replaced = false
    const after = async (call: string): Promise<void> => {
      if (call !== 'find fleet-agent' || replaced) return
      replaced = true
      await scene.place.drop(BOOTSTRAP)
      await scene.place.putSecret(BOOTSTRAP, { ...scene.hub.bootstrap, tokenName: 'newer' })
    }
    await scene.start(observed({ after }))
    const tokens = (await scene.hub.requests()).map((request) => request.metadata.labels?.['fleet.cattle.io/registration-token'])
    expect(tokens.sort()).toEqual(['join', 'newer'])
    await expectRegistered()
  })

  test('a bootstrap secret that comes at the last moment stays', async () => {
    await scene.place.putSecret(BOOTSTRAP, scene.hub.bootstrap)
    const before = async (call: string): Promise<void> => {
      if (call.startsWith('delete')) await scene.place.putSecret(BOOTSTRAP, { ...scene.hub.bootstrap, tokenName: 'newer' })
    }
    await scene.start(observed({ before }))
    expect((await scene.place.secret(BOOTSTRAP))?.tokenName).toBe('newer')
    expect(scene.logged('bootstrap secret has been replaced meanwhile')).toHaveLength(1)
  })

  test('a bootstrap secret that cannot be deleted does no harm', async () => {
    await scene.place.putSecret(BOOTSTRAP, scene.hub.bootstrap)
    const before = (call: string): void => {
      if (call.startsWith('delete')) throw new Error('no rights')
    }
    expect((await scene.start(observed({ before }))).cluster.name).toBe('granted')
    expect(scene.logged('bootstrap secret could not be deleted')).toHaveLength(1)
  })
})

describe('with agentTLSMode', () => {
  const { url, ca } = testCluster('hub')

  async function setMode(agentTLSMode: string): Promise<void> {
    const data = { config: JSON.stringify({ clientID: 'client-1', agentTLSMode }) }
    await scene.client.patch(
      { apiVersion: 'v1', kind: 'ConfigMap', namespace: scene.place.namespace, name: CREDENTIAL },
      { data },
      { type: 'merge' },
    )
  }

  test.each([
    ['system-store', false],
    ['strict', true],
    ['', true],
  ])('"%s" and a hub that the system trusts, the CA is kept: %s', async (mode, kept) => {
    const trusted = getCACertificates('default')
    setDefaultCACertificates([...trusted, ca])
    try {
      await setMode(mode)
      await scene.place.putSecret(BOOTSTRAP, scene.hub.bootstrap)
      // at the usual pace: with a clock that is faster a hub that is busy for two seconds counts as one that does not answer, so as not trusted
      const { kubeconfig } = await scene.track(ensureRegistered({ ...scene.options(), clock: systemClock }, scene.signal))
      expect(kubeconfig.includes(Buffer.from(ca).toString('base64'))).toBe(kept)
      expect(kubeconfig).toContain(url)
    } finally {
      setDefaultCACertificates(trusted)
    }
  })

  test.each(['system-store', 'strict'])('"%s" and a hub that shows another certificate, no token is sent', async (mode) => {
    const proxy = await startFaultProxy({ target: testCluster('hub') })
    try {
      await setMode(mode)
      await scene.place.putSecret(BOOTSTRAP, { ...scene.hub.bootstrap, apiServerURL: proxy.url })
      void scene.start()
      await eventually('it says so', () => scene.logged('not registered, trying again').length > 0)
      expect(proxy.seen).toEqual([])
      expect(await scene.hub.requests()).toEqual([])
    } finally {
      await proxy.stop()
    }
  })
})
