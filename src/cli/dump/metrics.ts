// The metrics of the hub, read through the API server, which reaches its services.
import { messageOf } from '../../lib/controller/errors.ts'
import type { KubeClient } from '../../lib/kube/client.ts'
import type { KubeObject } from '../../lib/kube/types.ts'
import type { Archive } from './archive.ts'

interface Service extends KubeObject {
  readonly spec?: { readonly ports?: readonly { readonly port: number }[] }
}

interface MetricsContext {
  readonly client: KubeClient
  readonly archive: Archive
  readonly signal: AbortSignal
  readonly warn: (text: string) => void
}

/** Services that metrics are served by. */
const PREFIX = 'monitoring-'
const TIMEOUT_MS = 15_000

/** Adds what each metrics service of the namespace answers; warns of those that do not. */
export async function addMetrics({ client, archive, signal, warn }: MetricsContext, namespace: string): Promise<void> {
  const { items } = await client.list<Service>({ apiVersion: 'v1', kind: 'Service' }, { namespace, signal })
  for (const { metadata, spec } of items) {
    const port = spec?.ports?.[0]?.port
    if (!metadata.name.startsWith(PREFIX) || port === undefined) continue
    try {
      const path = `/api/v1/namespaces/${namespace}/services/${metadata.name}:${port}/proxy/metrics`
      const text = await client.request<unknown>('GET', path, { signal, timeoutMs: TIMEOUT_MS })
      await archive.add(`metrics_${namespace}_${metadata.name}`, String(text))
    } catch (error) {
      signal.throwIfAborted()
      warn(`metrics of service ${namespace}/${metadata.name} are left out: ${messageOf(error)}`)
    }
  }
}
