// The old `auth-provider` of kubeconfigs (OIDC with refresh tokens). The library that knows it is large: it is loaded only when such a user is met.
import { KubeConfig } from '@kubernetes/client-node'
import type { ExecCredential } from './exec-credential.ts'
import { type ClusterEntry, KubeconfigError, type UserEntry } from './kubeconfig.ts'

const TIMEOUT_MS = 30_000
/** The library keeps the token until it ends by itself, so asking again is cheap. */
const ASK_AGAIN_MS = 60_000

/** The current token of the provider; refreshed if it has ended. Throws KubeconfigError. */
export async function authProviderCredential(
  provider: NonNullable<UserEntry['auth-provider']>,
  cluster: ClusterEntry,
): Promise<ExecCredential> {
  if (provider.name !== 'oidc')
    throw new KubeconfigError(`the auth-provider ${provider.name} is not supported: use an exec plugin (users[].user.exec) instead`)
  const config = new KubeConfig()
  config.loadFromOptions({
    clusters: [{ name: 'cluster', server: cluster.server }],
    users: [{ name: 'user', authProvider: provider }],
    contexts: [{ name: 'context', cluster: 'cluster', user: 'user' }],
    currentContext: 'context',
  })
  const options: { headers: Record<string, string> } = { headers: {} }
  let timer: NodeJS.Timeout | undefined
  const limit = new Promise<never>((_, reject) => {
    timer = setTimeout(
      () => reject(new KubeconfigError(`the identity provider of the kubeconfig did not answer within ${TIMEOUT_MS / 1_000} s`)),
      TIMEOUT_MS,
    )
  })
  await Promise.race([config.applyToHTTPSOptions(options), limit]).finally(() => clearTimeout(timer))
  const token = options.headers.Authorization?.replace(/^Bearer /, '')
  if (!token) throw new KubeconfigError('the identity provider of the kubeconfig gave no token: log in again')
  return { token, expiresAt: Date.now() + ASK_AGAIN_MS }
}
