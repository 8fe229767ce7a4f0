// The token with which an imported cluster registers: made on demand, owned by its cluster, good for twelve hours (spec 3.2).
import type { Cluster } from '../api/cluster.ts'
import type { ClusterRegistrationToken } from '../api/cluster-registration-token.ts'
import { CLUSTER_REGISTRATION_TOKEN } from '../api/kinds.ts'
import { importTokenName } from '../api/names.ts'
import { WaitingError } from '../lib/controller/errors.ts'
import { isAlreadyExists } from '../lib/kube/errors.ts'
import { refOf } from '../lib/kube/paths.ts'
import { ownedBy, type Secret } from './kinds.ts'
import type { RegistrationDeps } from './settings.ts'

/** As Go writes twelve hours. */
const IMPORT_TOKEN_TTL = '12h0m0s'
/** The token's own events come first; this is for one that got lost. */
const LOOK_AGAIN_MS = 2_000

/** An agent that is to be installed gets a token that lasts: pulling its image may take a while. */
const LEAST_LEFT_MS = 60 * 60_000

/** The values secret of the cluster's import token; one that is about to end is replaced. Throws WaitingError until it is there. */
export async function importValues(
  { client, clock, informers }: Pick<RegistrationDeps, 'client' | 'clock' | 'informers'>,
  cluster: Cluster,
): Promise<Secret> {
  const { namespace = '' } = cluster.metadata
  const name = importTokenName(cluster.metadata.name)
  const token = informers.tokens.get(name, namespace)
  if (!token) await createToken(client, cluster, name)
  const ending = token?.status?.expires !== undefined && Date.parse(token.status.expires) - clock.now() < LEAST_LEFT_MS
  if (token && ending && !token.metadata.deletionTimestamp)
    await client.delete(refOf(token), token.metadata.uid ? { uid: token.metadata.uid } : {})
  const secret = token?.status?.secretName ? informers.managed.Secret.get(token.status.secretName, namespace) : undefined
  if (token?.metadata.deletionTimestamp || ending || !secret)
    throw new WaitingError(`waits for registration token ${namespace}/${name}`, { reason: 'WaitingForToken', retryAfterMs: LOOK_AGAIN_MS })
  return secret
}

async function createToken(client: RegistrationDeps['client'], cluster: Cluster, name: string): Promise<void> {
  const token: ClusterRegistrationToken = {
    ...CLUSTER_REGISTRATION_TOKEN,
    metadata: { name, namespace: cluster.metadata.namespace ?? '', ownerReferences: [ownedBy(cluster)] },
    spec: { ttl: IMPORT_TOKEN_TTL },
  }
  try {
    await client.create(token)
  } catch (error) {
    if (!isAlreadyExists(error)) throw error
  }
}
