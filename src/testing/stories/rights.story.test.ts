// Each controller runs with the rights that the table gives to it and no others, and so do the programs as the chart puts them together: nothing is refused on
// the way from an empty hub to a fleet and back, and what nobody uses is not granted.
import { execFileSync } from 'node:child_process'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest'
import { CONTROLLERS } from '../../config/controller.ts'
import { SYSTEM_NAMESPACE } from '../../devcluster/fleet-objects.ts'
import type { KubeObject } from '../../lib/kube/types.ts'
import { parseYamlDocuments } from '../../lib/yaml/parse.ts'
import { startChartServer } from '../chart-server.ts'
import { ROOT } from '../fleet.ts'
import { startGitServer } from '../git-server.ts'
import { startImageRegistry } from '../image-registry.ts'
import { REGISTRY_PROGRAM, startTestRegistry } from '../registry.ts'
import type { Asked } from '../rights/audit.ts'
import { Path, type Servers } from '../rights/path.ts'
import { accountWith, type HubProgram, RightsScene } from '../rights/scene.ts'
import { expectedUses, readRights, rulesOf } from '../rights/table.ts'

const rights = readRights()

async function startServers(): Promise<Servers> {
  const [git, charts, images, storage] = await Promise.all([
    startGitServer(),
    startChartServer({ auth: { username: 'user', password: 'secret' } }),
    startImageRegistry(),
    REGISTRY_PROGRAM ? startTestRegistry({ tls: true, guarded: true }) : undefined,
  ])
  return { git, charts, images, storage }
}

interface Installation {
  readonly programs: readonly HubProgram[]
  readonly rights: readonly KubeObject[]
}

/** A process for each controller; they share no lease, so none is needed. */
function alone(): Installation {
  return {
    programs: CONTROLLERS.map((name) => ({ name, args: [`--controllers=${name}`, '--leader-elect=false'] })),
    rights: CONTROLLERS.flatMap((name) => {
      const rows = rights.controllers[name]
      return accountWith(name, { everywhere: rulesOf(rows, undefined), own: rulesOf(rows, 'own') })
    }),
  }
}

const RIGHTS: readonly string[] = ['ServiceAccount', 'ClusterRole', 'ClusterRoleBinding', 'Role', 'RoleBinding']

interface Deployment extends KubeObject {
  readonly spec: { readonly template: { readonly spec: { readonly containers: readonly { readonly args: readonly string[] }[] } } }
}

/** The programs of the chart with the accounts of the chart. */
function charted(): Installation {
  const schedules = 'extraEnv[0].name=EXPERIMENTAL_SCHEDULES,extraEnv[0].value=true'
  const values = ['--set', 'imagescan.enabled=true', '--set-string', schedules]
  const args = ['template', 'fleet', 'charts/fleet', '--namespace', SYSTEM_NAMESPACE, ...values]
  const env = { HOME: '/nowhere', PATH: process.env.PATH ?? '' }
  const text = execFileSync(join(inject('clusters').hub.bin, 'helm'), args, { cwd: ROOT, encoding: 'utf8', timeout: 60_000, env })
  const objects = parseYamlDocuments(text).filter((object) => object !== null) as KubeObject[]
  const deployments = objects.filter(({ kind }) => kind === 'Deployment') as Deployment[]
  return {
    programs: deployments.map(({ metadata, spec }) => ({ name: metadata.name, args: spec.template.spec.containers[0]?.args ?? [] })),
    rights: objects.filter(({ kind }) => RIGHTS.includes(kind)),
  }
}

const GROWING = [
  ['clusters join', 'join'],
  ['a commit is deployed, and goes', 'deployCommit'],
  ['a commit is kept in a registry (skipped without docker-registry and openssl)', 'storeCommit'],
  ['a chart is deployed, and goes', 'deployChart'],
  ['clusters are selected', 'select'],
] as const
const CHANGING = [
  ['credentials, agents and rights are renewed, and orphans go', 'tend'],
  ['everything is taken away', 'leave'],
] as const

/** What agents and registration tokens have on the hub, as far as our agents use it: Go Fleet's update the status of deployments, too. */
const AGENT_USES = [
  'get bundledeployments.fleet.cattle.io',
  'list bundledeployments.fleet.cattle.io',
  'watch bundledeployments.fleet.cattle.io',
  'patch bundledeployments.fleet.cattle.io/status',
  'patch clusters.fleet.cattle.io/status',
  'get contents.fleet.cattle.io',
  'get secrets',
  'get configmaps',
]
const IS_AGENT = /:request-[^:]*$/
const IS_TOKEN = /:(edge|import-token)-[^:]*$/
const TOKEN_USES = ['create clusterregistrations.fleet.cattle.io', 'get secrets']

describe.each([
  ['each controller alone', alone],
  ['the programs of the chart', charted],
] as const)('%s', (_, install) => {
  const scene = new RightsScene()
  let installation: Installation
  let servers: Servers
  beforeAll(async () => {
    servers = await startServers()
    installation = install()
    await scene.open(installation.rights)
    await Promise.all(installation.programs.map((program) => scene.start(program)))
  })
  afterAll(async () => {
    await scene.close()
    await Promise.all([servers?.git.stop(), servers?.charts.stop(), servers?.images.down(), servers?.storage?.stop()])
  })

  const accountOf = (user: string): string => user.replace(`system:serviceaccount:${SYSTEM_NAMESPACE}:`, '')
  const isOfHub = ({ user }: Asked): boolean => installation.programs.some(({ name }) => name === accountOf(user))
  const useOf = ({ user, verb, resource }: Asked): string => `${accountOf(user)}: ${verb} ${resource}`

  /** Requests that were refused for want of rights. */
  function refused(asked: readonly Asked[]): string[] {
    const lines = asked.filter(({ code }) => code === 403).map((one) => `${useOf(one)}: ${one.message || one.path}`)
    return [...new Set(lines)]
  }

  async function walk(step: keyof Path): Promise<void> {
    await new Path(scene, servers)[step]().catch((error: unknown) => {
      throw new Error(`${String(error)}\nrefused: ${JSON.stringify(refused(scene.asked()), null, 1)}`)
    })
    expect(refused(scene.asked().filter(isOfHub))).toEqual([])
  }

  test.each(GROWING)('%s', (_what, step) => walk(step))

  test('agents and tokens were refused nothing either, and use what they have', () => {
    const asked = (['hub', 'down', 'edge'] as const).flatMap((cluster) => scene.asked(cluster))
    // an agent asks for its credential until it is let in, and tries it until its rights have come too
    const isWaiting = ({ user, verb, resource }: Asked): boolean =>
      (IS_TOKEN.test(user) && `${verb} ${resource}` === 'get secrets') ||
      (IS_AGENT.test(user) && `${verb} ${resource}` === 'list bundledeployments.fleet.cattle.io')
    expect(refused(asked.filter((one) => !isWaiting(one)))).toEqual([])
    const usesOf = (account: RegExp): Set<string> =>
      new Set(
        scene
          .asked()
          .filter(({ user, resource }) => resource !== '' && account.test(user))
          .map(({ verb, resource }) => `${verb} ${resource}`),
      )
    expect([...usesOf(IS_AGENT)].sort()).toEqual([...AGENT_USES].sort())
    expect([...usesOf(IS_TOKEN)].sort()).toEqual([...TOKEN_USES].sort())
  })

  test.each(CHANGING)('%s', (_what, step) => walk(step))

  test('metrics are to be had without another cache', async () => {
    const before = scene.asked().length
    await scene.scrape()
    const lists = scene
      .asked()
      .slice(before)
      .filter(isOfHub)
      .filter(({ verb }) => verb === 'list')
    expect(lists.map(useOf)).toEqual([])
  })

  test.skipIf(!REGISTRY_PROGRAM || install === charted)('every right is used, or the table says why it is needed all the same', () => {
    const uses = new Set(scene.asked().map(useOf))
    const expected = CONTROLLERS.flatMap((name) => rights.controllers[name].flatMap(expectedUses).map((use) => `${name}: ${use}`))
    expect(expected.length).toBeGreaterThan(200)
    expect(expected.filter((use) => !uses.has(use))).toEqual([])
  })

  test.skipIf(install === alone)('the lease is used with every verb of it', () => {
    const uses = new Set(scene.asked().map(useOf))
    const expected = rights.everybody.flatMap(expectedUses).flatMap((use) => installation.programs.map(({ name }) => `${name}: ${use}`))
    expect(expected.filter((use) => !uses.has(use))).toEqual([])
  })
})
