import { describe, expect, test } from 'vitest'
import type { Bundle } from '../api/bundle.ts'
import { FLEET_API_VERSION } from '../api/kinds.ts'
import { silentLogger } from '../lib/controller/log.ts'
import type { KubeClient } from '../lib/kube/client.ts'
import { createPublisher } from './publish.ts'

const gitRepo = (name: string) => ({
  apiVersion: FLEET_API_VERSION,
  kind: 'GitRepo',
  metadata: { name, namespace: 'ws' },
  spec: { repo: '' },
})

function setup(live: readonly Bundle[], cached: readonly Bundle[] = []) {
  const requests: string[] = []
  const client = {
    list: async (_type: unknown, { namespace, labelSelector }: { namespace?: string; labelSelector?: string }) => {
      requests.push(`list ${namespace} ${labelSelector}`)
      return { items: [...live], resourceVersion: '1' }
    },
    delete: async ({ name }: { name: string }, { uid }: { uid?: string }) => {
      requests.push(`delete ${name} ${uid}`)
      return true
    },
  } as unknown as KubeClient
  const bundles = { get: () => undefined, by: () => cached }
  return { requests, publisher: createPublisher({ client, bundles, valuesSecrets: { get: () => undefined }, log: silentLogger }) }
}

describe('removing the bundles of a GitRepo', () => {
  const bundle: Bundle = { apiVersion: FLEET_API_VERSION, kind: 'Bundle', metadata: { name: 'app', namespace: 'ws', uid: 'u1' }, spec: {} }

  test('finds one that was made by a request which was given up, before the cache has it', async () => {
    const { publisher, requests } = setup([bundle])
    expect(await publisher.remove(gitRepo('app'))).toEqual({ remaining: 1 })
    expect(requests).toEqual(['list ws fleet.cattle.io/repo-name=app', 'delete app u1'])
  })

  test('asks nobody while the cache still has some, and once at the end', async () => {
    const busy = setup([], [bundle])
    expect(await busy.publisher.remove(gitRepo('app'))).toEqual({ remaining: 1 })
    expect(busy.requests).toEqual(['delete app u1'])
    const done = setup([])
    expect(await done.publisher.remove(gitRepo('app'))).toEqual({ remaining: 0 })
    expect(done.requests).toHaveLength(1)
  })

  test('does not ask by a name that is too long for a label', async () => {
    const { publisher, requests } = setup([])
    expect(await publisher.remove(gitRepo('a'.repeat(64)))).toEqual({ remaining: 0 })
    expect(requests).toEqual([])
  })
})
