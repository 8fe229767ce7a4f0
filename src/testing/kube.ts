// What tests of lib/kube and of whatever uses it need again and again.
import { readFile } from 'node:fs/promises'
import { createClient, type KubeClient } from '../lib/kube/client.ts'
import { loadConnection } from '../lib/kube/connection.ts'
import type { KubeObject } from '../lib/kube/types.ts'
import { uniqueNamespace } from './cluster.ts'

/** A ConfigMap, the smallest object there is. */
export interface ConfigMap extends KubeObject {
  data?: Record<string, string>
}

export const CONFIG_MAP = { apiVersion: 'v1', kind: 'ConfigMap' } as const

/** A client with the rights of a kubeconfig, given as its path or its text. */
export async function clientOf(kubeconfig: string): Promise<KubeClient> {
  const kubeconfigText = kubeconfig.includes('\n') ? kubeconfig : await readFile(kubeconfig, 'utf8')
  return createClient(await loadConnection({ kubeconfigText }))
}

/** Creates a namespace of that prefix and returns its name. */
export async function createNamespace(client: KubeClient, prefix?: string): Promise<string> {
  const name = uniqueNamespace(prefix)
  await client.create({ apiVersion: 'v1', kind: 'Namespace', metadata: { name } })
  return name
}

/** A ConfigMap as it is sent. */
export function configMap(
  namespace: string,
  name: string,
  data: Record<string, string> = {},
  labels: Record<string, string> = {},
): ConfigMap {
  return { ...CONFIG_MAP, metadata: { namespace, name, labels }, data }
}

/** Resolves when `condition` holds; fails with its name after `timeoutMs`. */
export async function eventually(what: string, condition: () => boolean | Promise<boolean>, timeoutMs = 60_000): Promise<void> {
  const end = Date.now() + timeoutMs
  while (!(await condition())) {
    if (Date.now() > end) throw new Error(`not within ${timeoutMs / 1_000} s: ${what}`)
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
}
