// What the accounts of registration may do on the hub, to the last verb: the tables here are all there is (spec 3.4, 3.5).
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { FLEET_GROUP } from '../api/kinds.ts'
import { registrationNamespace, registrationSecretName } from '../api/names.ts'
import { inParallel } from '../lib/controller/parallel.ts'
import { createClient, type KubeClient } from '../lib/kube/client.ts'
import { loadConnection } from '../lib/kube/connection.ts'
import { ApiError, ConnectionError } from '../lib/kube/errors.ts'
import { testCluster, uniqueNamespace } from '../testing/cluster.ts'
import { eventually } from '../testing/eventually.ts'
import { hubClientOf, type Invitation, imported, invite, registerAgent, type TestAgent } from './agent.testing.ts'
import { SERVICE_ACCOUNT } from './kinds.ts'
import { kubeconfigOf, openScene, type Running, type Scene } from './scene.testing.ts'

interface Rule {
  readonly verbs: readonly string[]
  readonly apiGroups?: readonly string[]
  readonly resources?: readonly string[]
  readonly resourceNames?: readonly string[]
  readonly nonResourceURLs?: readonly string[]
}

let scene: Scene
let running: Running
let nobody: KubeClient
let invitation: Invitation
let importInvitation: Invitation
let agents: Record<'own' | 'other' | 'imported', TestAgent>
/** Namespaces by the part they play for the agent `own`. */
let places: Record<string, string>

beforeAll(async () => {
  scene = await openScene()
  running = await scene.start()
  const cluster = uniqueNamespace('imported')
  await scene.importCluster(cluster, kubeconfigOf(testCluster('downstream')))
  invitation = await invite(scene, 'join')
  importInvitation = await eventually(() => imported(scene, cluster))
  const clientID = await eventually(async () => {
    const { spec, status } = await scene.cluster(cluster)
    expect(status?.agentDeployedGeneration).toBe(0)
    return spec.clientID ?? ''
  })
  agents = {
    own: await registerAgent(scene, invitation, { clientID: uniqueNamespace('own') }),
    other: await registerAgent(scene, await invite(scene, 'other'), { clientID: uniqueNamespace('other') }),
    imported: await registerAgent(scene, importInvitation, { clientID }, cluster),
  }
  places = {
    workspace: scene.workspace,
    'own cluster': agents.own.deploymentNamespace,
    'other cluster': agents.other.deploymentNamespace,
    'imported cluster': agents.imported.deploymentNamespace,
    registrations: registrationNamespace(scene.systemNamespace),
    system: scene.systemNamespace,
    'kube-system': 'kube-system',
    default: 'default',
  }
  nobody = await accountWithout(scene.hub, testCluster('hub'))
})
afterAll(async () => {
  await running?.stop()
  for (const agent of Object.values(agents ?? {})) await agent.client.close()
  await Promise.all([nobody?.close(), scene?.hub.close(), scene?.downstream.close()])
})

/** An account to which nobody has given anything: what it may do everybody may. */
async function accountWithout(client: KubeClient, cluster: ReturnType<typeof testCluster>): Promise<KubeClient> {
  return clientOfAccount(client, cluster, { name: uniqueNamespace('nobody'), namespace: 'default' })
}

async function clientOfAccount(
  client: KubeClient,
  cluster: ReturnType<typeof testCluster>,
  account: { name: string; namespace: string },
): Promise<KubeClient> {
  if (!(await client.find({ ...SERVICE_ACCOUNT, ...account }))) await client.create({ ...SERVICE_ACCOUNT, metadata: account })
  const path = `/api/v1/namespaces/${account.namespace}/serviceaccounts/${account.name}/token`
  const { status } = await client.request<{ status: { token: string } }>('POST', path, { body: { spec: {} } })
  return createClient(await loadConnection({ kubeconfigText: kubeconfigOf({ ...cluster, token: status.token }) }))
}

/** All rules of an account in a namespace as lines, without those that everybody has. */
async function rulesOf(client: KubeClient, namespace: string, everybody: KubeClient): Promise<string[]> {
  const ask = async (who: KubeClient): Promise<string[]> => {
    const path = '/apis/authorization.k8s.io/v1/selfsubjectrulesreviews'
    const { status } = await who.request<{ status: { resourceRules: Rule[]; nonResourceRules: Rule[]; incomplete: boolean } }>(
      'POST',
      path,
      {
        body: { apiVersion: 'authorization.k8s.io/v1', kind: 'SelfSubjectRulesReview', spec: { namespace } },
      },
    )
    expect(status.incomplete).toBe(false)
    return [...status.resourceRules, ...status.nonResourceRules].map(lineOf)
  }
  const known = new Set(await ask(everybody))
  return (await ask(client)).filter((line) => !known.has(line)).sort()
}

function lineOf({ verbs, apiGroups = [], resources = [], resourceNames, nonResourceURLs = [] }: Rule): string {
  const what = [...resources.map((resource) => [resource, ...apiGroups].filter(Boolean).join('.')), ...nonResourceURLs].sort().join(' ')
  return `${[...verbs].sort().join(' ')}: ${what}${resourceNames ? ` [${[...resourceNames].sort().join(' ')}]` : ''}`
}

async function table(client: KubeClient): Promise<Record<string, string[]>> {
  const rows = await inParallel(
    Object.entries(places),
    8,
    async ([place, namespace]) => [place, await rulesOf(client, namespace, nobody)] as const,
  )
  return Object.fromEntries(rows)
}

const CONTENT = `get: contents.${FLEET_GROUP}`
const OWN_CLUSTER = [
  CONTENT,
  `get list watch: bundledeployments.${FLEET_GROUP}`,
  'get: configmaps secrets',
  `patch update: bundledeployments/status.${FLEET_GROUP}`,
]

const secretOf = ({ request: { spec } }: TestAgent): string => registrationSecretName(spec.clientID ?? '', spec.clientRandom ?? '')
const row = (change: Record<string, string[]>, everywhere: string[] = []): Record<string, string[]> =>
  Object.fromEntries(Object.keys(places).map((place) => [place, [...everywhere, ...(change[place] ?? [])].sort()]))

describe('by the rules of the authorizer', () => {
  test('the account of a registration token creates registrations, and reads the credential of the agent that it let in', async () => {
    const client = await hubClientOf(invitation.token)
    expect(await table(client)).toEqual(
      row({ workspace: [`create: clusterregistrations.${FLEET_GROUP}`], registrations: [`get: secrets [${secretOf(agents.own)}]`] }),
    )
    await client.close()
  })

  test('the account of an import, likewise', async () => {
    const client = await hubClientOf(importInvitation.token)
    expect(await table(client)).toEqual(
      row({ workspace: [`create: clusterregistrations.${FLEET_GROUP}`], registrations: [`get: secrets [${secretOf(agents.imported)}]`] }),
    )
    await client.close()
  })

  test('an agent works in the namespace of its cluster, says how its cluster is, and fetches contents by name', async () => {
    const status = `patch: clusters/status.${FLEET_GROUP} [${agents.own.cluster.name}]`
    expect(await table(agents.own.client)).toEqual(row({ workspace: [status], 'own cluster': OWN_CLUSTER.slice(1) }, [CONTENT]))
  })

  test('an imported agent, likewise', async () => {
    const status = `patch: clusters/status.${FLEET_GROUP} [${agents.imported.cluster.name}]`
    expect(await table(agents.imported.client)).toEqual(row({ workspace: [status], 'imported cluster': OWN_CLUSTER.slice(1) }, [CONTENT]))
  })

  test('in its own cluster the agent may do everything', async () => {
    const cluster = testCluster('downstream')
    const client = await clientOfAccount(scene.downstream, cluster, { name: 'fleet-agent', namespace: agents.imported.cluster.name })
    const none = await accountWithout(scene.downstream, cluster)
    expect(await rulesOf(client, 'default', none)).toEqual(['*: *', '*: *.*'])
    await Promise.all([client.close(), none.close()])
  })
})

interface Resource {
  readonly path: string
  readonly name: string
  readonly namespaced: boolean
}

/** All resources of the groups that a hub holds objects of, with the status of those of Fleet. */
async function resources(): Promise<Resource[]> {
  const roots = [
    '/api/v1',
    `/apis/${FLEET_GROUP}/v1alpha1`,
    '/apis/rbac.authorization.k8s.io/v1',
    '/apis/apps/v1',
    '/apis/apiextensions.k8s.io/v1',
    '/apis/coordination.k8s.io/v1',
  ]
  const lists = await inParallel(roots, 4, async (path) => {
    const { resources: found } = await scene.hub.request<{ resources: { name: string; namespaced: boolean }[] }>('GET', path)
    const wanted = found.filter(({ name }) => !name.includes('/') || (path.includes(FLEET_GROUP) && name.endsWith('/status')))
    return wanted.map(({ name, namespaced }) => ({ path, name, namespaced }))
  })
  return lists.flat()
}

const VERBS = {
  get: ['GET', true, {}],
  list: ['GET', false, {}],
  watch: ['GET', false, { watch: '1', timeoutSeconds: '1' }],
  create: ['POST', false, { dryRun: 'All' }],
  update: ['PUT', true, { dryRun: 'All' }],
  patch: ['PATCH', true, { dryRun: 'All' }],
  delete: ['DELETE', true, { dryRun: 'All' }],
  deletecollection: ['DELETE', false, { dryRun: 'All' }],
} as const

/** `verb resource place` for everything that is not forbidden when it is really tried. */
async function tried(client: KubeClient, only: readonly string[]): Promise<string[]> {
  const attempts = (await resources()).flatMap((resource) =>
    (resource.namespaced ? only : ['']).flatMap((place) =>
      Object.keys(VERBS).map((verb) => ({ resource, place, verb: verb as keyof typeof VERBS })),
    ),
  )
  const sensible = attempts.filter(({ resource, verb }) => !resource.name.includes('/') || ['get', 'update', 'patch'].includes(verb))
  expect(sensible.length).toBeGreaterThan(800)
  const allowed = await inParallel(sensible, 8, async ({ resource, place, verb }) => {
    const [method, named, query] = VERBS[verb]
    const [plural, ...subresource] = resource.name.split('/')
    const parts = [resource.path, ...(place ? ['namespaces', places[place]] : []), plural, ...(named ? ['probe'] : []), ...subresource]
    const body = method === 'GET' ? {} : { body: {} }
    const options = { query, ...body, ...(method === 'PATCH' ? { headers: { 'content-type': 'application/merge-patch+json' } } : {}) }
    const error = await client.request(method, parts.join('/'), options).then(
      () => undefined,
      (refusal: unknown) => refusal,
    )
    // a watch that saw nothing has an empty answer, which is no JSON
    if (error instanceof ConnectionError && error.code === 'MALFORMED') return [`${verb} ${resource.name} ${place || 'everywhere'}`]
    if (error !== undefined && !(error instanceof ApiError)) throw error
    return error?.status === 403 || error?.status === 405 ? [] : [`${verb} ${resource.name} ${place || 'everywhere'}`]
  })
  return allowed.flat().sort()
}

describe('by trying', () => {
  const PLACES = ['workspace', 'own cluster', 'other cluster', 'registrations', 'system']

  test('the account of a registration token', { timeout: 240_000 }, async () => {
    const client = await hubClientOf(invitation.token)
    expect(await tried(client, PLACES)).toEqual(['create clusterregistrations workspace'])
    await client.close()
  })

  test('an agent', { timeout: 240_000 }, async () => {
    expect(await tried(agents.own.client, PLACES)).toEqual([
      'get bundledeployments own cluster',
      'get configmaps own cluster',
      'get contents everywhere',
      'get secrets own cluster',
      'list bundledeployments own cluster',
      'patch bundledeployments/status own cluster',
      'update bundledeployments/status own cluster',
      'watch bundledeployments own cluster',
    ])
  })
})
