import type { Cluster } from '../api/cluster.ts'
import { CLUSTER_LABEL, CLUSTER_MANAGEMENT_LABEL, CLUSTER_REGISTRATION_NAMESPACE_ANNOTATION, ROTATE_ANNOTATION } from '../api/labels.ts'
import { clusterNamespace } from '../api/names.ts'
import { removeCondition, setCondition } from '../lib/controller/conditions.ts'
import { type Controller, createController, type ReconcileResult } from '../lib/controller/controller.ts'
import { keyOf, parseKey } from '../lib/controller/keys.ts'
import { inParallel } from '../lib/controller/parallel.ts'
import { refOf } from '../lib/kube/paths.ts'
import { accountOf, createTokenSecret } from './account-token.ts'
import { changeStatus } from './change-status.ts'
import { requestAccount } from './grant.ts'
import { clustersOfRegistration, registrationsOf } from './informers.ts'
import type { Secret } from './kinds.ts'
import { type RotationStep, rotationCondition, rotationStep } from './rotation.ts'
import type { RegistrationDeps } from './settings.ts'

const OWNED = ['agentCredential', 'conditions']
const PARALLEL = 4
/** The token's own event comes first; this is for one that got lost. */
const LOOK_AGAIN_MS = 5_000

/** Gives agents another credential when the annotation of their cluster asks for it. */
export function createRotationController(deps: RegistrationDeps): Controller {
  const { client, clock, events, informers, statuses, workers, metrics } = deps
  const { clusters, registrations, managed, accountTokens } = informers
  const log = deps.log.child({ controller: 'credentialrotation' })

  async function reconcile(key: string): Promise<ReconcileResult | undefined> {
    const { name, namespace } = parseKey(key)
    const cached = clusters.get(name, namespace)
    if (!cached || cached.metadata.deletionTimestamp || cached.metadata.labels?.[CLUSTER_MANAGEMENT_LABEL]) return undefined
    const cluster = statuses.latest(cached)
    const own = clusterNamespace(namespace ?? '', name)
    const step = rotationStep(cluster, {
      registrations: registrationsOf(informers, cluster),
      accountOf: (registration) => requestAccount(registration, own).name,
      tokens: accountTokens.list(own),
    })
    if (step.kind === 'prepare' && !step.exists) await prepare(step, own)
    if (step.kind === 'finish') await revoke(cluster, step.revoke)
    await say(cluster, step)
    return step.kind === 'prepare' ? { requeueAfterMs: LOOK_AGAIN_MS } : undefined
  }

  async function prepare({ account, secret }: Extract<RotationStep, { kind: 'prepare' }>, namespace: string): Promise<void> {
    const owner = managed.ServiceAccount.get(account, namespace)
    if (owner) await createTokenSecret(client, owner, secret) // without it the registration's own controller is at work, and we are asked again
  }

  async function revoke(cluster: Cluster, secrets: readonly Secret[]): Promise<void> {
    await inParallel(secrets, PARALLEL, (secret) => client.delete(refOf(secret), secret.metadata.uid ? { uid: secret.metadata.uid } : {}))
    if (secrets.length === 0) return
    log.info({ cluster: keyOf(cluster), revoked: secrets.length }, 'credential of an agent rotated')
    const note = `the agent uses its new credential, ${secrets.length} older ended`
    events.event(cluster, { type: 'Normal', reason: 'CredentialsRotated', action: 'RotateCredentials', note })
  }

  async function say(cluster: Cluster, step: RotationStep): Promise<void> {
    const condition = rotationCondition(step)
    const agentCredential = step.kind === 'offer' || step.kind === 'finish' ? step.secret : undefined
    await changeStatus(
      deps,
      cluster,
      ({ status = {} }) => ({
        ...status,
        agentCredential,
        conditions: condition
          ? setCondition(status.conditions, condition, clock.now())
          : removeCondition(status.conditions, 'CredentialsRotated'),
      }),
      OWNED,
    )
  }

  const controller = createController({ name: 'credentialrotation', workers, reconcile, clock, log: deps.log, metrics })
  const isAsked = ({ metadata, status }: Cluster): boolean =>
    metadata.annotations?.[ROTATE_ANNOTATION] !== undefined || status?.agentCredential !== undefined
  controller.watch(clusters, ({ object, old }) => (isAsked(object) || (old && isAsked(old)) ? [keyOf(object)] : []))
  controller.watch(registrations, ({ object }) => asked(clustersOfRegistration(informers, object)))
  controller.watch(accountTokens, ({ object }) => {
    const account = managed.ServiceAccount.get(accountOf(object) ?? '', object.metadata.namespace)
    const { [CLUSTER_LABEL]: name, [CLUSTER_REGISTRATION_NAMESPACE_ANNOTATION]: namespace } = account?.metadata.annotations ?? {}
    return name && namespace ? asked([keyOf({ name, namespace })]) : []
  })
  return controller

  function asked(keys: readonly string[]): string[] {
    return keys.filter((key) => {
      const { name, namespace } = parseKey(key)
      const cluster = clusters.get(name, namespace)
      return cluster !== undefined && isAsked(cluster)
    })
  }
}
