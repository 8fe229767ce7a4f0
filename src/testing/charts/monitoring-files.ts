// The alerts and the dashboard of chart fleet, as tests read them.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseYaml } from '../../lib/yaml/parse.ts'

/** The root of the checkout, where the paths of this file begin. */
export const CHECKOUT = join(import.meta.dirname, '..', '..', '..')
/** The alerts. */
export const RULES_FILE = 'charts/fleet/rules/fleet.rules.yaml'
/** Series, and the alerts that they raise or do not. */
export const RULE_TESTS_FILE = 'src/testing/charts/fleet.rules.promtool.yaml'

export interface Rules {
  readonly groups: readonly { readonly name: string; readonly rules: readonly Rule[] }[]
}

interface Rule {
  readonly alert: string
  readonly expr: string
  readonly for?: string
  readonly labels: Readonly<Record<string, string>>
  readonly annotations: Readonly<Record<string, string>>
}

/** What `promtool test rules` reads. */
interface RuleTests {
  readonly tests: readonly {
    readonly alert_rule_test: readonly { readonly alertname: string; readonly exp_alerts: readonly unknown[] }[]
  }[]
}

interface Dashboard {
  readonly panels: readonly { readonly id: number; readonly title: string; readonly targets?: readonly { readonly expr: string }[] }[]
  readonly templating: { readonly list: readonly { readonly query: string | { readonly query: string } }[] }
}

/** A text of the checkout. */
export function readText(path: string): string {
  return readFileSync(join(CHECKOUT, path), 'utf8')
}

export function readRules(): Rules {
  return parseYaml(readText(RULES_FILE)) as Rules
}

export function readRuleTests(): RuleTests {
  return parseYaml(readText(RULE_TESTS_FILE)) as RuleTests
}

export function readDashboard(): Dashboard {
  return JSON.parse(readText('charts/fleet/dashboards/fleet.json')) as Dashboard
}
