// The charts: what they render to, and what they refuse. `npx vitest run --project api -u src/testing/charts` writes the golden files anew.
import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, inject, test } from 'vitest'
import { parseYaml, parseYamlDocuments } from '../../lib/yaml/parse.ts'

const ROOT = join(import.meta.dirname, '..', '..', '..')
const CHARTS = ['fleet-crd', 'fleet', 'fleet-agent'] as const
const TOKEN_VALUES = ['--set', 'apiServerURL=https://hub.example.com:6443,token=secret,tokenName=import,clusterNamespace=fleet-default']

function helm(args: readonly string[]): { ok: boolean; output: string } {
  try {
    const output = execFileSync(join(inject('clusters').hub.bin, 'helm'), args, {
      cwd: ROOT,
      encoding: 'utf8',
      timeout: 60_000,
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { HOME: '/nowhere', PATH: process.env.PATH ?? '' },
    })
    return { ok: true, output }
  } catch (error) {
    return { ok: false, output: String((error as { stderr?: string }).stderr) }
  }
}

function render(chart: string, values: readonly string[] = [], release = chart, namespace = 'cattle-fleet-system') {
  return helm(['template', release, `charts/${chart}`, '--namespace', namespace, '--kube-version', '1.36.0', ...values])
}

test.each(CHARTS)('%s has the version of the programs', (chart) => {
  const { version } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as { version: string }
  expect(parseYaml(readFileSync(join(ROOT, 'charts', chart, 'Chart.yaml'), 'utf8'))).toMatchObject({ version, appVersion: version })
})

describe('rendered as it should be', () => {
  test.each<[file: string, chart: string, values: string[]]>([
    ['fleet-defaults', 'fleet', []],
    ['fleet-everything', 'fleet', ['--values', 'src/testing/charts/fleet-everything.values.yaml']],
    ['fleet-all-in-one', 'fleet', ['--set', 'controller.allInOne=true,bootstrap.enabled=false,metrics.enabled=false']],
    ['fleet-agent', 'fleet-agent', TOKEN_VALUES],
  ])('%s', async (file, chart, values) => {
    const { ok, output } = render(chart, values)
    expect(ok, output).toBe(true)
    await expect(output).toMatchFileSnapshot(`${file}.golden.yaml`)
  })

  test('chart fleet-crd has all definitions', () => {
    const kinds = parseYamlDocuments(render('fleet-crd').output).map((definition) => (definition as { kind?: string } | null)?.kind)
    expect(kinds.filter((kind) => kind === 'CustomResourceDefinition')).toHaveLength(14)
  })
})

describe('refused with a word about what to do', () => {
  test.each<[values: string, message: string]>([
    ['agentTLSMode=none', 'agentTLSMode'],
    ['apiServerURL=hub.example.com', 'apiServerURL must begin with https://'],
    ['agentTLSMode=strict,apiServerURL=https://h', 'agentTLSMode strict needs apiServerCA'],
    ['imagescan=true', 'imagescan'],
    ['image.repository=rancher/fleet', 'image.repository is that of Rancher Fleet'],
    ['controler.replicas=2', "additional properties 'controler' not allowed"],
  ])('fleet with %s', (values, message) => {
    const { ok, output } = render('fleet', ['--set', values])
    expect(ok).toBe(false)
    expect(output).toContain(message)
  })

  test('fleet-agent elsewhere, under another name, or without a token', () => {
    expect(render('fleet-agent', TOKEN_VALUES, 'fleet-agent', 'default').output).toContain(
      'install this chart in namespace cattle-fleet-system',
    )
    expect(render('fleet-agent', TOKEN_VALUES, 'agent').output).toContain('install this chart as release fleet-agent')
    expect(render('fleet-agent').output).toContain('apiServerURL is missing')
  })
})

interface Workload {
  kind: string
  metadata: { name: string }
  spec: { replicas: number; template: { spec: { containers: { env: { name: string; value?: string }[]; resources: unknown }[] } } }
}

/** The Deployments of chart fleet by name. */
function deployments(...values: string[]): Record<string, Workload> {
  const { ok, output } = render(
    'fleet',
    values.flatMap((value) => ['--set-json', value]),
  )
  expect(ok, output).toBe(true)
  const objects = parseYamlDocuments(output).filter((object) => (object as Workload | null)?.kind === 'Deployment') as Workload[]
  return Object.fromEntries(objects.map((object) => [object.metadata.name, object]))
}

const container = (workload: Workload | undefined) => workload?.spec.template.spec.containers[0]

/** What a variable is in the end: of two with one name the later counts. */
const variable = (workload: Workload | undefined, name: string) => container(workload)?.env.findLast((each) => each.name === name)?.value

describe('values files of Rancher Fleet', () => {
  test.each([
    'agentCheckinInterval=0',
    'garbageCollectionInterval=0',
    'gitClientTimeout=0',
    'clusterEnqueueDelay=0',
    'gitops={"syncPeriod":0}',
    'leaderElection={"leaseDuration":0,"retryPeriod":null}',
    'agent={"leaderElection":{"renewDeadline":0}}',
    'proxy=null',
    'proxyCACert=null',
    'resources=null',
    'nodeSelector=null',
    'debugLevel="5"',
    'controller={"replicas":"2"}',
    'image={"imagePullPolicy":""}',
    'controller={"reconciler":{"workers":{"bundle":"","gitrepo":null}}}',
  ])('%s is taken', (value) => {
    const { ok, output } = render('fleet', ['--set-json', value])
    expect(ok, output).toBe(true)
    expect(output).not.toContain('<nil>')
  })

  test.each([
    'garbageCollectionInterval=0',
    'leaderElection={"leaseDuration":0}',
    'proxy=null',
    'agent={"reconciler":{"workers":{"drift":""}}}',
  ])('fleet-agent: %s is taken', (value) => {
    const { ok, output } = render('fleet-agent', [...TOKEN_VALUES, '--set-json', value])
    expect(ok, output).toBe(true)
  })

  test('what is empty leaves a variable out, so that its default counts', () => {
    const all = deployments(
      'leaderElection={"leaseDuration":0,"retryPeriod":null}',
      'controller={"reconciler":{"workers":{"bundle":""}}}',
      'agent={"replicas":0,"leaderElection":{"leaseDuration":null}}',
    )
    const names = container(all['fleet-controller'])?.env.map(({ name }) => name)
    expect(names).toContain('CATTLE_ELECTION_RENEW_DEADLINE')
    for (const name of ['CATTLE_ELECTION_LEASE_DURATION', 'CATTLE_ELECTION_RETRY_PERIOD', 'BUNDLE_RECONCILER_WORKERS']) {
      expect(names).not.toContain(name)
    }
    expect(names).not.toContain('FLEET_AGENT_REPLICA_COUNT')
    expect(names).not.toContain('FLEET_AGENT_ELECTION_LEASE_DURATION')
  })

  test('an empty entry for a program is none, not the one for all', () => {
    const all = deployments('resources={"limits":{"cpu":2},"gitjob":{},"helmops":{"limits":{"cpu":1}}}')
    expect(container(all['fleet-controller'])?.resources).toEqual({ limits: { cpu: 2 } })
    expect(container(all.gitjob)?.resources).toEqual({})
    expect(container(all.helmops)?.resources).toEqual({ limits: { cpu: 1 } })
  })

  test('shards have the replicas of their program, and a name counts once', () => {
    const all = deployments('shards=[{"id":"a"},{"id":"a"}]', 'controller={"replicas":3}', 'gitjob={"replicas":2}')
    expect(Object.keys(all).sort()).toEqual([
      'fleet-controller',
      'fleet-controller-shard-a',
      'gitjob',
      'gitjob-shard-a',
      'helmops',
      'helmops-shard-a',
    ])
    expect(all['fleet-controller-shard-a']?.spec.replicas).toBe(3)
    expect(all['gitjob-shard-a']?.spec.replicas).toBe(2)
    expect(all['helmops-shard-a']?.spec.replicas).toBe(1)
  })

  test('extraEnv has the last word', () => {
    const all = deployments('extraEnv=[{"name":"BUNDLE_RECONCILER_WORKERS","value":"7"},{"name":"GITREPO_RECONCILER_WORKERS","value":"8"}]')
    expect(variable(all['fleet-controller'], 'BUNDLE_RECONCILER_WORKERS')).toBe('7')
    expect(variable(all.gitjob, 'GITREPO_RECONCILER_WORKERS')).toBe('8')
  })
})
