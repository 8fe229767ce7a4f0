// The conversation with the hub: ask to become a cluster, wait for the credential (spec 3.4, 3.5).
import type { ClusterRegistration } from '../../api/cluster-registration.ts'
import { CLUSTER_REGISTRATION } from '../../api/kinds.ts'
import { CREATED_BY_AGENT_POD_LABEL, REGISTRATION_TOKEN_LABEL } from '../../api/labels.ts'
import { registrationSecretName } from '../../api/names.ts'
import { type Clock, sleep } from '../../lib/controller/clock.ts'
import { messageOf } from '../../lib/controller/errors.ts'
import type { Logger } from '../../lib/controller/log.ts'
import type { KubeClient } from '../../lib/kube/client.ts'
import { isForbidden } from '../../lib/kube/errors.ts'
import type { Bootstrap } from './bootstrap.ts'
import { isRefusal, isUnauthorized } from './judge.ts'
import { type Secret, secretText } from './secrets.ts'

/** What the hub gives a registered agent. Holds a token: not for logs. */
export interface Grant {
  readonly token: string
  readonly deploymentNamespace: string
  readonly cluster: { readonly namespace: string; readonly name: string }
}

/** What the agent says of itself. */
export interface Applicant {
  readonly clientID: string
  /** Known to nobody else: the name of the credential on the hub is made of it. */
  readonly clientRandom: string
  readonly labels: Readonly<Record<string, string>>
  readonly podName: string
}

export interface GrantOptions {
  /** With the bootstrap token. */
  readonly hub: KubeClient
  readonly bootstrap: Bootstrap
  readonly clock: Clock
  readonly log: Logger
  /** Asked now and then: false when waiting has become pointless. */
  stillWanted(): Promise<boolean>
}

const POLL_MS = 2_000
const POLL_CALL_MS = 15_000
const GRANT_MS = 30 * 60_000
const REPORT_MS = 5 * 60_000
/** Polls between two questions whether the registration is still wanted. */
const POLLS_PER_CHECK = 5
const REFUSALS = 3
const MAX_LABEL = 63
const NEEDED = ['token', 'deploymentNamespace', 'clusterNamespace', 'clusterName'] as const

/** Creates the request. The hub removes earlier ones of the same client when it grants this one, so whatever an interrupted attempt has left goes by itself. */
export async function requestRegistration({ hub, bootstrap, log }: GrantOptions, applicant: Applicant, signal: AbortSignal): Promise<void> {
  const { clusterNamespace: namespace, tokenName } = bootstrap
  if (!tokenName) log.warn({}, 'the bootstrap secret has no tokenName: the hub may not let this agent read its credential')
  try {
    const created = await hub.create<ClusterRegistration>(
      {
        ...CLUSTER_REGISTRATION,
        metadata: {
          name: '',
          generateName: 'request-',
          namespace,
          ...(tokenName ? { labels: { [REGISTRATION_TOKEN_LABEL]: tokenName } } : {}),
        },
        spec: { clientID: applicant.clientID, clientRandom: applicant.clientRandom, clusterLabels: labelsOf(applicant) },
      },
      { signal },
    )
    log.info(
      { hub: hub.server, registration: `${namespace}/${created.metadata.name}` },
      'registration requested, waiting for the hub to grant it',
    )
  } catch (error) {
    if (isRefusal(error)) throw refusedToken(error)
    throw error
  }
}

/** Looks for the credential until the hub has put it there. Throws after 30 minutes, when the bootstrap token is refused, and when the registration is not wanted any more. */
export async function awaitGrant(
  { hub, bootstrap, clock, log, stillWanted }: GrantOptions,
  applicant: Applicant,
  signal: AbortSignal,
): Promise<Grant> {
  const name = registrationSecretName(applicant.clientID, applicant.clientRandom)
  const ref = { apiVersion: 'v1', kind: 'Secret', namespace: bootstrap.registrationNamespace, name }
  const end = clock.now() + GRANT_MS
  let reportAt = clock.now() + REPORT_MS
  let refusals = 0
  let missing = ''
  for (let polls = 1; clock.now() < end; polls++) {
    await sleep(clock, POLL_MS, signal)
    if (polls % POLLS_PER_CHECK === 0 && !(await stillWanted())) throw new Error('the bootstrap secret has changed during the registration')
    try {
      const grant = grantOf(await hub.find<Secret>(ref, { signal, timeoutMs: POLL_CALL_MS }))
      if (grant) return grant
      missing = 'the credential is not there yet'
      refusals = 0
    } catch (error) {
      signal.throwIfAborted()
      // what is not granted yet may not be looked at either
      missing = isForbidden(error) ? 'the hub has not granted the registration yet' : messageOf(error)
      refusals = isUnauthorized(error) ? refusals + 1 : 0
      if (refusals >= REFUSALS) throw refusedToken(error)
    }
    if (clock.now() < reportAt) continue
    reportAt += REPORT_MS
    log.info(
      { hub: hub.server, reason: missing, leftMs: Math.max(end - clock.now(), 0) },
      'still waiting for the hub to grant the registration',
    )
  }
  throw new Error(`the hub did not grant the registration within ${GRANT_MS / 60_000} minutes: ${missing}`)
}

/** What the credential secret of the hub says; undefined as long as it does not say everything. */
function grantOf(secret: Secret | undefined): Grant | undefined {
  if (!NEEDED.every((key) => secretText(secret, key))) return undefined
  const read = (key: string): string => secretText(secret, key).trim()
  return {
    token: read('token'),
    deploymentNamespace: read('deploymentNamespace'),
    cluster: { namespace: read('clusterNamespace'), name: read('clusterName') },
  }
}

/** The labels of the settings, and the pod. A host name may be longer than a label, and no label at its edges. */
function labelsOf({ labels, podName }: Applicant): Record<string, string> {
  const pod = podName
    .replaceAll(/[^A-Za-z0-9._-]/g, '-')
    .slice(0, MAX_LABEL)
    .replaceAll(/^[._-]+|[._-]+$/g, '')
  return { ...labels, ...(pod ? { [CREATED_BY_AGENT_POD_LABEL]: pod } : {}) }
}

function refusedToken(error: unknown): Error {
  return new Error(
    `the hub refuses the token of the bootstrap secret, it may have expired (${messageOf(error)}): import the cluster again or install chart fleet-agent with a new token`,
  )
}
