// The charts over an installed release of Rancher Fleet's, and Rancher Fleet's over ours again: the commands of the guide, as they stand there.
import { execFile } from 'node:child_process'
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest'
import { FLEET_API_VERSION } from '../../api/kinds.ts'
import type { KubeObject, ResourceType } from '../../lib/kube/types.ts'
import { parseYaml } from '../../lib/yaml/parse.ts'
import { stringifyYaml } from '../../lib/yaml/stringify.ts'
import { CONFIG_MAP, DEPLOYMENT, SECRET, SERVICE_ACCOUNT } from '../../registration/kinds.ts'
import { eventually } from '../eventually.ts'
import { ROOT } from '../fleet.ts'
import { type InstalledCluster, type InstalledScene, SYSTEM_NAMESPACE, startInstalledScene } from '../installed.ts'
import { objectsOf } from '../takeover.ts'
import { type Definition, withoutOurFields } from '../upstream-definitions.ts'

const WORKSPACE = 'fleet-default'
const IN_SYSTEM = ['--namespace', SYSTEM_NAMESPACE]
const THEIRS = join(ROOT, 'testdata', 'go-fleet')
const CRD: ResourceType = { apiVersion: 'apiextensions.k8s.io/v1', kind: 'CustomResourceDefinition' }
const kinds = (apiVersion: string, ...names: string[]) => names.map((kind) => ({ apiVersion, kind }))
const CHART_KINDS = [
  ...[DEPLOYMENT, CONFIG_MAP, SERVICE_ACCOUNT, SECRET, CRD],
  ...kinds('v1', 'Service'),
  ...kinds('batch/v1', 'CronJob', 'Job'),
  ...kinds('policy/v1', 'PodDisruptionBudget'),
  ...kinds('rbac.authorization.k8s.io/v1', 'ClusterRole', 'ClusterRoleBinding', 'Role', 'RoleBinding'),
]
/** One of each kind that holds what cannot be made again. */
const DATA = [
  resource('GitRepo', 'apps', {
    repo: 'https://git.example.invalid/apps',
    branch: 'main',
    paused: true,
    targets: [{ clusterName: 'one' }],
  }),
  resource('Bundle', 'direct', {
    paused: true,
    targets: [{ clusterName: 'one' }],
    resources: [{ name: 'a.yaml', content: 'kind: ConfigMap' }],
  }),
  resource('Cluster', 'one', { clientID: 'one' }),
  resource('ClusterGroup', 'all', { selector: {} }),
  resource('ClusterRegistrationToken', 'join', { ttl: '1h' }),
  resource('BundleDeployment', 'direct', { deploymentID: 's-1:2', paused: true }),
]

let scene: InstalledScene
let values: string
beforeAll(async () => {
  scene = await startInstalledScene(['client', 'server'])
  writeDefinitions(join(scene.dir, 'fleet-crd'))
  values = join(THEIRS, 'user-values.yaml')
})
afterAll(() => scene?.stop())

/** Objects of Rancher Fleet's charts that ours do without. */
const NOT_OURS = [
  `CronJob ${SYSTEM_NAMESPACE}/fleet-cleanup-gitrepo-jobs`,
  'ClusterRoleBinding /gitjob-binding',
  'ClusterRoleBinding /helmops-binding',
]
const DEPLOYMENTS = ['fleet-controller', 'gitjob', 'helmops'].flatMap((name) => [name, `${name}-shard-one`])
/** Images that no node runs as a program: their pods are ready at once. */
const OUR_IMAGES = ['--set', 'image.repository=registry.invalid/fleet', '--set', 'agentImage.repository=registry.invalid/fleet-agent']

describe.each([
  { name: 'client', method: '--server-side=false', what: 'by the client, as Helm 3 and Rancher do' },
  { name: 'server', method: '--server-side=true', what: 'by the server, as Helm 4 does' },
])('a release of Rancher Fleet that was applied $what', ({ name, method }) => {
  const cluster = (): InstalledCluster => scene.clusters[name]!
  const helm = (...args: string[]) => scene.helm(name, [...args, ...IN_SYSTEM, '--timeout', '2m'])
  const ca = () => join(scene.dir, `${name}.pem`)
  const hub = () => ['-f', values, '--set', `apiServerURL=${cluster().url}`, '--set-file', `apiServerCA=${ca()},proxyCACert=${ca()}`]
  let installed: Map<string, KubeObject>
  let upgraded: Map<string, KubeObject>
  let made: unknown

  const ofCharts = async (): Promise<Map<string, KubeObject>> => {
    const all = await objectsOf(cluster().client, CHART_KINDS)
    const isOfCharts = ({ metadata }: KubeObject) => /^fleet(-crd)?$/.test(metadata.annotations?.['meta.helm.sh/release-name'] ?? '')
    return new Map([...all].filter(([, object]) => isOfCharts(object)))
  }
  const data = async (): Promise<unknown> => {
    const types = [...new Set(DATA.map(({ kind }) => kind))].map((kind) => ({ apiVersion: FLEET_API_VERSION, kind }))
    const objects = [...(await objectsOf(cluster().client, types)).values()] as (KubeObject & { spec?: object })[]
    return objects.map(({ kind, metadata, spec }) => ({
      kind,
      name: metadata.name,
      uid: metadata.uid,
      gone: metadata.deletionTimestamp,
      spec,
    }))
  }
  /** As the guide says: two kinds of controllers must not work at the same time. */
  const stop = async (): Promise<void> => {
    await kubectl(cluster(), 'scale', 'deploy', ...DEPLOYMENTS, '--replicas=0')
    await kubectl(cluster(), 'wait', '--for=delete', 'pod', '-l', 'app in (fleet-controller, gitjob, helmops)', '--timeout=60s')
  }
  const expectTheirs = async (): Promise<void> => {
    const now = await ofCharts()
    expect(await data()).toEqual(made)
    expect([...now.keys()].sort()).toEqual([...installed.keys()].sort())
    expect(Object.fromEntries([...now].map(([key, object]) => [key, contents(object)]))).toEqual(
      Object.fromEntries([...installed].map(([key, object]) => [key, contents(object)])),
    )
  }

  test('is there, with things that users have made', async () => {
    writeFileSync(ca(), cluster().ca)
    await helm('install', 'fleet-crd', join(scene.dir, 'fleet-crd'), '--create-namespace', method)
    await helm('install', 'fleet', join(THEIRS, 'fleet'), ...hub(), method, '--wait')
    await cluster().client.create({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: WORKSPACE } })
    for (const object of DATA) await eventually(() => cluster().client.create(object))
    installed = await ofCharts()
    made = await data()
    expect(installed.size).toBeGreaterThan(30)
  })

  test('is upgraded to ours with the same values: what holds data stays, and nothing is made anew that need not be', async () => {
    await stop()
    await helm('upgrade', 'fleet-crd', 'charts/fleet-crd', '--wait')
    await helm('upgrade', 'fleet', 'charts/fleet', '--reset-values', ...hub(), ...OUR_IMAGES, '--wait')
    upgraded = await ofCharts()
    expect(await data()).toEqual(made)
    const now = [...installed].map(([key, { metadata }]) => [key, metadata.uid, upgraded.get(key)?.metadata.uid])
    expect(now.filter(([, before, after]) => before !== after).map(([key]) => key)).toEqual(NOT_OURS)
  })

  test('leaves nothing of Rancher Fleet in our programs, and nothing out that the values say', async () => {
    for (const name of DEPLOYMENTS) {
      const { spec } = upgraded.get(`Deployment ${SYSTEM_NAMESPACE}/${name}`) as Workload
      const { containers, priorityClassName, tolerations } = spec.template.spec
      expect(containers).toMatchObject([
        { name: name.replace('-shard-one', ''), image: 'registry.invalid/fleet:0.1.0', resources: { requests: { memory: '64Mi' } } },
      ])
      const [{ env, args, command } = { env: [], args: [], command: [] }] = containers
      expect([...command, ...args].join(' '), name).not.toMatch(/gitjob-image|cleanup|agentmanagement/)
      expect(
        env.filter((entry) => /PROXY|SCHEDULES/.test(entry.name)).map((entry) => entry.value ?? entry.valueFrom),
        name,
      ).toEqual([
        ...['http://proxy.invalid:8888', 'http://proxy.invalid:8888', '127.0.0.0/8,localhost,.svc'],
        ...[{ secretKeyRef: { name: 'fleet-proxy-ca', key: 'ca.crt' } }, 'true'],
      ])
      expect({ priorityClassName, dedicated: tolerations.filter(({ key }) => key === 'dedicated').length }).toEqual({
        priorityClassName: 'system-cluster-critical',
        dedicated: 1,
      })
      expect(spec.replicas, name).toBe(name.startsWith('fleet-controller') ? 2 : 1)
    }
    for (const [key, { metadata }] of upgraded) {
      if (key.startsWith('CustomResourceDefinition ')) expect(metadata.annotations?.['helm.sh/resource-policy'], key).toBe('keep')
    }
  })

  test('is upgraded back', async () => {
    await stop()
    await helm('upgrade', 'fleet-crd', join(scene.dir, 'fleet-crd'), '--wait')
    await helm('upgrade', 'fleet', join(THEIRS, 'fleet'), '--reset-values', ...hub(), '--wait')
    await expectTheirs()
  })

  test.runIf(name === 'server')('goes to ours once more and back, by revisions of Helm', async () => {
    for (const [revision, check] of [
      ['2', async () => expect([...(await ofCharts()).keys()].sort()).toEqual([...upgraded.keys()].sort())],
      ['1', expectTheirs],
    ] as const) {
      await stop()
      for (const release of ['fleet-crd', 'fleet']) await helm('rollback', release, revision, '--wait')
      await check()
    }
  })

  test.runIf(name === 'client')('may be uninstalled once it is ours, and nothing goes that holds data', async () => {
    for (const release of ['fleet-crd', 'fleet']) await helm('rollback', release, '2')
    for (const release of ['fleet', 'fleet-crd']) await helm('uninstall', release, '--wait')
    expect(await data()).toEqual(made)
  })
})

interface Workload extends KubeObject {
  readonly spec: {
    readonly replicas: number
    readonly template: {
      readonly spec: {
        readonly priorityClassName: string
        readonly tolerations: readonly { readonly key: string }[]
        readonly containers: readonly {
          readonly command: readonly string[]
          readonly args: readonly string[]
          readonly env: readonly { readonly name: string; readonly value?: string; readonly valueFrom?: object }[]
        }[]
      }
    }
  }
}

/** What a chart says of an object: not what clusters and Helm add. */
function contents(object: KubeObject): object {
  const { metadata, status: _, ...rest } = object as KubeObject & { status?: unknown }
  const annotations = Object.entries(metadata.annotations ?? {}).filter(([key]) => !/deployment\.kubernetes\.io|meta\.helm\.sh/.test(key))
  return { ...rest, labels: metadata.labels, annotations: Object.fromEntries(annotations) }
}

function resource(kind: string, name: string, spec: object): KubeObject {
  return { apiVersion: FLEET_API_VERSION, kind, metadata: { name, namespace: WORKSPACE }, spec } as KubeObject
}

async function kubectl({ kubeconfig }: InstalledCluster, ...args: string[]): Promise<string> {
  const options = { env: { KUBECONFIG: kubeconfig, HOME: dirname(kubeconfig), PATH: '' }, timeout: 90_000 }
  return (await promisify(execFile)(join(inject('clusters').hub.bin, 'kubectl'), [...IN_SYSTEM, ...args], options)).stdout
}

/** A chart `fleet-crd` as Rancher Fleet's: its definitions know no fields of ours, and go when it is uninstalled. */
function writeDefinitions(dir: string): void {
  mkdirSync(join(dir, 'templates'), { recursive: true })
  writeFileSync(join(dir, 'Chart.yaml'), stringifyYaml({ apiVersion: 'v2', name: 'fleet-crd', version: '0.16.0' }))
  for (const file of readdirSync(join(ROOT, 'crds'))) {
    const definition = parseYaml(readFileSync(join(ROOT, 'crds', file), 'utf8')) as unknown as Definition
    writeFileSync(join(dir, 'templates', file), stringifyYaml(withoutOurFields(definition)))
  }
}
