// One registration from the bootstrap secret to the stored credential (spec 3.5). It may end anywhere: until the last step the bootstrap secret is there, and the next attempt starts anew.

import { randomBytes as machineRandomBytes } from 'node:crypto'
import { AGENT_BOOTSTRAP_NAME, AGENT_NAME } from '../../api/labels.ts'
import { randomToken } from '../../api/random-token.ts'
import { sleep } from '../../lib/controller/clock.ts'
import { messageOf } from '../../lib/controller/errors.ts'
import type { KubeClient } from '../../lib/kube/client.ts'
import type { Upstream } from '../upstream.ts'
import { type Bootstrap, readBootstrap } from './bootstrap.ts'
import { type Applicant, awaitGrant, type Grant, requestRegistration } from './grant.ts'
import { type Hub, kubeconfigText, openHub, pinnedCa } from './hub.ts'
import { isUnauthorized, tryList } from './judge.ts'
import type { RegistrationOptions } from './options.ts'
import { isSame, type LocalSecrets, readBootstrapSecret, type Secret, storeCredential } from './secrets.ts'
import { type RegistrationSettings, readRegistrationSettings } from './settings.ts'

const TRIAL_PAUSE_MS = 2_000
/** For a credential that the hub does not know: another registration may have replaced it. */
const UNKNOWN_MS = 60_000
/** For one that is known but may not do its work yet: rights come after the credential. */
const POWERLESS_MS = 600_000

/** Registers and stores the credential. Throws whatever went wrong; the hub removes what was left there when the next attempt is granted. */
export async function register(
  options: RegistrationOptions,
  { bootstrap: secret, credential }: LocalSecrets & { bootstrap: Secret },
  signal: AbortSignal,
): Promise<Upstream> {
  const { client, namespace, log } = options
  const bootstrap = readBootstrap(secret)
  const settings = await readRegistrationSettings(client, namespace, signal)
  const ca = await pinnedCa(bootstrap, settings.tlsMode, options, signal)
  const isCurrent = async (): Promise<boolean> => isSame(await readBootstrapSecret(options, signal), secret)
  // not being able to look is no reason to stop
  const stillWanted = () => isCurrent().catch(() => true)
  const grant = await askForGrant(options, { bootstrap, settings, ca, stillWanted }, signal)
  const upstream = {
    kubeconfig: kubeconfigOf(bootstrap, ca, grant),
    deploymentNamespace: grant.deploymentNamespace,
    cluster: grant.cluster,
  }
  log.info(
    { hub: bootstrap.server, cluster: grant.cluster, deploymentNamespace: grant.deploymentNamespace, caPinned: ca !== '' },
    'registration granted',
  )
  await tryOut(options, upstream.kubeconfig, signal)
  // somebody who has prepared another registration meanwhile does not want this one
  if (!(await isCurrent())) throw new Error(`secret ${namespace}/${AGENT_BOOTSTRAP_NAME} has changed during the registration`)
  await storeCredential(options, upstream, credential, signal)
  log.info({ secret: `${namespace}/${AGENT_NAME}` }, 'credential stored')
  return upstream
}

interface Preparation {
  readonly bootstrap: Bootstrap
  readonly settings: RegistrationSettings
  readonly ca: string
  stillWanted(): Promise<boolean>
}

async function askForGrant(
  options: RegistrationOptions,
  { bootstrap, settings, ca, stillWanted }: Preparation,
  signal: AbortSignal,
): Promise<Grant> {
  const { client, clock, log, podName, randomBytes = machineRandomBytes } = options
  const applicant: Applicant = {
    clientID: settings.clientID || (await clusterUid(client, signal)),
    clientRandom: randomToken(randomBytes),
    labels: settings.labels,
    podName,
  }
  const { client: hub, explain } = await openHub(kubeconfigText({ ...bootstrap, ca, namespace: bootstrap.clusterNamespace }), options)
  try {
    const grantOptions = { hub, bootstrap, clock, log, stillWanted }
    await requestRegistration(grantOptions, applicant, signal)
    return await awaitGrant(grantOptions, applicant, signal)
  } catch (error) {
    signal.throwIfAborted()
    throw await explain(error)
  } finally {
    await hub.close()
  }
}

function kubeconfigOf({ server }: Bootstrap, ca: string, { token, deploymentNamespace }: Grant): string {
  return kubeconfigText({ server, ca, token, namespace: deploymentNamespace })
}

/** Whom the cluster is known as when nobody gave it a name. */
async function clusterUid(client: KubeClient, signal: AbortSignal): Promise<string> {
  const { metadata } = await client.get({ apiVersion: 'v1', kind: 'Namespace', name: 'kube-system' }, { signal, timeoutMs: 30_000 })
  if (!metadata.uid) throw new Error('namespace kube-system has no uid: set clientID in the values of chart fleet-agent')
  return metadata.uid
}

/** Waits until the new credential can do what it is for. */
async function tryOut(options: RegistrationOptions, kubeconfig: string, signal: AbortSignal): Promise<void> {
  const hub = await openHub(kubeconfig, options)
  try {
    await untilListed(hub, options, signal)
  } finally {
    await hub.client.close()
  }
}

async function untilListed(hub: Hub, { clock, log }: RegistrationOptions, signal: AbortSignal): Promise<void> {
  const start = clock.now()
  for (let tries = 1; ; tries++) {
    try {
      return await tryList(hub, signal)
    } catch (error) {
      signal.throwIfAborted()
      const limitMs = isUnauthorized(error) ? UNKNOWN_MS : POWERLESS_MS
      const reason = `the new credential cannot list BundleDeployments in ${hub.namespace} on the hub: ${messageOf(error)}`
      if (clock.now() - start >= limitMs) throw new Error(reason)
      if (tries === 1) log.info({ reason, limitMs }, 'waiting for the rights of the new credential')
    }
    await sleep(clock, TRIAL_PAUSE_MS, signal)
  }
}
