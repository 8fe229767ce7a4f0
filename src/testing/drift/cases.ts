// What controllers do to the objects of each chart of testdata/drift, and a change by a user that must not be passed over.
import { expect } from 'vitest'
import { listAt } from '../../lib/kstatus/fields.ts'
import type { ObjectRef } from '../../lib/kube/types.ts'
import { eventually } from '../eventually.ts'
import { bind, type Fields, finish, inject, injectIntoWebhooks, type LiveObject, mark, report, scale } from './controllers.ts'
import type { Place } from './scene.ts'

/** A change by hand. */
interface Change {
  readonly target: ObjectRef
  /** the merge patch that makes it */
  readonly patch: (live: LiveObject) => object
  /** the merge patch that undoes it, in the words of the report */
  readonly undo: (before: LiveObject) => object
  /** what the object holds when it is undone, if this is not what the report says */
  readonly undone?: object
}

interface Case {
  readonly chart: string
  /** Plays the controllers that the cluster of the test does not have, and waits for those that it has. */
  readonly controllers: (place: Place) => Promise<void>
  readonly change: (place: Place) => Change
}

const named =
  (apiVersion: string, kind: string) =>
  ({ namespace }: Pick<Place, 'namespace'>, name: string): ObjectRef => ({ apiVersion, kind, name, namespace })
const global =
  (apiVersion: string, kind: string) =>
  (name: string): ObjectRef => ({ apiVersion, kind, name })

const configMap = named('v1', 'ConfigMap')
const secret = named('v1', 'Secret')
const service = named('v1', 'Service')
const account = named('v1', 'ServiceAccount')
const claim = named('v1', 'PersistentVolumeClaim')
const deployment = named('apps/v1', 'Deployment')
const daemonSet = named('apps/v1', 'DaemonSet')
const statefulSet = named('apps/v1', 'StatefulSet')
const job = named('batch/v1', 'Job')
const cronJob = named('batch/v1', 'CronJob')
const autoscaler = named('autoscaling/v2', 'HorizontalPodAutoscaler')
const ingress = named('networking.k8s.io/v1', 'Ingress')
const networkPolicy = named('networking.k8s.io/v1', 'NetworkPolicy')
const budget = named('policy/v1', 'PodDisruptionBudget')
const quota = named('v1', 'ResourceQuota')
const definition = global('apiextensions.k8s.io/v1', 'CustomResourceDefinition')
const validating = global('admissionregistration.k8s.io/v1', 'ValidatingWebhookConfiguration')
const mutating = global('admissionregistration.k8s.io/v1', 'MutatingWebhookConfiguration')
const clusterRole = global('rbac.authorization.k8s.io/v1', 'ClusterRole')

/** Another image for the container `name` of a workload. */
function imageChange(target: ObjectRef, name: string): Change {
  const containers = (live: LiveObject) => listAt(live, 'spec', 'template', 'spec', 'containers') as Fields[]
  const withContainers = (list: readonly Fields[]) => ({ spec: { template: { spec: { containers: list } } } })
  return {
    target,
    patch: (live) =>
      withContainers(
        containers(live).map((container) => (container.name === name ? { ...container, image: 'example.org/other' } : container)),
      ),
    undo: (before) => withContainers(containers(before)),
  }
}

function fieldChange(target: ObjectRef, change: object, undo: object): Change {
  return { target, patch: () => change, undo: () => undo }
}

export const CASES: readonly Case[] = [
  {
    chart: 'defaults',
    async controllers(place) {
      await inject(place.client, deployment(place, 'web'))
      await eventually(async () => {
        const { metadata } = await place.client.get(deployment(place, 'web'))
        expect(metadata.annotations?.['deployment.kubernetes.io/revision']).toBe('2')
      })
      await mark(place.client, daemonSet(place, 'node'))
    },
    change: (place) => imageChange(daemonSet(place, 'node'), 'node'),
  },
  {
    chart: 'autoscaled',
    async controllers({ client, ...place }) {
      await scale(client, deployment(place, 'web'), 5)
      await scale(client, statefulSet(place, 'queue'), 1)
      const condition = { type: 'AbleToScale', status: 'True', lastTransitionTime: '2031-01-01T00:00:00Z', reason: 'x', message: 'y' }
      for (const name of ['web', 'queue'])
        await report(client, autoscaler(place, name), { currentReplicas: 5, desiredReplicas: 5, conditions: [condition] })
    },
    change: (place) => imageChange(deployment(place, 'web'), 'web'),
  },
  {
    chart: 'webhooks',
    async controllers({ client, name, group, certificate }) {
      await injectIntoWebhooks(client, validating(`${name}.${group}`), certificate)
      await injectIntoWebhooks(client, mutating(`${name}.${group}`), certificate)
      const conversion = { webhook: { clientConfig: { caBundle: certificate } } }
      await client.patch(definition(`converted.${group}`), { spec: { conversion } }, { type: 'merge', fieldManager: 'ca-injector' })
    },
    change: ({ name, group }) => ({
      target: validating(`${name}.${group}`),
      patch: ({ webhooks = [] }) => ({ webhooks: webhooks.map((webhook) => ({ ...webhook, failurePolicy: 'Fail' })) }),
      undo: ({ webhooks }) => ({ webhooks }),
      undone: { webhooks: [{ failurePolicy: 'Ignore' }, { failurePolicy: 'Ignore' }] }, // the injector will have to come again
    }),
  },
  {
    chart: 'operator',
    async controllers({ client, group, namespace }) {
      const widget = (name: string) => ({ apiVersion: `${group}/v1`, kind: 'Widget', name, namespace })
      for (const name of ['full', 'bare']) {
        const metadata = { finalizers: [`${group}/hold`], annotations: { [`${group}/seen`]: 'yes' } }
        await client.patch(widget(name), { metadata, spec: { free: { added: [1] } } }, { type: 'merge', fieldManager: 'operator' })
        await report(client, widget(name), { conditions: [{ type: 'Ready', status: 'True' }], observed: 1 })
      }
    },
    change: ({ group, namespace }) =>
      fieldChange(
        { apiVersion: `${group}/v1`, kind: 'Widget', name: 'full', namespace },
        { spec: { size: 7, port: 8080 } },
        { spec: { port: '8080', size: 5 } },
      ),
  },
  {
    chart: 'nulls',
    async controllers({ client, ...place }) {
      for (const ref of [configMap(place, 'bare'), secret(place, 'bare'), account(place, 'web'), networkPolicy(place, 'deny')])
        await mark(client, ref)
    },
    change: (place) => fieldChange(configMap(place, 'settings'), { data: { colour: 'blue' } }, { data: { colour: 'red' } }),
  },
  {
    chart: 'jobs',
    async controllers({ client, ...place }) {
      await finish(client, job(place, 'migrate'))
      await finish(client, job(place, 'once'))
      await eventually(async () => expect(await client.find(job(place, 'once'))).toBeUndefined(), { what: 'a job that is done goes' })
      await report(client, cronJob(place, 'nightly'), { lastScheduleTime: '2031-01-01T00:00:00Z' })
    },
    change: (place) =>
      fieldChange(cronJob(place, 'nightly'), { spec: { suspend: true, schedule: '0 1 * * *' } }, { spec: { schedule: '0 3 1 1 *' } }),
  },
  {
    chart: 'stateful',
    async controllers({ client, ...place }) {
      await bind(client, claim(place, 'shared'))
      await eventually(async () => expect(await client.find(claim(place, 'data-db-0'))).toBeDefined())
      await mark(client, statefulSet(place, 'db'))
    },
    change: (place) => imageChange(statefulSet(place, 'db'), 'db'),
  },
  {
    chart: 'rights',
    async controllers({ client, name, ...place }) {
      for (const role of [`${name}-gathered`, `${name}-gathered-too`])
        await eventually(async () => expect((await client.get<LiveObject>(clusterRole(role))).rules).toHaveLength(2), {
          what: `${role} filled`,
        })
      const { secrets = [], imagePullSecrets = [] } = await client.get<LiveObject>(account(place, 'robot'))
      const added = { name: 'robot-dockercfg-x7' }
      const filled = { secrets: [added, ...secrets], imagePullSecrets: [...imagePullSecrets, added] }
      await client.patch(account(place, 'robot'), filled, { type: 'merge', fieldManager: 'openshift-controller-manager' })
    },
    change: ({ name }) => ({
      target: clusterRole(`${name}-part`),
      patch: ({ rules = [] }) => ({ rules: [...rules, { apiGroups: [''], resources: ['secrets'], verbs: ['*'] }] }),
      undo: ({ rules }) => ({ rules }),
    }),
  },
  {
    chart: 'secrets',
    async controllers({ client, ...place }) {
      for (const ref of [secret(place, 'plain'), secret(place, 'both'), secret(place, 'fixed'), configMap(place, 'fixed')])
        await mark(client, ref)
      await client.patch(secret(place, 'plain'), { data: { added: 'eA==' } }, { type: 'merge', fieldManager: 'some-tool' })
    },
    change: (place) => ({
      ...fieldChange(secret(place, 'plain'), { data: { password: 'eA==' } }, { data: { password: '***' } }),
      undone: { data: { password: 'c3dvcmRmaXNo' } },
    }),
  },
  {
    chart: 'network',
    async controllers({ client, ...place }) {
      const status = { loadBalancer: { ingress: [{ ip: '192.0.2.1' }] } }
      await report(client, service(place, 'outside'), status)
      await report(client, ingress(place, 'web'), status)
      await client.patch(service(place, 'outside'), { spec: { loadBalancerIP: '192.0.2.1' } }, { type: 'merge', fieldManager: 'cloud' })
      for (const ref of [
        service(place, 'outside'),
        ingress(place, 'web'),
        deployment(place, 'web'),
        budget(place, 'web'),
        quota(place, 'all'),
      ])
        await mark(client, ref)
    },
    change: (place) => ({
      target: ingress(place, 'web'),
      patch: ({ spec }) => ({ spec: { rules: [{ ...(spec?.rules as Fields[] | undefined)?.[0], host: 'evil.example.org' }] } }),
      undo: ({ spec }) => ({ spec: { rules: spec?.rules } }),
    }),
  },
]
