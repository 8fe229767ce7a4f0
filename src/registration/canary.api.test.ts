// After whole registrations, good and failed ones, a rotation included: no credential is anywhere but in Secrets.
import { gunzipSync } from 'node:zlib'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { CLUSTER } from '../api/kinds.ts'
import { ROTATE_ANNOTATION, SET_APPLIED_ANNOTATION } from '../api/labels.ts'
import { getCondition } from '../lib/controller/conditions.ts'
import { inParallel } from '../lib/controller/parallel.ts'
import type { KubeClient } from '../lib/kube/client.ts'
import { isNotFound, UnknownKindError } from '../lib/kube/errors.ts'
import type { KubeObject, ResourceType } from '../lib/kube/types.ts'
import { testCluster, uniqueNamespace } from '../testing/cluster.ts'
import { eventually } from '../testing/eventually.ts'
import { createSelfSigned } from '../testing/self-signed.ts'
import { hubClientOf, imported, invite, registerAgent, report, type TestAgent } from './agent.testing.ts'
import { SECRET, type Secret, secretText } from './kinds.ts'
import { kubeconfigOf, openScene, type Running, type Scene } from './scene.testing.ts'

const BAD_TOKEN = 'canary-token-of-a-kubeconfig-that-is-refused'
const PASSWORD = 'canary-password-of-a-kubeconfig'
let scene: Scene
let running: Running
const agents: TestAgent[] = []

beforeAll(async () => {
  scene = await openScene()
  running = await scene.start()
  const downstream = testCluster('downstream')
  const [name, refused, untrusted] = [uniqueNamespace('good'), uniqueNamespace('refused'), uniqueNamespace('untrusted')]
  await scene.importCluster(name, kubeconfigOf(downstream))
  await scene.importCluster(refused, kubeconfigOf({ ...downstream, token: BAD_TOKEN }, { password: PASSWORD }))
  await scene.importCluster(untrusted, kubeconfigOf({ ...downstream, ca: createSelfSigned().cert }, { username: 'u', password: PASSWORD }))
  await scene.importCluster(uniqueNamespace('broken'), `token: ${BAD_TOKEN}: [${PASSWORD}`)
  const invitation = await eventually(() => imported(scene, name))
  const { clientID = '' } = (await scene.cluster(name)).spec
  agents.push(await registerAgent(scene, invitation, { clientID }, name))
  agents.push(
    await registerAgent(scene, await invite(scene, 'join'), {
      clientID: uniqueNamespace('client'),
      clusterLabels: { 'fleet.cattle.io/x': 'y' },
    }),
  )
  for (const agent of agents) await rotate(agent)
  for (const cluster of [refused, untrusted])
    await eventually(async () => {
      expect(getCondition((await scene.cluster(cluster)).status?.conditions, 'Imported')?.status).toBe('False')
    })
})
afterAll(async () => {
  await running?.stop()
  for (const { client } of agents) await client.close()
  await Promise.all([scene?.hub.close(), scene?.downstream.close()])
})

async function rotate(agent: TestAgent): Promise<void> {
  const ref = { ...CLUSTER, ...agent.cluster }
  await scene.hub.patch(ref, { metadata: { annotations: { [ROTATE_ANNOTATION]: 'now' } } }, { type: 'merge' })
  const credential = await eventually(async () => {
    const { status } = await agent.report()
    expect(status?.agentCredential).toBeTruthy()
    return status?.agentCredential ?? ''
  })
  const secret = await scene.hub.get<Secret>({ ...SECRET, name: credential, namespace: agent.deploymentNamespace })
  const client = await hubClientOf(secretText(secret, 'token'))
  await report(client, agent, { credential })
  await client.close()
  await eventually(async () => {
    expect(getCondition((await scene.cluster(agent.cluster.name)).status?.conditions, 'CredentialsRotated')?.status).toBe('True')
  })
}

interface ServedKinds {
  readonly groupVersion: string
  readonly resources: readonly { readonly name: string; readonly kind: string; readonly verbs: readonly string[] }[]
}

/** Other tests define kinds, and take them away again, while this one looks. */
async function unlessGone<T>(asked: Promise<T>, otherwise: T): Promise<T> {
  return asked.catch((error: unknown) => {
    if (!isNotFound(error) && !(error instanceof UnknownKindError)) throw error
    return otherwise
  })
}

/** Everything that a cluster holds of any kind that can be listed; of Secrets only what is not their content. */
async function everythingIn(client: KubeClient): Promise<string[]> {
  const groups = await client.request<{ groups: { preferredVersion: { groupVersion: string } }[] }>('GET', '/apis')
  const roots = ['/api/v1', ...groups.groups.map(({ preferredVersion }) => `/apis/${preferredVersion.groupVersion}`)]
  const kinds = await inParallel(roots, 4, async (root): Promise<ResourceType[]> => {
    const { groupVersion, resources } = await unlessGone(client.request<ServedKinds>('GET', root), { groupVersion: '', resources: [] })
    return resources
      .filter(({ name, verbs }) => verbs.includes('list') && !name.includes('/'))
      .map(({ kind }) => ({ apiVersion: groupVersion, kind }))
  })
  const all = kinds.flat()
  expect(all.length).toBeGreaterThan(50)
  const lists = await inParallel(all, 4, (type) => unlessGone(client.list<KubeObject>(type), { items: [], resourceVersion: '' }))
  return lists.flatMap(({ items }) => items.map(textOf))
}

function textOf(object: KubeObject): string {
  const applied = object.metadata.annotations?.[SET_APPLIED_ANNOTATION]
  if (object.kind !== 'Secret') return JSON.stringify(object) + (applied ? gunzipSync(Buffer.from(applied, 'base64')).toString() : '')
  const { [SET_APPLIED_ANNOTATION]: _, ...annotations } = object.metadata.annotations ?? {}
  return JSON.stringify({ ...object.metadata, annotations })
}

/** A text as it is, its end alone, and in base64 wherever it starts. */
function needles(text: string): string[] {
  const encoded = [0, 1, 2].map((shift) =>
    Buffer.from(' '.repeat(shift) + text)
      .toString('base64')
      .slice(4, -4),
  )
  return [text, text.slice(-40), ...encoded]
}

test('neither in any object of any kind, nor in the log', async () => {
  const { items } = await scene.hub.list<Secret>(SECRET)
  const ours = items.filter(
    ({ metadata: { namespace = '' } }) => namespace.includes(scene.workspace) || namespace.startsWith(scene.systemNamespace),
  )
  const tokens = ours.map((secret) => secretText(secret, 'token')).filter((token) => token.length > 40)
  const given = [...agents.map(({ token }) => token), testCluster('downstream').token, BAD_TOKEN, PASSWORD]
  const randoms = agents.map(({ request }) => request.spec.clientRandom ?? '')
  expect(tokens.length).toBeGreaterThan(6)
  const [hub, downstream] = await Promise.all([everythingIn(scene.hub), everythingIn(scene.downstream)])
  const objects = [...hub, ...downstream].join('\n')
  const logged = running.logged.join('\n')
  expect(objects).toContain(agents[0]?.request.metadata.name)
  expect(logged).toContain('registration granted')
  for (const needle of [...tokens, ...given].flatMap(needles)) {
    expect(objects.includes(needle)).toBe(false)
    expect(logged.includes(needle)).toBe(false)
  }
  for (const random of randoms) expect(logged.includes(random)).toBe(false)
})
