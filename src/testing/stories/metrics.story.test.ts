// What operators watch a fleet with: a real Prometheus scrapes hub and agent, evaluates the alerts of the chart, and answers what the dashboard asks.
import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { CLUSTER_GROUP, GIT_REPO, HELM_OP } from '../../api/kinds.ts'
import { WORKSPACE } from '../../devcluster/fleet-objects.ts'
import { freePorts } from '../../devcluster/ports.ts'
import type { KubeObject } from '../../lib/kube/types.ts'
import { type ChartServer, startChartServer } from '../chart-server.ts'
import { RULES_FILE, readDashboard, readRules, readText } from '../charts/monitoring-files.ts'
import { namesIn } from '../charts/promql.ts'
import { eventually } from '../eventually.ts'
import { findProgram } from '../find-program.ts'
import { configMap, MEMBER, useFleet } from '../fleet.ts'
import { PROMETHEUS_PROGRAM, type Prometheus, startPrometheus } from '../prometheus.ts'

if (!PROMETHEUS_PROGRAM) process.stdout.write('prometheus and promtool are not installed: nothing is scraped\n')

/** The names of the Services of the charts, which alerts and dashboard look for. */
const HUB_JOB = 'monitoring-fleet-controller'
const AGENT_JOB = 'fleet-agent'

/** Findings of promtool about names that are not ours to choose: those of Rancher Fleet, which dashboards know, and those of prom-client. */
const ACCEPTED = [
  /^fleet_cluster_group_(?:non_ready_)?cluster_count non-histogram and non-summary metrics should not have "_count" suffix$/,
  /^fleet_gitjob_duration_seconds_gauge metric name should not include type 'gauge'$/,
  /^nodejs_active_(?:handles|requests|resources)_total non-counter metrics should not have "_total" suffix$/,
]

interface Target {
  readonly labels: { readonly job: string }
  readonly health: string
  readonly lastError: string
}
interface RuleState {
  readonly name: string
  readonly health: string
  readonly lastError?: string
  readonly state: string
}

describe.skipIf(!PROMETHEUS_PROGRAM)('Prometheus (skipped where it is not installed)', () => {
  const addresses: Record<string, string> = {}
  beforeAll(async () => {
    const [hub, member] = await freePorts(2)
    Object.assign(addresses, { hub: `127.0.0.1:${hub}`, [MEMBER]: `127.0.0.1:${member}` })
  })
  const fleet = useFleet({
    nodeEnv: (cluster) => {
      const address = addresses[cluster] ?? ''
      return cluster === 'hub' ? { FLEET_METRICS_BIND_ADDRESS: address } : { FLEET_AGENT_METRICS_BIND_ADDRESS: address }
    },
    // two agents, while one is rolled, cannot have the same port
    config: { manageAgent: false },
  })
  let prometheus: Prometheus
  let charts: ChartServer

  const shown = async (cluster: string): Promise<string> => (await fetch(`http://${addresses[cluster]}/metrics`)).text()

  beforeAll(async () => {
    charts = await startChartServer()
    prometheus = await startPrometheus({
      targets: { [HUB_JOB]: addresses.hub ?? '', [AGENT_JOB]: addresses[MEMBER] ?? '' },
      rules: [readText(RULES_FILE), impatient(['FleetBundleNotReady', 'FleetBundleFailed', 'FleetGitRepoPollsFailing'])],
    })
  })
  afterAll(() => Promise.all([prometheus?.stop(), charts?.stop()]))

  /** Something of each kind, well and unwell, so that all metrics are born. */
  async function fill(): Promise<void> {
    const good = await fleet.git.repository('good', {
      'raw/one.yaml': configMap('one'),
      'raw/fleet.yaml': 'defaultNamespace: good\n',
    })
    const broken = await fleet.git.repository('broken', {
      'raw/one.yaml': '{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"Not A Name"}}\n',
      'raw/fleet.yaml': 'defaultNamespace: broken\n',
    })
    const unreadable = await fleet.git.repository('unreadable', { 'raw/fleet.yaml': 'defaultNamespace: [\n' })
    await fleet.gitRepo('good', { repo: good.url, paths: ['raw'] })
    await fleet.gitRepo('broken', { repo: broken.url, paths: ['raw'] })
    await fleet.gitRepo('unreadable', { repo: unreadable.url, paths: ['raw'] })
    await fleet.gitRepo('lost', { repo: 'http://127.0.0.1:9/none.git', paths: ['raw'] })
    await fleet.hub.create({ ...CLUSTER_GROUP, metadata: { name: 'all', namespace: WORKSPACE }, spec: { selector: {} } } as KubeObject)
    await charts.publish('charts', 'hello', '1.0.0', { 'templates/cm.yaml': configMap('hello') })
    const helm = { repo: charts.repository('charts'), chart: 'hello', version: '1.0.0' }
    await fleet.hub.create({
      ...HELM_OP,
      metadata: { name: 'hello', namespace: WORKSPACE },
      spec: { defaultNamespace: 'hello', helm, targets: [{ clusterSelector: {} }] },
    } as KubeObject)
    await fleet.ready('good', await good.head())
  }

  test('reaches both programs, and everything that the dashboard asks for is there', { timeout: 240_000 }, async () => {
    await fill()
    await eventually(
      async () => {
        const { activeTargets } = await prometheus.api<{ activeTargets: Target[] }>('targets')
        expect(activeTargets.map(({ labels, health, lastError }) => [labels.job, health, lastError]).sort()).toEqual([
          [AGENT_JOB, 'up', ''],
          [HUB_JOB, 'up', ''],
        ])
      },
      { what: 'both are scraped' },
    )
    const asked = readDashboard().panels.flatMap(({ targets = [] }) => targets.flatMap(({ expr }) => namesIn(expr).metrics))
    const alerted = readRules().groups.flatMap(({ rules }) => rules.flatMap(({ expr }) => namesIn(expr).metrics))
    await eventually(
      async () => {
        const stored = new Set(await prometheus.api<string[]>('label/__name__/values'))
        expect([...new Set([...asked, ...alerted])].filter((name) => !stored.has(name))).toEqual([])
      },
      { what: 'all metrics of dashboard and alerts are stored' },
    )
    // a program that once does not answer within a second has no series until the next time
    for (const family of [
      'controller_runtime_reconcile_total',
      'workqueue_depth',
      'process_resident_memory_bytes',
      'process_start_time_seconds',
    ])
      await eventually(async () =>
        expect(new Set((await prometheus.query(family)).map(({ metric }) => metric.job)), family).toEqual(new Set([HUB_JOB, AGENT_JOB])),
      )
  })

  test('says of objects what their status says', async () => {
    await eventually(async () => {
      const states = await prometheus.query(`fleet_bundle_state{namespace="${WORKSPACE}"} == 1`)
      expect(Object.fromEntries(states.map(({ metric }) => [metric.name, metric.state]))).toMatchObject({
        'good-raw': 'Ready',
        'broken-raw': 'ErrApplied',
        hello: 'Ready',
      })
      const [ready] = await prometheus.query('fleet_gitrepo_ready_clusters{name="good"}')
      expect([ready?.metric.namespace, ready?.value[1]]).toEqual([WORKSPACE, '1'])
      const [connected] = await prometheus.query(`fleet_cluster_connected{name="${MEMBER}"}`)
      expect(connected?.value[1]).toBe('1')
    })
  })

  test('can answer every question of the dashboard', async () => {
    const questions = readDashboard().panels.flatMap(({ title, targets = [] }) => targets.map(({ expr }) => ({ title, expr })))
    await eventually(
      async () => {
        const unanswered: string[] = []
        for (const { title, expr } of questions)
          if ((await prometheus.query(expr.replaceAll('$namespace', '.*'))).length === 0) unanswered.push(title)
        // there is only one, and it is ready
        expect(unanswered).toEqual(['HelmOps that are not ready everywhere'])
      },
      { what: 'all panels show something', timeoutMs: 90_000, everyMs: 1_000 },
    )
  })

  test.each(['hub', MEMBER])('has nothing to say against the metrics of %s', async (cluster) => {
    expect((await lint(await shown(cluster))).filter((line) => !ACCEPTED.some((pattern) => pattern.test(line)))).toEqual([])
  })

  test('evaluates all alerts of the chart, and raises those that have a reason', async () => {
    const all = readRules().groups.flatMap(({ rules }) => rules.map(({ alert }) => alert))
    const states = await eventually(async () => {
      const { groups } = await prometheus.api<{ groups: { name: string; rules: RuleState[] }[] }>('rules')
      const ofChart = groups.filter(({ name }) => name !== IMPATIENT).flatMap(({ rules }) => rules)
      expect(ofChart.map(({ name, health, lastError }) => [name, health, lastError]).sort()).toEqual(
        all.map((name) => [name, 'ok', undefined]).sort(),
      )
      return groups
    })
    expect(states).toHaveLength(readRules().groups.length + 1)
    await eventually(
      async () => {
        const { alerts } = await prometheus.api<{
          alerts: { labels: Record<string, string>; state: string; annotations: Record<string, string> }[]
        }>('alerts')
        const firing = alerts.filter(({ state, labels }) => state === 'firing' && labels.impatient)
        const about = firing.map(({ labels }) => `${labels.alertname} ${labels.namespace}/${labels.name}`)
        expect(about.sort()).toEqual([
          `FleetBundleFailed ${WORKSPACE}/broken-raw`,
          `FleetBundleNotReady ${WORKSPACE}/broken-raw`,
          `FleetGitRepoPollsFailing ${WORKSPACE}/lost`,
        ])
        const failed = firing.find(({ labels }) => labels.alertname === 'FleetBundleFailed')
        expect(failed?.annotations).toEqual({
          summary: `Bundle ${WORKSPACE}/broken-raw cannot be deployed to 1 clusters.`,
          description: `Where and why: fleet explain bundle -n ${WORKSPACE} broken-raw`,
        })
        // of the others none that is about objects has any reason, and the programs are well
        const premature = alerts.filter(({ labels }) => !labels.impatient && labels.severity === 'critical')
        expect(premature).toEqual([])
      },
      { what: 'alerts fire', timeoutMs: 90_000 },
    )
    await fleet.hub.delete({ ...GIT_REPO, name: 'broken', namespace: WORKSPACE })
    await eventually(
      async () => {
        const { alerts } = await prometheus.api<{ alerts: { labels: Record<string, string> }[] }>('alerts')
        expect(alerts.filter(({ labels }) => labels.name === 'broken-raw')).toEqual([])
      },
      { what: 'the alerts about the bundle end with it', timeoutMs: 60_000 },
    )
  })

  test('hears of a leader that is gone', { timeout: 120_000 }, async () => {
    const missing =
      readRules()
        .groups.flatMap(({ rules }) => rules)
        .find(({ alert }) => alert === 'FleetControllerMissing')?.expr ?? ''
    await eventually(async () => expect(await prometheus.query(missing)).toEqual([]))
    fleet.world.kill('hub', 'fleet-controller', 'SIGSTOP')
    try {
      // after five minutes Prometheus forgets a series that it can't scrape; at once when the target is down
      await eventually(async () =>
        expect(await prometheus.query(`up{job="${HUB_JOB}"}`)).toMatchObject([{ value: [expect.anything(), '0'] }]),
      )
      await eventually(async () => expect(await prometheus.query(missing)).toHaveLength(1))
    } finally {
      fleet.world.kill('hub', 'fleet-controller', 'SIGCONT')
    }
    await eventually(async () => expect(await prometheus.query(missing)).toEqual([]))
  })
})

const IMPATIENT = 'impatient'

/** Some of the alerts that don't wait as long as those of the chart. */
function impatient(names: readonly string[]): string {
  const rules = readRules().groups.flatMap((group) => group.rules)
  const chosen = rules.filter(({ alert }) => names.includes(alert))
  const quick = chosen.map((rule) => ({ ...rule, for: '1s', labels: { ...rule.labels, impatient: 'true' } }))
  return JSON.stringify({ groups: [{ name: IMPATIENT, rules: quick }] })
}

/** What promtool finds in a text of metrics. */
async function lint(text: string): Promise<string[]> {
  const running = promisify(execFile)(findProgram('promtool') ?? '', ['check', 'metrics'], { timeout: 60_000 })
  running.child.stdin?.on('error', () => {}) // told by how it ends
  running.child.stdin?.end(text)
  try {
    const { stdout, stderr } = await running
    return linesOf(stdout + stderr)
  } catch (error) {
    const { code, stdout = '', stderr = '' } = error as { code?: number; stdout?: string; stderr?: string }
    if (code !== 3) throw error // 3: findings
    return linesOf(stdout + stderr)
  }
}

function linesOf(text: string): string[] {
  return text.split('\n').filter((line) => line !== '')
}
