// The agent's part in the exchange of its credential, on two real API servers.
import { afterEach, beforeEach, expect, test } from 'vitest'
import type { Cluster } from '../../api/cluster.ts'
import { CLUSTER } from '../../api/kinds.ts'
import { createClient, type KubeClient } from '../../lib/kube/client.ts'
import { loadConnection } from '../../lib/kube/connection.ts'
import type { KubeObject } from '../../lib/kube/types.ts'
import { testCluster } from '../../testing/cluster.ts'
import { eventually } from '../../testing/kube.ts'
import { CREDENTIAL, useScene } from './registration-scene.ts'
import { createRotation, type RotationOptions } from './rotate.ts'
import { type Secret, secretText } from './secrets.ts'
import { watchCredential } from './watch-credential.ts'

const RBAC = 'rbac.authorization.k8s.io/v1'
const ACCOUNT = 'request-account'
const NOBODY = { deploymentNamespace: '', cluster: { namespace: '', name: '' } }
const scene = useScene({ hub: testCluster('hub'), downstream: testCluster('downstream') })
let hub: KubeClient
let options: RotationOptions

beforeEach(async () => {
  const namespace = scene.hub.deploymentNamespace
  const metadata = { name: ACCOUNT, namespace }
  await scene.hubClient.create({ apiVersion: 'v1', kind: 'ServiceAccount', metadata })
  const rules = [
    { apiGroups: ['fleet.cattle.io'], resources: ['bundledeployments'], verbs: ['list'] },
    { apiGroups: [''], resources: ['secrets'], verbs: ['get'] },
  ]
  await scene.hubClient.create({ apiVersion: RBAC, kind: 'Role', metadata, rules } as KubeObject)
  const roleRef = { apiGroup: 'rbac.authorization.k8s.io', kind: 'Role', name: ACCOUNT }
  const subjects = [{ kind: 'ServiceAccount', ...metadata }]
  await scene.hubClient.create({ apiVersion: RBAC, kind: 'RoleBinding', metadata, roleRef, subjects } as KubeObject)
  const credential = scene.credentialOf(await tokenSecret('old'))
  await scene.place.putSecret(CREDENTIAL, credential)
  const connection = await loadConnection({ kubeconfigText: credential.kubeconfig ?? '' })
  hub = createClient(connection)
  options = { ...scene.options(), kubeconfig: credential.kubeconfig ?? '', hub: { client: hub, namespace } }
  // the API server learns of new rights a little later; nobody waits for that here
  await eventually('the account has its rights', () => scene.works({ ...NOBODY, kubeconfig: options.kubeconfig }))
})
afterEach(() => hub.close())

/** A token of the account in a secret of that name. */
async function tokenSecret(name: string): Promise<string> {
  const ref = { apiVersion: 'v1', kind: 'Secret', namespace: scene.hub.deploymentNamespace, name }
  const annotations = { 'kubernetes.io/service-account.name': ACCOUNT }
  const metadata = { name, namespace: ref.namespace, annotations }
  await scene.hubClient.create({ ...ref, metadata, type: 'kubernetes.io/service-account-token' } as KubeObject)
  let token = ''
  await eventually('the token is there', async () => {
    token = secretText(await scene.hubClient.get<Secret>(ref), 'token')
    return token !== ''
  })
  return token
}

const answer = (agentCredential?: string): Cluster => ({
  ...CLUSTER,
  metadata: { name: 'one', namespace: scene.hub.workspace },
  spec: {},
  ...(agentCredential ? { status: { agentCredential } } : {}),
})
const stored = async (): Promise<string> => (await scene.place.secret(CREDENTIAL))?.kubeconfig ?? ''

test('an offered credential is stored, and the agent starts over with it', async () => {
  const ended = scene.track(watchCredential(options, scene.signal))
  const token = await tokenSecret('new')
  const rotation = createRotation(options)
  expect(rotation.credential).toBe('old')
  await rotation.answered(answer('new'), scene.signal)
  expect(await stored()).toContain(token)
  expect(await ended).toBe('lost')
  const { kubeconfig } = await scene.start()
  expect(createRotation({ ...options, kubeconfig }).credential).toBe('new')
  expect(scene.logged(token)).toEqual([])
})

test('an answer without an offer, or with the credential in use, costs nothing', async () => {
  const noClient = { namespace: options.hub.namespace, client: undefined as unknown as KubeClient }
  const rotation = createRotation({ ...options, hub: noClient })
  await rotation.answered(answer(), scene.signal)
  await rotation.answered(answer('old'), scene.signal)
  expect(await stored()).toBe(options.kubeconfig)
  expect(scene.log.lines).toEqual([])
})

test('what is not there yet, or does not work, is not stored', async () => {
  const rotation = createRotation(options)
  await rotation.answered(answer('missing'), scene.signal)
  expect(scene.log.lines).toEqual([])
  const ref = { apiVersion: 'v1', kind: 'Secret', metadata: { name: 'bad', namespace: scene.hub.deploymentNamespace } }
  await scene.hubClient.create({ ...ref, data: { token: Buffer.from('canary-token').toString('base64') } } as KubeObject)
  await rotation.answered(answer('bad'), scene.signal)
  expect(await stored()).toBe(options.kubeconfig)
  expect(scene.logged('could not be taken up')).toHaveLength(1)
  expect(scene.logged('canary-token')).toEqual([])
})

test('a credential that somebody else has put there meanwhile is left alone', async () => {
  await tokenSecret('new')
  await scene.place.putSecret(CREDENTIAL, scene.credentialOf('of-another-registration'))
  await createRotation(options).answered(answer('new'), scene.signal)
  expect(await stored()).toContain('of-another-registration')
})

test('a token that says nothing of a secret is none', () => {
  for (const token of ['', 'opaque', 'a.b.c', testCluster('hub').token])
    expect(createRotation({ ...options, kubeconfig: scene.credentialOf(token).kubeconfig ?? '' }).credential).toBeUndefined()
})
