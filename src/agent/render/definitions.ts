// Installs the custom resource definitions of a chart before the chart is rendered.
import { setTimeout as delay } from 'node:timers/promises'
import { type Condition, isConditionTrue } from '../../lib/controller/conditions.ts'
import { WaitingError } from '../../lib/controller/errors.ts'
import type { KubeClient } from '../../lib/kube/client.ts'
import { isAlreadyExists } from '../../lib/kube/errors.ts'
import type { KubeObject } from '../../lib/kube/types.ts'

const POLL_MS = 200
const POLLS = 150

/** Creates those that do not exist, and waits until the cluster serves them. What exists is left as it is, as Helm does. */
export async function installDefinitions(definitions: readonly KubeObject[], client: KubeClient, signal?: AbortSignal): Promise<void> {
  const created: KubeObject[] = []
  for (const definition of definitions) {
    try {
      created.push(await client.create(definition, signal ? { signal } : {}))
    } catch (error) {
      if (!isAlreadyExists(error)) throw error
    }
  }
  for (const definition of created) await untilServed(definition, client, signal)
}

async function untilServed({ apiVersion, kind, metadata: { name } }: KubeObject, client: KubeClient, signal?: AbortSignal): Promise<void> {
  for (let poll = 0; poll < POLLS; poll++) {
    const definition = await client.get<KubeObject & { status?: { conditions?: Condition[] } }>({ apiVersion, kind, name })
    if (isConditionTrue(definition.status?.conditions, 'Established')) return
    await delay(POLL_MS, undefined, signal ? { signal } : {})
  }
  throw new WaitingError(`the cluster does not serve the custom resource definition ${name} yet`, { reason: 'WaitingForDefinition' })
}
