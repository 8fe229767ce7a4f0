// The dashboard and the alerts of chart fleet speak of metrics and labels that the programs really have.
import { execFileSync } from 'node:child_process'
import { beforeAll, describe, expect, test } from 'vitest'
import { systemClock } from '../../lib/controller/clock.ts'
import { createController } from '../../lib/controller/controller.ts'
import { TerminalError } from '../../lib/controller/errors.ts'
import { silentLogger } from '../../lib/controller/log.ts'
import { createProcessMetrics, type ProcessMetrics } from '../../server/metrics.ts'
import type { StatusInformers } from '../../status/informers.ts'
import { fleetMetrics, METRIC_KINDS } from '../../status/metrics/fleet-metrics.ts'
import { eventually } from '../eventually.ts'
import { findProgram } from '../find-program.ts'
import { CHECKOUT, RULE_TESTS_FILE, RULES_FILE, readDashboard, readRules, readRuleTests, readText } from './monitoring-files.ts'
import { namesIn } from './promql.ts'

/** What Prometheus adds to each series of a program. */
const TARGET_LABELS = ['job', 'instance']

const rules = readRules().groups.flatMap((group) => group.rules)
const dashboard = readDashboard()

/** Metric → its labels, as a program shows them. */
let known: ReadonlyMap<string, ReadonlySet<string>>

beforeAll(async () => {
  const metrics = createProcessMetrics()
  metrics.add(() => fleetMetrics(oneOfEach(), new Set(METRIC_KINDS), () => true))
  for (const isGood of [true, false]) {
    metrics.git.polled({ name: 'a', namespace: 'b' }, isGood, 1)
    metrics.git.read({ name: 'a', namespace: 'b' }, isGood, 1)
  }
  await runController(metrics)
  known = namesAndLabels((await metrics.render()).text)
})

/** A controller that succeeds, fails, and fails for good, so that all its metrics are born; those of errors are there from the start. */
async function runController(metrics: ProcessMetrics): Promise<void> {
  const seen = new Set<string>()
  const controller = createController({
    name: 'test',
    workers: 1,
    metrics,
    clock: systemClock,
    log: silentLogger,
    async reconcile(key) {
      seen.add(key)
      if (key === 'failing') throw new Error('again')
      if (key === 'hopeless') throw new TerminalError('never')
    },
  })
  const stop = new AbortController()
  const done = controller.run(stop.signal)
  const errors = async () => (await metrics.render()).text.match(/^controller_runtime_(?:terminal_)?reconcile_errors_total\S* \d+$/gm)
  const of = (all: number, terminal: number) => [
    `controller_runtime_reconcile_errors_total{controller="test"} ${all}`,
    `controller_runtime_terminal_reconcile_errors_total{controller="test"} ${terminal}`,
  ]
  expect(await errors()).toEqual(of(0, 0))
  for (const key of ['good', 'failing', 'hopeless']) controller.enqueue(key)
  await eventually(async () => {
    expect(seen.size).toBe(3)
    expect((await errors())?.at(-1)).toBe(of(0, 1)[1])
  })
  stop.abort()
  await done
}

function oneOfEach(): StatusInformers {
  const object = { metadata: { name: 'a', namespace: 'b' }, spec: {}, status: {} }
  const names = ['gitRepos', 'helmOps', 'bundles', 'bundleDeployments', 'clusters', 'clusterGroups']
  return Object.fromEntries(names.map((name) => [name, { list: () => [object] }])) as unknown as StatusInformers
}

function namesAndLabels(text: string): Map<string, Set<string>> {
  const found = new Map<string, Set<string>>()
  for (const [, name = '', labels = ''] of text.matchAll(/^([a-zA-Z_:][\w:]*)(?:\{(.*)\})? \S+$/gm)) {
    const all = found.get(name) ?? new Set()
    for (const [, label = ''] of labels.matchAll(/(\w+)="(?:[^"\\]|\\.)*"/g)) all.add(label)
    found.set(name, all)
  }
  return found
}

function check(expr: string): void {
  const { metrics, labels } = namesIn(expr)
  expect(metrics, expr).not.toEqual([])
  expect(
    metrics.filter((name) => !known.has(name)),
    `unknown metrics in ${expr}`,
  ).toEqual([])
  const possible = new Set([...TARGET_LABELS, ...metrics.flatMap((name) => [...(known.get(name) ?? [])])])
  expect(
    labels.filter((label) => !possible.has(label)),
    `unknown labels in ${expr}`,
  ).toEqual([])
}

test('names are found in expressions', () => {
  const expr = 'sum by (a, b) (rate(x_total{c="d e{", f!~"g"}[5m])) / on (h) y_z unless (w offset 1h) > 0'
  expect(namesIn(expr)).toEqual({ metrics: ['x_total', 'y_z', 'w'], labels: ['c', 'f', 'a', 'b', 'h'] })
})

test.each(rules.map(({ alert, expr }) => [alert, expr]))('alert %s is about what there is', (_, expr) => check(expr))

test.each(dashboard.panels.flatMap(({ title, targets = [] }) => targets.map(({ expr }) => [title, expr] as const)))(
  'panel %s is about what there is',
  (_, expr) => check(expr),
)

describe('the dashboard', () => {
  test('has panels that differ, and variables about what there is', () => {
    const ids = dashboard.panels.map(({ id }) => id)
    expect(new Set(ids).size).toBe(ids.length)
    const asked = dashboard.templating.list.flatMap(({ query }) => (typeof query === 'string' ? [] : [query.query]))
    const parts = asked.map((query) => /^label_values\((\w+), (\w+)\)$/.exec(query))
    expect(parts.map((part) => known.get(part?.[1] ?? '')?.has(part?.[2] ?? ''))).toEqual(asked.map(() => true))
  })

  test('the guide names every metric of the programs', () => {
    const guide = readText('docs/guides/metrics.md')
    const families = [...known.keys()].filter((name) => /^(?:fleet|controller_runtime|workqueue)_/.test(name))
    expect(families.filter((name) => !guide.includes(name.replace(/_(?:bucket|sum|count)$/, '')) && !guide.includes(name))).toEqual([])
  })
})

test.each(rules.map(({ alert }) => alert))('alert %s is tried out, where it fires and where it does not', (alert) => {
  const tried = readRuleTests()
    .tests.flatMap((each) => each.alert_rule_test)
    .filter(({ alertname }) => alertname === alert)
  expect(new Set(tried.map(({ exp_alerts }) => exp_alerts.length > 0))).toEqual(new Set([true, false]))
})

const promtool = findProgram('promtool')
if (!promtool) process.stdout.write('promtool is not installed: the alerts are not tried out\n')

describe.skipIf(!promtool)('promtool', { timeout: 90_000 }, () => {
  const run = (...args: string[]): string => execFileSync(promtool ?? '', args, { cwd: CHECKOUT, encoding: 'utf8', timeout: 60_000 })

  test('accepts the alerts', () => expect(run('check', 'rules', RULES_FILE)).toContain(`SUCCESS: ${rules.length} rules found`))

  test('sees them fire when they should, and not otherwise', () => expect(run('test', 'rules', RULE_TESTS_FILE)).toContain('SUCCESS'))
})
