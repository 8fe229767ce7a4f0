// One release in each of many namespaces, all of one agent: each of them goes wrong at another point, and all have to end well.
import { expect } from 'vitest'
import type { BundleDeployment } from '../api/bundle-deployment.ts'
import { decodeRelease, type ReleaseSecret } from '../lib/helm/release.ts'
import type { KubeObject } from '../lib/kube/types.ts'
import { type AgentScene, type TestBundle, withBystanders } from './agent-scene.ts'
import { eventually } from './eventually.ts'
import type { SeenRequest } from './fault-proxy.ts'
import { CONFIG_MAP, type ConfigMap } from './kube.ts'

export interface Cell {
  /** Name of the deployment, its namespace, and its service account. */
  readonly name: string
  /** Fails unless the objects of others are as they were. */
  untouched(): Promise<void>
}

/** A step in the life of a release. */
export interface Operation {
  readonly title: string
  begin(cell: Cell): Promise<void>
  /** Fails until the agent has said that it is done. */
  isDone(cell: Cell): Promise<void>
  /** Fails unless everything is in the state that the operation leads to. */
  check(cell: Cell): Promise<void>
}

const SERVICE_ACCOUNT = { apiVersion: 'v1', kind: 'ServiceAccount' }
const BYSTANDERS = ['kube-root-ca.crt', 'mine', 'of-another-release']
/** Many cells are worked on at the same time, some by helm; what failed is tried again after half a minute. */
export const PATIENCE_MS = 120_000

/** A cell for each name. Each has an account of its own, and so connections of its own: who is held up must not hold up the others. */
export async function openCells(scene: AgentScene, names: readonly string[]): Promise<Cell[]> {
  const { agentNamespace: namespace } = scene
  await scene.down.create({
    apiVersion: 'rbac.authorization.k8s.io/v1',
    kind: 'ClusterRoleBinding',
    metadata: { name: namespace },
    roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'cluster-admin' },
    subjects: [{ apiGroup: 'rbac.authorization.k8s.io', kind: 'Group', name: `system:serviceaccounts:${namespace}` }],
  } as KubeObject)
  return Promise.all(
    names.map(async (prefix) => {
      const { namespace: name, untouched } = await withBystanders(scene.down, prefix)
      await scene.down.create({ ...SERVICE_ACCOUNT, metadata: { name, namespace } })
      return { name, untouched }
    }),
  )
}

/** The cell that a request is about. */
export function cellOf(cells: readonly Cell[], { path }: SeenRequest): number {
  const parts = path.split(/[/?]/)
  return cells.findIndex(({ name }) => parts.includes(name))
}

const map = (name: string, text: string) => ({ ...CONFIG_MAP, metadata: { name }, data: { text } })

function bundle(name: string, text: string, extra: string): TestBundle {
  const files = { 'a.json': map('kept', text), 'b.json': map(extra, text), 'c.json': { ...SERVICE_ACCOUNT, metadata: { name: 'worker' } } }
  return { files, options: { serviceAccount: name }, spec: { correctDrift: { enabled: true } } }
}

/** Installation, upgrade, correction and removal: what one leads to is where the next one begins. */
export function operations(scene: AgentScene): readonly Operation[] {
  const releases = new Map<string, string | undefined>()

  const names = async (namespace: string): Promise<string[]> =>
    (await scene.down.list<KubeObject>(CONFIG_MAP, { namespace })).items.map(({ metadata }) => metadata.name).filter(isTheirs)

  async function holds({ name, untouched }: Cell, text: string, extra: string): Promise<void> {
    expect((await names(name)).sort()).toEqual([extra, 'kept'].sort())
    const kept = await scene.down.get<ConfigMap>({ ...CONFIG_MAP, name: 'kept', namespace: name })
    expect(kept.data).toEqual({ text })
    expect(await scene.down.find({ ...SERVICE_ACCOUNT, name: 'worker', namespace: name })).toBeDefined()
    const history = await historyOf(scene, name)
    expect(history.filter((line) => /^\d+ (pending|uninstalling)/.test(line))).toEqual([])
    expect(history.at(-1)).toMatch(/^\d+ (deployed|failed .*interrupted)/)
    expect(history.filter((line) => /^\d+ deployed/.test(line)).length, history.join()).toBeLessThanOrEqual(1)
    expect((await scene.isReady(name)).status?.release).toBeDefined()
    await untouched()
  }

  const isReady = async ({ name }: Cell): Promise<BundleDeployment> => scene.isReady(name)
  return [
    {
      title: 'an installation',
      begin: ({ name }) => scene.deploy(name, bundle(name, 'first', 'dropped')),
      isDone: async (cell) => void (await isReady(cell)),
      check: (cell) => holds(cell, 'first', 'dropped'),
    },
    {
      title: 'an upgrade',
      begin: ({ name }) => scene.deploy(name, bundle(name, 'second', 'added')),
      isDone: async (cell) => void (await isReady(cell)),
      check: (cell) => holds(cell, 'second', 'added'),
    },
    {
      title: 'a correction',
      async begin({ name }) {
        releases.set(name, (await scene.deployment(name)).status?.release)
        await scene.down.patch({ ...CONFIG_MAP, name: 'kept', namespace: name }, { data: { text: 'by hand' } }, { type: 'merge' })
      },
      async isDone(cell) {
        expect((await isReady(cell)).status?.release).not.toBe(releases.get(cell.name))
      },
      check: (cell) => holds(cell, 'second', 'added'),
    },
    {
      title: 'a removal',
      begin: ({ name }) => scene.remove(name),
      isDone: async ({ name }) => expect(await historyOf(scene, name)).toEqual([]),
      async check({ name, untouched }) {
        expect(await historyOf(scene, name)).toEqual([])
        expect(await names(name)).toEqual([])
        expect(await scene.down.find({ ...SERVICE_ACCOUNT, name: 'worker', namespace: name })).toBeUndefined()
        await untouched()
      },
    },
  ]
}

function isTheirs(name: string): boolean {
  return !BYSTANDERS.includes(name)
}

/** The revisions of the release in a namespace: version, state and what is said of it. */
export async function historyOf(scene: AgentScene, namespace: string): Promise<string[]> {
  const { items } = await scene.down.list<ReleaseSecret>({ apiVersion: 'v1', kind: 'Secret' }, { namespace, labelSelector: 'owner=helm' })
  return items
    .map(decodeRelease)
    .sort((a, b) => a.version - b.version)
    .map(({ version, info }) => `${version} ${info.status} ${info.description ?? ''}`)
}

/** Waits until every cell passes the check of an operation. */
export async function allWell(operation: Operation, cells: readonly Cell[]): Promise<void> {
  await Promise.all(
    cells.map((cell, index) =>
      eventually(() => operation.check(cell), { what: `${operation.title}, cell ${index}`, timeoutMs: PATIENCE_MS, everyMs: 300 }),
    ),
  )
}
