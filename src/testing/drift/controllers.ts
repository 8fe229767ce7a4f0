// Plays controllers of a cluster: each function changes objects as its model does, on its own account.
import { expect } from 'vitest'
import type { KubeClient } from '../../lib/kube/client.ts'
import type { KubeObject, ObjectRef } from '../../lib/kube/types.ts'
import { eventually } from '../eventually.ts'

/** A live object whose fields a test knows. */
export interface LiveObject extends KubeObject {
  readonly spec?: Fields
  readonly status?: Fields
  readonly webhooks?: readonly Fields[]
  readonly rules?: readonly Fields[]
  readonly secrets?: readonly Fields[]
  readonly imagePullSecrets?: readonly Fields[]
}

export interface Fields {
  readonly [field: string]: unknown
}

/** Names whoever changes something. */
const by = (manager: string) => ({ type: 'merge', fieldManager: manager }) as const

/** Fills in a status, as whoever owns the kind does. */
export async function report(client: KubeClient, ref: ObjectRef, status: Fields): Promise<void> {
  await client.patch(ref, { status }, { ...by('some-operator'), subresource: 'status' })
}

/** An autoscaler has decided on a number. */
export async function scale(client: KubeClient, ref: ObjectRef, replicas: number): Promise<void> {
  await client.patch(ref, { spec: { replicas } }, { ...by('horizontal-pod-autoscaler'), subresource: 'scale' })
}

/** Tools mark what they have seen. */
export async function mark(client: KubeClient, ref: ObjectRef, value = 'seen'): Promise<void> {
  const metadata = {
    labels: { 'tool.example.org/mark': value },
    annotations: { 'kubectl.kubernetes.io/last-applied-configuration': `{"by":"${value}"}` },
  }
  await client.patch(ref, { metadata }, by('some-tool'))
}

/** Puts a certificate into all webhooks of a configuration. */
export async function injectIntoWebhooks(client: KubeClient, ref: ObjectRef, certificate: string): Promise<void> {
  const { webhooks = [] } = await client.get<LiveObject>(ref)
  const injected = webhooks.map((webhook) => ({ ...webhook, clientConfig: { ...(webhook.clientConfig as Fields), caBundle: certificate } }))
  await client.patch(ref, { webhooks: injected }, by('ca-injector'))
}

/** A volume was found for a claim. */
export async function bind(client: KubeClient, ref: ObjectRef): Promise<void> {
  const annotations = { 'pv.kubernetes.io/bind-completed': 'yes', 'pv.kubernetes.io/bound-by-controller': 'yes' }
  await client.patch(ref, { metadata: { annotations }, spec: { volumeName: `volume-of-${ref.namespace}` } }, by('kube-controller-manager'))
  await report(client, ref, { phase: 'Bound', accessModes: ['ReadWriteMany'], capacity: { storage: '2Gi' } })
}

/** The pods of a job come to a good end; waits until the job is complete, or gone. */
export async function finish(client: KubeClient, job: ObjectRef): Promise<void> {
  await eventually(
    async () => {
      const pods = await client.list<LiveObject>(
        { apiVersion: 'v1', kind: 'Pod' },
        { namespace: job.namespace ?? '', labelSelector: `batch.kubernetes.io/job-name=${job.name}` },
      )
      for (const { metadata, status } of pods.items)
        if (status?.phase === 'Pending')
          await report(
            client,
            { apiVersion: 'v1', kind: 'Pod', name: metadata.name, namespace: metadata.namespace ?? '' },
            { phase: 'Succeeded' },
          )
      const live = await client.find<LiveObject>(job)
      if (live) expect(live.status).toMatchObject({ succeeded: 1, completionTime: expect.anything() })
    },
    { what: `job ${job.name} complete` },
  )
}

/** A tool that restarts workloads, or looks into them, adds variables and containers of its own to their template. */
export async function inject(client: KubeClient, ref: ObjectRef): Promise<void> {
  const live = await client.get<LiveObject>(ref)
  const template = live.spec?.template as { metadata: Fields; spec: { containers: Fields[] } }
  const [first, ...others] = template.spec.containers
  const env = [{ name: 'INJECTED_FIRST', value: '1' }, ...((first?.env ?? []) as Fields[]), { name: 'INJECTED_LAST', value: '2' }]
  const proxy = { name: 'proxy', image: 'example.org/proxy:1.0' }
  const annotations = { 'kubectl.kubernetes.io/restartedAt': '2031-01-01T00:00:00Z' }
  const spec = { containers: [proxy, { ...first, env }, ...others] }
  await client.patch(ref, { spec: { template: { metadata: { annotations }, spec } } }, by('injector'))
}
