// Tokens of service accounts that do not end: the API server fills them into a secret that names the account (spec 3.3).
import { WaitingError } from '../lib/controller/errors.ts'
import type { KubeClient } from '../lib/kube/client.ts'
import { isAlreadyExists } from '../lib/kube/errors.ts'
import type { KubeObject } from '../lib/kube/types.ts'
import type { RegistrationInformers } from './informers.ts'
import { ownedBy, SECRET, SERVICE_ACCOUNT, type Secret, secretText } from './kinds.ts'

const ACCOUNT_ANNOTATION = 'kubernetes.io/service-account.name'
/** The secret's event comes first; this is for one that got lost. */
const LOOK_AGAIN_MS = 2_000

/** The token of an account; makes the secret for it on demand. Throws WaitingError until the account and the token are there. */
export async function accountToken(
  client: KubeClient,
  { accountTokens }: Pick<RegistrationInformers, 'accountTokens'>,
  account: KubeObject | undefined,
  where: { readonly name: string; readonly namespace: string },
): Promise<string> {
  const { name, namespace } = where
  if (!account?.metadata.uid) throw waiting(`service account ${namespace}/${name}`)
  const secret = accountTokens.get(tokenSecretName(name), namespace)
  const token = secretText(secret, 'token')
  if (token) return token
  if (!secret) await createTokenSecret(client, account, tokenSecretName(name))
  throw waiting(`the token of service account ${namespace}/${name}`)
}

/** The secret with the token of an account. */
function tokenSecretName(account: string): string {
  return `${account}-token`
}

/** The account of a secret with a token; undefined for other secrets. */
export function accountOf(secret: KubeObject): string | undefined {
  return secret.metadata.annotations?.[ACCOUNT_ANNOTATION]
}

/** Makes a secret that the API server fills with a token of an account; an account may have several, and each ends with its secret. */
export async function createTokenSecret(client: KubeClient, account: KubeObject, secretName: string): Promise<void> {
  const { name, namespace = '' } = account.metadata
  const secret: Secret = {
    ...SECRET,
    metadata: {
      name: secretName,
      namespace,
      annotations: { [ACCOUNT_ANNOTATION]: name },
      ownerReferences: [ownedBy({ ...SERVICE_ACCOUNT, metadata: account.metadata })],
    },
    type: 'kubernetes.io/service-account-token',
  }
  try {
    await client.create(secret)
  } catch (error) {
    if (!isAlreadyExists(error)) throw error
  }
}

function waiting(what: string): WaitingError {
  return new WaitingError(`waits for ${what}`, { reason: 'WaitingForToken', retryAfterMs: LOOK_AGAIN_MS })
}
