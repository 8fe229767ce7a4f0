import { CLUSTER, CLUSTER_GROUP, GIT_REPO } from '../api/kinds.ts'
import { CONTROLLER_CONFIG_NAME, SET_HASH_LABEL } from '../api/labels.ts'
import type { Toleration } from '../api/pod-types.ts'
import { type Controller, createController } from '../lib/controller/controller.ts'
import { WaitingError } from '../lib/controller/errors.ts'
import { inParallel } from '../lib/controller/parallel.ts'
import { refOf } from '../lib/kube/paths.ts'
import type { KubeObject, ResourceType } from '../lib/kube/types.ts'
import { accountToken } from './account-token.ts'
import { bootstrapData, DATA_SET } from './bootstrap-data.ts'
import { LOCAL_SET, type LocalAccess, localObjects, tokenKubeconfig, wantsLocal } from './bootstrap-local.ts'
import { DEPLOYMENT, SECRET, SERVICE_ACCOUNT } from './kinds.ts'
import { carryOut, changesAnything, type LiveSet, planSet } from './object-set.ts'
import { hashOfSet, type SetIdentity } from './set-identity.ts'
import type { RegistrationDeps } from './settings.ts'

const DATA = 'data'
const LOCAL = 'local'
/** The account that the agent of the local cluster is installed with; the chart makes it. */
const BOOTSTRAP_ACCOUNT = 'fleet-controller-bootstrap'
const PARALLEL = 16

/** Makes what agents and the local cluster need, at the start, when the configuration changes and when it is removed (spec 2.4). */
export function createBootstrapController(deps: RegistrationDeps): Controller {
  const { client, clock, config, connection, informers, settings, metrics } = deps
  const log = deps.log.child({ controller: 'bootstrap' })

  async function reconcile(key: string): Promise<undefined> {
    const done = key === DATA ? await applySet({ id: DATA_SET }, bootstrapData(settings.systemNamespace), []) : await bootstrapLocal()
    if (done) log.info({ set: key }, 'bootstrap objects applied')
    return undefined
  }

  async function bootstrapLocal(): Promise<boolean> {
    const hub = config.current()
    if (!hub) throw new WaitingError('waits for a configuration that can be read: see ConfigMap fleet-controller')
    if (!settings.bootstrap || !wantsLocal(hub.bootstrap)) return false
    const objects = localObjects(hub.bootstrap, await localAccess(), await ownTolerations())
    return applySet({ id: LOCAL_SET }, objects, [SECRET, CLUSTER, CLUSTER_GROUP, GIT_REPO])
  }

  async function applySet(set: SetIdentity, objects: readonly KubeObject[], pruned: readonly ResourceType[]): Promise<boolean> {
    const plan = planSet(set, objects, await liveSet(set, objects, pruned))
    if (!changesAnything(plan) && plan.leaving.length === 0) return false
    await carryOut(client, plan)
    return true
  }

  async function liveSet(set: SetIdentity, objects: readonly KubeObject[], pruned: readonly ResourceType[]): Promise<LiveSet> {
    const labelSelector = `${SET_HASH_LABEL}=${hashOfSet(set)}`
    const [found, members] = await Promise.all([
      inParallel(objects, PARALLEL, (object) => client.find(refOf(object))),
      inParallel(pruned, PARALLEL, (type) => client.list(type, { labelSelector })),
    ])
    const find: LiveSet['find'] = (ref) =>
      found.find((object) => object?.kind === ref.kind && object.metadata.name === ref.name && object.metadata.namespace === ref.namespace)
    return { find, members: members.flatMap(({ items }) => items) }
  }

  async function localAccess(): Promise<LocalAccess> {
    const headers = await connection.authorize()
    const { ca: given } = connection.tls()
    const ca = typeof given === 'string' ? given : '' // a list is that of the system
    const { server } = connection
    const where = { name: BOOTSTRAP_ACCOUNT, namespace: settings.systemNamespace }
    const account = await client.find({ ...SERVICE_ACCOUNT, ...where })
    if (account) return { server, ca, kubeconfig: tokenKubeconfig(server, ca, await accountToken(client, informers, account, where)) }
    log.warn(
      { account: BOOTSTRAP_ACCOUNT, namespace: where.namespace },
      'service account for the local cluster is missing, using our own identity',
    )
    const [, own] = /^Bearer (\S+)$/.exec(String(headers.authorization ?? '')) ?? []
    return { server, ca, kubeconfig: own ? tokenKubeconfig(server, ca, own) : connection.toKubeconfig() }
  }

  async function ownTolerations(): Promise<readonly Toleration[]> {
    const ref = { ...DEPLOYMENT, name: CONTROLLER_CONFIG_NAME, namespace: settings.systemNamespace }
    const deployment = (await client.find(ref)) as Workload | undefined
    return deployment?.spec?.template?.spec?.tolerations ?? []
  }

  const controller = createController({ name: 'bootstrap', workers: 2, reconcile, clock, log: deps.log, metrics })
  for (const key of [DATA, LOCAL]) controller.enqueue(key)
  config.onChange(() => controller.enqueue(LOCAL))
  controller.watch(informers.dataRoles, ({ type }) => (type === 'added' ? [] : [DATA]))
  controller.watch(informers.accountTokens, ({ type, object: { metadata } }) => {
    const ours = metadata.namespace === settings.systemNamespace && metadata.name === `${BOOTSTRAP_ACCOUNT}-token`
    return ours && type !== 'added' ? [LOCAL] : []
  })
  return controller
}

interface Workload extends KubeObject {
  readonly spec?: { readonly template?: { readonly spec?: { readonly tolerations?: readonly Toleration[] } } }
}
