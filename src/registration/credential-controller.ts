import { AGENT_CREDENTIAL_SECRET, CLUSTER_LABEL } from '../api/labels.ts'
import { registrationNamespace } from '../api/names.ts'
import { type Controller, createController, type ReconcileResult } from '../lib/controller/controller.ts'
import { keyOf, parseKey } from '../lib/controller/keys.ts'
import { refOf } from '../lib/kube/paths.ts'
import type { KubeObject } from '../lib/kube/types.ts'
import type { Secret } from './kinds.ts'
import type { RegistrationDeps } from './settings.ts'

/** An agent fetches its credential within seconds and gives up after half an hour (spec 0.4). */
const CREDENTIAL_LIFE_MS = 40 * 60_000

/** Deletes credentials that an agent has had time enough to fetch (spec 3.4). */
export function createCredentialController(deps: RegistrationDeps): Controller {
  const { client, clock, settings } = deps
  const secrets = deps.informers.managed.Secret
  const namespace = registrationNamespace(settings.systemNamespace)
  const log = deps.log.child({ controller: 'registrationcredential' })

  async function reconcile(key: string): Promise<ReconcileResult | undefined> {
    const { name } = parseKey(key)
    const secret = secrets.get(name, namespace)
    if (!secret || !isCredential(secret) || secret.metadata.deletionTimestamp) return undefined
    const left = Date.parse(secret.metadata.creationTimestamp ?? '') + CREDENTIAL_LIFE_MS - clock.now()
    if (left > 0) return { requeueAfterMs: left }
    await client.delete(refOf(secret), secret.metadata.uid ? { uid: secret.metadata.uid } : {})
    log.info({ secret: key }, 'old registration credential deleted')
    return undefined
  }

  const { workers, metrics } = deps
  const controller = createController({ name: 'registrationcredential', workers, reconcile, clock, log: deps.log, metrics })
  controller.watch(secrets, ({ object }) => (object.metadata.namespace === namespace && isCredential(object) ? [keyOf(object)] : []))
  return controller
}

function isCredential(secret: KubeObject): boolean {
  return (secret as Secret).type === AGENT_CREDENTIAL_SECRET && Boolean(secret.metadata.labels?.[CLUSTER_LABEL])
}
