// A new credential that the hub offers is taken up before the old one ends. The hub says so in its answer to the agent's report, so this costs no request until then.
import type { Cluster } from '../../api/cluster.ts'
import { AGENT_NAME } from '../../api/labels.ts'
import { messageOf } from '../../lib/controller/errors.ts'
import type { KubeClient } from '../../lib/kube/client.ts'
import { parseYaml } from '../../lib/yaml/parse.ts'
import { stringifyYaml } from '../../lib/yaml/stringify.ts'
import { openHub } from './hub.ts'
import { tryList } from './judge.ts'
import type { RegistrationOptions } from './options.ts'
import { readSecrets, type Secret, secretText, storeCredential, upstreamOf } from './secrets.ts'

/** The agent's part in the exchange of its credential. */
export interface Rotation {
  /** Name of the secret on the hub that the token in use comes from: for `status.agent.credential` of each report. Undefined for other tokens. */
  readonly credential: string | undefined
  /** To be called with the hub's answer to each report. Stores the credential that is offered; `watchCredential` then starts over with it. Never throws. */
  answered(cluster: Cluster, signal: AbortSignal): Promise<void>
}

export interface RotationOptions extends RegistrationOptions {
  /** What the agent works with, as `ensureRegistered` gave it. */
  readonly kubeconfig: string
  /** The client of that kubeconfig, and the namespace of its context. */
  readonly hub: { readonly client: KubeClient; readonly namespace: string }
}

const CALL_MS = 30_000
const SECRET_CLAIM = 'kubernetes.io/serviceaccount/secret.name'

/** For one connection to the hub. */
export function createRotation(options: RotationOptions): Rotation {
  const { kubeconfig, log, namespace } = options
  const credential = secretOfToken(tokenOf(kubeconfig))
  return {
    credential,
    async answered(cluster, signal) {
      const offered = cluster.status?.agentCredential
      if (!offered || offered === credential) return
      try {
        if (await takeUp(offered, options, signal))
          log.info({ secret: `${namespace}/${AGENT_NAME}`, offered }, 'a new credential of the hub is stored')
      } catch (error) {
        if (!signal.aborted)
          log.warn(
            { offered, reason: messageOf(error) },
            'the new credential of the hub could not be taken up, trying with the next report',
          )
      }
    },
  }
}

/** False when there is nothing to take up yet. In this order nothing can get lost: the new credential works before it is stored, and only its use ends the old one. */
async function takeUp(offered: string, options: RotationOptions, signal: AbortSignal): Promise<boolean> {
  const { hub, kubeconfig } = options
  const { credential: stored } = await readSecrets(options, signal)
  // somebody has replaced it: that one is looked at elsewhere
  if (!stored || secretText(stored, 'kubeconfig') !== kubeconfig) return false
  const ref = { apiVersion: 'v1', kind: 'Secret', namespace: hub.namespace, name: offered }
  const token = secretText(await hub.client.find<Secret>(ref, { signal, timeoutMs: CALL_MS }), 'token')
  if (!token) return false
  const next = withToken(kubeconfig, token)
  const opened = await openHub(next, options)
  try {
    await tryList(opened, signal)
  } finally {
    await opened.client.close()
  }
  await storeCredential(options, { ...upstreamOf(stored), kubeconfig: next }, stored, signal)
  return true
}

interface Kubeconfig {
  readonly users?: readonly { readonly name: string; readonly user?: { readonly token?: unknown } }[]
}

function tokenOf(kubeconfig: string): string {
  const token = parsed(kubeconfig).users?.[0]?.user?.token
  return typeof token === 'string' ? token : ''
}

/** The kubeconfig with another token; agents have one user in it. */
function withToken(kubeconfig: string, token: string): string {
  const config = parsed(kubeconfig)
  return stringifyYaml({ ...config, users: config.users?.map((entry) => ({ ...entry, user: { ...entry.user, token } })) })
}

function parsed(kubeconfig: string): Kubeconfig {
  return (parseYaml(kubeconfig) ?? {}) as Kubeconfig
}

/** The secret that a token of a service account was made for, as its second part says. */
function secretOfToken(token: string): string | undefined {
  try {
    const claims = JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString('utf8')) as Record<string, unknown>
    const name = claims[SECRET_CLAIM]
    return typeof name === 'string' ? name : undefined
  } catch {
    return undefined // a token of another make
  }
}
