// The part of an agent in registration, for tests of the hub's part: the same requests with the same accounts.
import { randomBytes } from 'node:crypto'
import { expect } from 'vitest'
import type { Cluster } from '../api/cluster.ts'
import type { ClusterRegistration } from '../api/cluster-registration.ts'
import type { ClusterRegistrationToken } from '../api/cluster-registration-token.ts'
import { CLUSTER, CLUSTER_REGISTRATION, CLUSTER_REGISTRATION_TOKEN, FLEET_GROUP } from '../api/kinds.ts'
import { REGISTRATION_TOKEN_LABEL } from '../api/labels.ts'
import { registrationSecretName } from '../api/names.ts'
import { formatTime } from '../lib/controller/conditions.ts'
import { createClient, type KubeClient } from '../lib/kube/client.ts'
import { loadConnection } from '../lib/kube/connection.ts'
import { parseYaml } from '../lib/yaml/parse.ts'
import { testCluster } from '../testing/cluster.ts'
import { eventually } from '../testing/eventually.ts'
import { SECRET, type Secret, secretText } from './kinds.ts'
import { kubeconfigOf, type Scene } from './scene.testing.ts'

/** What an agent is given to register with. */
export interface Invitation {
  readonly token: string
  readonly tokenName: string
  readonly systemRegistrationNamespace: string
}

/** A registered agent, with a client that has its rights. */
export interface TestAgent {
  readonly client: KubeClient
  readonly request: ClusterRegistration
  readonly token: string
  readonly deploymentNamespace: string
  readonly cluster: { readonly name: string; readonly namespace: string }
  /** Where it runs in its cluster. To report another is a reason to install it again. */
  readonly namespace: string
  /** Reports as agents do, by default now. Returns what the hub answers. */
  report(agent?: { lastSeen?: string; credential?: string }): Promise<Cluster>
}

/** A client of the hub with nothing but a token. */
export async function hubClientOf(token: string): Promise<KubeClient> {
  return createClient(await loadConnection({ kubeconfigText: kubeconfigOf({ ...testCluster('hub'), token }) }))
}

/** Makes a registration token and waits for its values. */
export async function invite(scene: Scene, name: string, spec: ClusterRegistrationToken['spec'] = { ttl: '1h' }): Promise<Invitation> {
  await scene.hub.create<ClusterRegistrationToken>({
    ...CLUSTER_REGISTRATION_TOKEN,
    metadata: { name, namespace: scene.workspace },
    spec,
  })
  return eventually(async () => {
    const secret = await scene.hub.get<Secret>({ ...SECRET, name, namespace: scene.workspace })
    return parseYaml(secretText(secret, 'values')) as Invitation & object
  })
}

/** What the import has given to the agent in the cluster, which has a namespace of its name there. */
export async function imported(scene: Scene, cluster: string): Promise<Invitation> {
  const secret = await scene.downstream.get<Secret>({ ...SECRET, name: 'fleet-agent-bootstrap', namespace: cluster })
  const read = (key: string): string => secretText(secret, key)
  return { token: read('token'), tokenName: read('tokenName'), systemRegistrationNamespace: read('systemRegistrationNamespace') }
}

/** Asks for a registration with the account of the invitation. */
export async function ask(
  scene: Scene,
  invitation: Invitation,
  spec: Partial<ClusterRegistration['spec']> & { clientID: string },
): Promise<ClusterRegistration> {
  const account = await hubClientOf(invitation.token)
  try {
    return await account.create<ClusterRegistration>({
      ...CLUSTER_REGISTRATION,
      metadata: {
        name: '',
        generateName: 'request-',
        namespace: scene.workspace,
        labels: { [REGISTRATION_TOKEN_LABEL]: invitation.tokenName },
      },
      spec: { clientRandom: randomBytes(27).toString('hex'), ...spec },
    })
  } finally {
    await account.close()
  }
}

/** Registers an agent from the request to the credential; `namespace` is where it runs. Close its client. */
export async function registerAgent(
  scene: Scene,
  invitation: Invitation,
  spec: Partial<ClusterRegistration['spec']> & { clientID: string },
  namespace = 'cattle-fleet-system',
): Promise<TestAgent> {
  const request = await ask(scene, invitation, spec)
  const name = registrationSecretName(request.spec.clientID ?? '', request.spec.clientRandom ?? '')
  const account = await hubClientOf(invitation.token)
  const credential = await eventually(() => account.get<Secret>({ ...SECRET, name, namespace: invitation.systemRegistrationNamespace }))
  await account.close()
  const read = (key: string): string => secretText(credential, key)
  const cluster = { name: read('clusterName'), namespace: read('clusterNamespace') }
  const client = await hubClientOf(read('token'))
  return {
    client,
    request,
    token: read('token'),
    deploymentNamespace: read('deploymentNamespace'),
    cluster,
    namespace,
    // the rights come at the same time as the credential, not before it
    report: (agent = {}) => eventually(() => report(client, { cluster, namespace }, agent)),
  }
}

/** One report with any client. */
export function report(
  client: KubeClient,
  { cluster, namespace }: Pick<TestAgent, 'cluster' | 'namespace'>,
  agent: object,
): Promise<Cluster> {
  const status = { agent: { lastSeen: formatTime(Date.now()), namespace, ...agent } }
  return client.patch<Cluster>({ ...CLUSTER, ...cluster }, { status }, { type: 'merge', subresource: 'status' })
}

/** Waits until the API server knows a token no more; it remembers good ones for ten seconds. */
export async function revoked({ client, deploymentNamespace }: Pick<TestAgent, 'client' | 'deploymentNamespace'>): Promise<void> {
  const path = `/apis/${FLEET_GROUP}/v1alpha1/namespaces/${deploymentNamespace}/bundledeployments`
  await eventually(() => expect(client.request('GET', path)).rejects.toMatchObject({ status: 401 }))
}
