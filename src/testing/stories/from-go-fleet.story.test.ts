// Moving from Go Fleet: our programs go on where it left off. Nothing is deleted or registered again, next to nothing is deployed anew, and the way back stays open.
import { setTimeout as pause } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { GitRepo } from '../../api/git-repo.ts'
import { BUNDLE, BUNDLE_DEPLOYMENT, CLUSTER, CLUSTER_REGISTRATION, CLUSTER_REGISTRATION_TOKEN, CONTENT, GIT_REPO } from '../../api/kinds.ts'
import { AGENT_NAME, CONTROLLER_CONFIG_NAME, SET_APPLIED_ANNOTATION, SET_HASH_LABEL } from '../../api/labels.ts'
import { SYSTEM_NAMESPACE } from '../../devcluster/fleet-objects.ts'
import type { HelmRelease } from '../../lib/helm/release.ts'
import type { KubeObject, ObjectMeta, ResourceType } from '../../lib/kube/types.ts'
import { CONFIG_MAP, DEPLOYMENT, NAMESPACE, SECRET, SERVICE_ACCOUNT } from '../../registration/kinds.ts'
import { eventually } from '../eventually.ts'
import { fixture } from '../fixtures.ts'
import { objectsOf, Takeover } from '../takeover.ts'
import { OUR_FIELDS } from '../upstream-definitions.ts'
import { lostFields, newestReleases, objectsOfRelease, ownersOf, putTheirDefinitions } from '../way-back.ts'
import { countWrites, writesBetween } from '../write-count.ts'

const folder = fixture('go-fleet')
const scene = new Takeover(folder ?? '')
/** The image that runs in the recorded cluster. A program of ours stands for it: it does what any agent does with the bundle that carries it. */
const OLD_IMAGE = 'rancher/fleet-agent:dev'
const NEW_IMAGE = 'fleet-agent:next'
const AGENT_RELEASE = `${SYSTEM_NAMESPACE}/fleet-agent-harbour`

const RBAC = 'rbac.authorization.k8s.io/v1'
const ROLES: readonly ResourceType[] = ['Role', 'RoleBinding', 'ClusterRole', 'ClusterRoleBinding'].map((kind) => ({
  apiVersion: RBAC,
  kind,
}))
const FLEET_KINDS = [BUNDLE, BUNDLE_DEPLOYMENT, CLUSTER, CLUSTER_REGISTRATION, CLUSTER_REGISTRATION_TOKEN, CONTENT, GIT_REPO]
const HUB_KINDS = [NAMESPACE, SECRET, CONFIG_MAP, SERVICE_ACCOUNT, ...ROLES, ...FLEET_KINDS]
const MEMBER_KINDS = [NAMESPACE, SECRET, CONFIG_MAP, SERVICE_ACCOUNT, DEPLOYMENT, { apiVersion: 'v1', kind: 'Service' }, ...ROLES]

type Objects = Map<string, KubeObject>
type State = Awaited<ReturnType<Takeover['survivors']['takeState']>>
interface Recorded {
  readonly state: State
  readonly hub: Objects
  readonly member: Objects
}
let before: Recorded
let after: Recorded

async function record(): Promise<Recorded> {
  const state = await scene.survivors.takeState(scene.restored.scene)
  return { state, hub: await objectsOf(scene.hub, HUB_KINDS), member: await objectsOf(scene.one, MEMBER_KINDS) }
}

/** As an upgrade of the chart does it: another image, and reports less often than this test looks. */
async function configure(): Promise<void> {
  const ref = { ...CONFIG_MAP, name: CONTROLLER_CONFIG_NAME, namespace: SYSTEM_NAMESPACE }
  const { data } = await scene.hub.get<KubeObject & { data: { config: string } }>(ref)
  const config = { ...JSON.parse(data.config), agentImage: NEW_IMAGE, agentCheckinInterval: '10m' }
  await scene.hub.patch(ref, { data: { config: JSON.stringify(config) } }, { type: 'merge' })
}

interface Pod extends KubeObject {
  readonly spec: { readonly containers: readonly { readonly image: string }[] }
  readonly status?: { readonly containerStatuses?: readonly { readonly ready: boolean; readonly restartCount: number }[] }
}
async function agentPods(): Promise<Pod[]> {
  const options = { namespace: SYSTEM_NAMESPACE, labelSelector: `app=${AGENT_NAME}` }
  return (await scene.one.list<Pod>({ apiVersion: 'v1', kind: 'Pod' }, options)).items
}

async function newAgentRuns(): Promise<void> {
  await eventually(
    async () => {
      const pods = await agentPods()
      expect(pods.map(({ spec }) => spec.containers[0]?.image)).toEqual([NEW_IMAGE])
      expect(pods[0]?.status?.containerStatuses?.[0]?.ready).toBe(true)
    },
    { what: `the agent runs as ${NEW_IMAGE}`, timeoutMs: 60_000 },
  )
}

const servers = () => [scene.server('hub'), scene.server('one')] as const
async function writes(): Promise<Map<string, number>> {
  const [hub, one] = await Promise.all(servers().map(countWrites))
  return new Map([...prefixed('hub', hub), ...prefixed('one', one)])
}
const prefixed = (name: string, counts: ReadonlyMap<string, number> = new Map()) =>
  [...counts].map(([key, count]) => [`${name} ${key}`, count] as const)
/** Written by the cluster itself, by nodes, or now and then by an agent that reports and a hub that polls. */
const isOurs = (key: string): boolean =>
  !/ (pods|deployments|replicasets|nodes|events|endpoints|endpointslices|configmaps)$/.test(key) &&
  !/^hub PATCH (clusters|gitrepos)$/.test(key)

/** The GitRepos without the sign of life of a hub that has polled for a while. */
async function gitRepos(): Promise<object[]> {
  const { items } = await scene.hub.list<GitRepo>(GIT_REPO)
  return items.map(({ metadata: { name, generation, labels, annotations, finalizers }, spec, status }) => ({
    metadata: { name, generation, labels, annotations, finalizers },
    spec,
    status: { ...status, lastPollingTriggered: undefined },
  }))
}

async function atRest(forMs = 4_000): Promise<void> {
  await eventually(
    async () => {
      const counted = await writes()
      await pause(forMs)
      expect(Object.keys(writesBetween(counted, await writes())).filter(isOurs)).toEqual([])
    },
    { what: 'nothing is written any more', timeoutMs: 60_000 },
  )
}

describe.skipIf(!folder)('a hub and a cluster as Go Fleet leaves them', () => {
  beforeAll(async () => {
    await scene.open()
    await scene.startNode([OLD_IMAGE, NEW_IMAGE])
    before = await record()
    await configure()
  }, 180_000)
  afterAll(() => scene.close())

  test('are taken over: all is ready again and comes to rest, with the agent upgraded by its own bundle', async () => {
    const start = Date.now()
    scene.startController()
    await newAgentRuns()
    await scene.survivors.allReady(scene.restored.scene, { since: start, timeoutMs: 90_000 })
    const readyMs = Date.now() - start
    await atRest()
    after = await record()
    const applied = Object.entries(after.state.releases).filter(([name, revision]) => revision !== before.state.releases[name])
    process.stdout.write(`taken over after ${readyMs} ms, deployed again: ${applied.map(([name]) => name).join(', ') || 'nothing'}\n`)
    expect(applied).toEqual([[AGENT_RELEASE, 2]])
  })

  test('keep all that was deployed and all that says so', () => {
    const { assertKept, assertReleasesKept, assertDeploymentsKept, assertNotRolledOut, assertContentsKept } = scene.survivors
    assertKept(before.state.deployed, after.state.deployed)
    assertKept(before.state.fleet, after.state.fleet)
    assertReleasesKept(before.state, after.state)
    assertDeploymentsKept(before.state, after.state)
    assertNotRolledOut(before.state, after.state)
    assertContentsKept(before.state, after.state)
  })

  test('keep the registration, its credential and its rights', () => {
    scene.survivors.assertNotRegisteredAgain(before.state, after.state)
  })

  test('lose no object, finalizer, owner, secret type, set or label that Go Fleet knows its own by', () => {
    for (const side of ['hub', 'member'] as const) {
      const lost = [...before[side]].filter(([key]) => !isReplaced(key)).map(([key, object]) => [key, marks(object)] as const)
      expect(Object.fromEntries(lost.map(([key]) => [key, after[side].has(key) ? marks(after[side].get(key)!) : 'gone'])), side).toEqual(
        Object.fromEntries(lost),
      )
    }
  })

  test('keep records that its Helm reads: the same kind of application, the same owner', () => {
    const [old, now] = [before, after].map(({ member }) => newestReleases(member.values()))
    expect([...now!.keys()]).toEqual([...old!.keys()])
    for (const [name, release] of now!) expect(recordMarks(release), name).toEqual(recordMarks(old!.get(name)!))
  })

  test('keep a configuration that it takes up: no version but its own is written on it', async () => {
    const key = `ConfigMap ${SYSTEM_NAMESPACE}/${CONTROLLER_CONFIG_NAME}`
    expect(after.hub.get(key)?.metadata.annotations).toEqual(before.hub.get(key)?.metadata.annotations)
  })

  test('are written to by nobody when everything is started again', async () => {
    const [counted, repos] = [await writes(), await gitRepos()]
    await scene.killController()
    scene.startController()
    expect(scene.killAgent()).toBe(true)
    await eventually(async () => {
      const [pod] = await agentPods()
      expect(pod?.status?.containerStatuses?.[0]).toMatchObject({ ready: true })
      expect(pod?.status?.containerStatuses?.[0]?.restartCount).toBeGreaterThan(0)
      expect(scene.controllerLog().split('starting controllers').length - 1).toBe(2)
    })
    await atRest()
    expect(Object.keys(writesBetween(counted, await writes())).filter(isOurs)).toEqual([])
    expect(await gitRepos()).toEqual(repos)
  })

  test('are worked on as ever: a commit is deployed, in place', async () => {
    const commit = await scene.restored.repository.commit({
      'raw/settings.yaml': JSON.stringify({
        apiVersion: 'v1',
        kind: 'ConfigMap',
        metadata: { name: 'raw-settings' },
        data: { version: '2' },
      }),
      'chart/templates/settings.yaml': 'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: chart-settings}\ndata: {version: "2"}\n',
    })
    await scene.survivors.allReady(scene.restored.scene, { commit, timeoutMs: 90_000 })
    for (const name of ['raw-settings', 'chart-settings']) {
      const { data, metadata } = await scene.one.get<Data>({ ...CONFIG_MAP, name, namespace: 'shop' })
      expect([data, metadata.uid], name).toEqual([{ version: '2' }, before.member.get(`ConfigMap shop/${name}`)?.metadata.uid])
    }
    after = await record()
    scene.survivors.assertKept(before.state.deployed, after.state.deployed)
  })

  test('belong, as far as they are deployed, to the field manager under which Go Fleet applies', async () => {
    for (const [name, release] of newestReleases(after.member.values())) {
      for (const object of await objectsOfRelease(scene.one, release)) {
        const owners = await ownersOf(scene.one, object)
        expect(owners, `${name}: ${object.kind} ${object.metadata.name}`).toSatisfy((all: string[]) =>
          all.some((owner) => /^fleetagent /.test(owner)),
        )
        expect(owners, `${name}: ${object.kind} ${object.metadata.name}`).not.toContainEqual(expect.stringMatching(/^helm /))
      }
    }
  })

  test('can be changed by Go Fleet’s agent, which forces nothing, and lose what it leaves out', async () => {
    const releases = [...newestReleases(after.member.values()).values()].filter((release) => release.apply_method === 'ssa')
    const objects = (await Promise.all(releases.map((release) => objectsOfRelease(scene.one, release)))).flat()
    expect(objects.length).toBeGreaterThan(5)
    for (const object of objects) {
      const changed = anotherVersion(object)
      const answer = await scene.one.apply<Data>(changed, { fieldManager: 'fleetagent', dryRun: true })
      expect(answer, `${object.kind} ${object.metadata.name}`).toMatchObject(changed)
      if (object.kind === 'ConfigMap') expect(answer.data).toEqual((changed as Data).data)
    }
  })

  test('are such on the hub that Go Fleet’s definitions lose nothing that it knows, and its controllers may write all of it', async () => {
    await scene.stopNode()
    await scene.killController()
    const ours = await objectsOf(scene.hub, FLEET_KINDS)
    await putTheirDefinitions(scene.hub)
    const expected = Object.entries(OUR_FIELDS).flatMap(([kind, fields]) => fields.map((field) => `${kind} ${field}`))
    const theirs = await eventually(
      async () => {
        const now = await objectsOf(scene.hub, FLEET_KINDS)
        const lost = new Set(
          [...ours].flatMap(([key, object]) => lostFields(object, now.get(key)).map((field) => `${object.kind} ${field}`)),
        )
        expect([...lost].filter((field) => !expected.includes(field))).toEqual([])
        expect([...lost]).toEqual(expect.arrayContaining(['Cluster status.agent.credential', 'ClusterRegistrationToken status.conditions']))
        return now
      },
      { what: 'the definitions are in effect', timeoutMs: 30_000 },
    )
    for (const object of theirs.values()) {
      await scene.hub.update(object, { dryRun: true, fieldValidation: 'Strict' })
      if ('status' in object) await scene.hub.update(object, { dryRun: true, fieldValidation: 'Strict', subresource: 'status' })
    }
    process.stdout.write(
      `on the hub came: ${[...(await record()).hub.keys()].filter((key) => !before.hub.has(key) && !isReplaced(key)).join(', ') || 'nothing'}\n`,
    )
  })
})

/** A new version of a bundle has another content. And a name that ends in a hash of a uid is another one with the uids of the restored objects. */
function isReplaced(key: string): boolean {
  return key.startsWith('Content ') || /^RoleBinding .*-token-.*-[0-9a-f]{5}$/.test(key)
}

/** What an object is recognised by. */
function marks({ metadata, ...object }: KubeObject): object {
  const { uid, finalizers, ownerReferences } = metadata
  return { uid, finalizers, ownerReferences, type: (object as { type?: string }).type, ...keys(metadata) }
}

function keys({ labels = {}, annotations = {} }: ObjectMeta): object {
  const isKept = ([key]: [string, string]): boolean =>
    /cattle\.io|helm\.sh|kubernetes\.io\/managed-by/.test(key) &&
    key !== SET_APPLIED_ANNOTATION &&
    !/deployment\.kubernetes\.io|content-name/.test(key)
  return {
    labels: Object.fromEntries(Object.entries(labels).filter(isKept)),
    annotations: Object.fromEntries(Object.entries(annotations).filter(isKept)),
    hash: labels[SET_HASH_LABEL],
  }
}

/** What Go Fleet reads of a record: how the objects were applied, and whose they are. */
function recordMarks({ apply_method, chart }: HelmRelease): object {
  const keys = ['bundle-id', 'agent-namespace', 'service-account', 'keep-resources', 'commit'].map((key) => `fleet.cattle.io/${key}`)
  return { apply_method, annotations: keys.map((key) => chart?.metadata?.annotations?.[key]) }
}

interface Data extends KubeObject {
  readonly data: Readonly<Record<string, string>>
}

/** The object as a next version of its bundle might have it. */
function anotherVersion(object: KubeObject): KubeObject {
  const { data, spec } = object as Data & { spec?: object }
  if (object.kind === 'ConfigMap') return { ...object, data: { [Object.keys(data).at(-1)!]: 'another' } } as Data
  if (object.kind === 'Deployment') return { ...object, spec: { ...spec, replicas: 5 } } as KubeObject
  return object
}
