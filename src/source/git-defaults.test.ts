import { expect, test } from 'vitest'
import { keyOf } from '../lib/controller/keys.ts'
import { silentLogger } from '../lib/controller/log.ts'
import type { Informer, InformerEvent, InformerFactory, InformerOptions } from '../lib/kube/informer.ts'
import type { KubeObject, ObjectRef } from '../lib/kube/types.ts'
import { createGitDefaults } from './git-defaults.ts'

/** Caches that a test fills. */
function makeCaches() {
  type Handler = (event: InformerEvent<KubeObject>) => void
  interface Cache {
    readonly objects: Map<string, KubeObject>
    readonly handlers: Handler[]
  }
  const caches = new Map<string, Cache>()
  const cacheOf = (kind: string): Cache => {
    const cache: Cache = caches.get(kind) ?? { objects: new Map(), handlers: [] }
    caches.set(kind, cache)
    return cache
  }
  const factory = {
    informer: ({ type }: InformerOptions<KubeObject>) => {
      const { objects, handlers } = cacheOf(type.kind)
      return {
        get: (name: string, namespace?: string) => objects.get(keyOf({ name, namespace })),
        subscribe: (handler: Handler) => void handlers.push(handler),
      } as unknown as Informer<KubeObject>
    },
  } as unknown as InformerFactory
  return {
    factory,
    send(type: 'added' | 'modified' | 'deleted', kind: string, namespace: string, name: string, data: Record<string, string> = {}) {
      const object = { apiVersion: 'v1', kind, metadata: { namespace, name }, data } as KubeObject
      const { objects, handlers } = cacheOf(kind)
      if (type === 'deleted') objects.delete(keyOf(object))
      else objects.set(keyOf(object), object)
      for (const handler of handlers) handler({ type, object })
    },
  }
}

test('known hosts come out of the cache, certificates of Rancher are read when they change', async () => {
  const caches = makeCaches()
  const asked: string[] = []
  const pem: Record<string, Record<string, string>> = {
    'tls-ca': { 'cacerts.pem': 'ONE' },
    'tls-ca-additional': { 'ca-additional.pem': 'TWO' },
  }
  const client = {
    async find({ name }: ObjectRef) {
      asked.push(name)
      const data = Object.fromEntries(Object.entries(pem[name] ?? {}).map(([key, value]) => [key, Buffer.from(value).toString('base64')]))
      return { apiVersion: 'v1', kind: 'Secret', metadata: { name }, data } as never
    },
  }
  const settings = () => ({ timeoutMs: 7 })
  const { current } = createGitDefaults({ client, informers: caches.factory, systemNamespace: 'system', settings, log: silentLogger })
  const name = 'ConfigMap system/known-hosts'
  expect(current()).toEqual({ timeoutMs: 7, knownHosts: { name, text: '' } })

  caches.send('added', 'ConfigMap', 'system', 'known-hosts', { known_hosts: 'h ssh-ed25519 x' })
  caches.send('added', 'Secret', 'elsewhere', 'tls-ca')
  caches.send('added', 'Secret', 'cattle-system', 'tls-ca-additional')
  caches.send('added', 'Secret', 'cattle-system', 'tls-ca')
  await new Promise(setImmediate)
  expect(current()).toEqual({ timeoutMs: 7, caBundle: 'ONE\nTWO', knownHosts: { name, text: 'h ssh-ed25519 x' } })
  expect(asked).toEqual(['tls-ca-additional', 'tls-ca'])

  caches.send('deleted', 'Secret', 'cattle-system', 'tls-ca')
  caches.send('deleted', 'ConfigMap', 'system', 'known-hosts')
  expect(current()).toEqual({ timeoutMs: 7, caBundle: 'TWO', knownHosts: { name, text: '' } })
})
