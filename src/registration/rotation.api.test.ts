// An agent's credential is exchanged while it works, on a real API server.

import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Cluster } from '../api/cluster.ts'
import { BUNDLE_DEPLOYMENT, CLUSTER } from '../api/kinds.ts'
import { ROTATE_ANNOTATION } from '../api/labels.ts'
import { getCondition } from '../lib/controller/conditions.ts'
import { uniqueNamespace } from '../testing/cluster.ts'
import { consistently, eventually, quiet } from '../testing/eventually.ts'
import { hubClientOf, type Invitation, invite, registerAgent, report, revoked, type TestAgent } from './agent.testing.ts'
import { SECRET, type Secret, secretText } from './kinds.ts'
import { openScene, type Running, type Scene } from './scene.testing.ts'

let scene: Scene
let running: Running
let invitation: Invitation

beforeAll(async () => {
  scene = await openScene()
  running = await scene.start()
  invitation = await invite(scene, 'join')
})
afterAll(async () => {
  await running?.stop()
  await Promise.all([scene?.hub.close(), scene?.downstream.close()])
})

const joined = (): Promise<TestAgent> => registerAgent(scene, invitation, { clientID: uniqueNamespace('client') })

async function rotate(agent: TestAgent, to: string | null): Promise<void> {
  await scene.hub.patch({ ...CLUSTER, ...agent.cluster }, { metadata: { annotations: { [ROTATE_ANNOTATION]: to } } }, { type: 'merge' })
}

const said = ({ status }: Cluster): unknown[] => {
  const { status: word, reason } = getCondition(status?.conditions, 'CredentialsRotated') ?? {}
  return [word, reason]
}

/** The name of the secret that an agent is told in the answer to its report, and the token in it. */
async function offered(agent: TestAgent, not?: string): Promise<{ name: string; token: string }> {
  const name = await eventually(async () => {
    const { status } = await agent.report()
    expect(status?.agentCredential).toBeTruthy()
    expect(status?.agentCredential).not.toBe(not)
    return status?.agentCredential ?? ''
  })
  const secret = await agent.client.get<Secret>({ ...SECRET, name, namespace: agent.deploymentNamespace })
  return { name, token: secretText(secret, 'token') }
}

async function tokensOf({ deploymentNamespace }: TestAgent): Promise<string[]> {
  const { items } = await scene.hub.list<Secret>(SECRET, { namespace: deploymentNamespace })
  return items.filter(({ type }) => type === 'kubernetes.io/service-account-token').map(({ metadata }) => metadata.name)
}

test('the old credential ends when the agent reports that it uses the new one, and not before', async () => {
  const agent = await joined()
  await rotate(agent, 'once')
  const { name, token } = await offered(agent)
  expect(token).not.toBe(agent.token)
  expect(said(await agent.report())).toEqual(['False', 'WaitingForAgent'])
  const next = await hubClientOf(token)
  // trying it out is not using it: the agent may crash before it has stored it
  await next.list(BUNDLE_DEPLOYMENT, { namespace: agent.deploymentNamespace })
  await consistently(() => agent.client.list(BUNDLE_DEPLOYMENT, { namespace: agent.deploymentNamespace }), { forMs: 1_500 })
  await report(next, agent, { credential: name })
  await eventually(async () => expect(said(await scene.cluster(agent.cluster.name))).toEqual(['True', 'Rotated']))
  expect(await tokensOf(agent)).toEqual([name])
  await revoked(agent)
  await next.list(BUNDLE_DEPLOYMENT, { namespace: agent.deploymentNamespace })
  await next.close()
  await agent.client.close()
})

test('it is rotated again for another text, and for the same one nothing is done', async () => {
  const agent = await joined()
  await rotate(agent, 'one')
  const first = await offered(agent)
  await agent.report({ credential: first.name })
  await eventually(async () => expect(await tokensOf(agent)).toEqual([first.name]))
  const second = await hubClientOf(first.token)
  await rotate(agent, 'two')
  const other = await offered(
    { ...agent, client: second, report: (said) => report(second, agent, { credential: first.name, ...said }) },
    first.name,
  )
  expect((await tokensOf(agent)).sort()).toEqual([first.name, other.name].sort())
  await report(second, agent, { credential: other.name })
  await eventually(async () => expect(await tokensOf(agent)).toEqual([other.name]))
  await quiet(running.writes)
  const writes = running.writes.length
  const third = await hubClientOf(other.token)
  await report(third, agent, { credential: other.name })
  await consistently(() => expect(running.writes.slice(writes).filter((write) => !write.includes('Event'))).toEqual([]), { forMs: 1_500 })
  for (const client of [agent.client, second, third]) await client.close()
})

test('a hub that is interrupted anywhere goes on where it was', async () => {
  const agent = await joined()
  await running.stop()
  await rotate(agent, 'interrupted')
  running = await scene.start()
  const { name, token } = await offered(agent)
  await running.stop()
  const next = await hubClientOf(token)
  await report(next, agent, { credential: name })
  running = await scene.start()
  await eventually(async () => expect(await tokensOf(agent)).toEqual([name]))
  await next.close()
  await agent.client.close()
})

test('a request that is taken back leaves both credentials good', async () => {
  const agent = await joined()
  await rotate(agent, 'never-mind')
  const { name } = await offered(agent)
  await rotate(agent, null)
  await eventually(async () => {
    const cluster = await scene.cluster(agent.cluster.name)
    expect([cluster.status?.agentCredential, ...said(cluster)]).toEqual([undefined, undefined, undefined])
  })
  // an agent that has taken it up meanwhile can go on with it
  expect(await tokensOf(agent)).toContain(name)
  expect(await tokensOf(agent)).toHaveLength(2)
  await agent.client.close()
})

test('a cluster that has not registered is waited for', async () => {
  const name = uniqueNamespace('empty')
  await scene.hub.create<Cluster>({
    ...CLUSTER,
    metadata: { name, namespace: scene.workspace, annotations: { [ROTATE_ANNOTATION]: 'now' } },
    spec: { clientID: name },
  })
  await eventually(async () => expect(said(await scene.cluster(name))).toEqual(['Unknown', 'WaitingForRegistration']))
})
