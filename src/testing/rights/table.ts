// The rights of the hub's controllers as the chart lists them: read, made roles of, shown, and compared with what was really asked.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { CONTROLLERS, type ControllerName } from '../../config/controller.ts'
import { parseYaml } from '../../lib/yaml/parse.ts'
import { ROOT } from '../fleet.ts'

/** One row of `charts/fleet/files/rights.yaml`, whose head explains the fields. */
export interface Row {
  readonly resources: readonly string[]
  readonly verbs: readonly string[]
  readonly why: string
  readonly where?: 'own'
  readonly named?: readonly string[]
  readonly with?: ControllerName
  readonly unseen?: string | Readonly<Record<string, string>>
}

export interface Rights {
  readonly everybody: readonly Row[]
  readonly controllers: Readonly<Record<ControllerName, readonly Row[]>>
}

/** A rule of a Role or ClusterRole. */
export interface Rule {
  readonly apiGroups: readonly string[]
  readonly resources: readonly string[]
  readonly resourceNames?: readonly string[]
  readonly verbs: readonly string[]
}

/** `charts/fleet/files/rights.yaml` */
export function readRights(): Rights {
  return parseYaml(readFileSync(join(ROOT, 'charts', 'fleet', 'files', 'rights.yaml'), 'utf8')) as Rights
}

/** The rows of the controllers of one program, with those that everybody has; `running` are those of all programs. */
export function rowsOf(rights: Rights, controllers: readonly ControllerName[], running = controllers): Row[] {
  const rows = CONTROLLERS.filter((name) => controllers.includes(name)).flatMap((name) => rights.controllers[name])
  return [...rights.everybody, ...rows].filter((row) => !row.with || running.includes(row.with))
}

/** The rules that a role for these rows has: everywhere, or in the own namespace. */
export function rulesOf(rows: readonly Row[], where: Row['where']): Rule[] {
  return rows
    .filter((row) => row.where === where)
    .flatMap(({ resources, verbs, named }) =>
      resources.map((text) => ({ ...partsOf(text), verbs, ...(named ? { resourceNames: named } : {}) })),
    )
}

function partsOf(text: string): Pick<Rule, 'apiGroups' | 'resources'> {
  const [, name = '', group = '', subresource = ''] = /^([^./]+)(?:\.([^/]+))?(\/.+)?$/.exec(text) ?? []
  return { apiGroups: [group], resources: [`${name}${subresource}`] }
}

/** One line for each verb, resource and name that rules allow: for comparing them, however they are grouped. */
export function linesOf(rules: readonly Rule[]): string[] {
  const lines = rules.flatMap(({ apiGroups, resources, resourceNames = [''], verbs }) =>
    apiGroups.flatMap((group) =>
      resources.flatMap((resource) => {
        const [name = '', subresource] = resource.split('/')
        const text = `${name}${group && `.${group}`}${subresource ? `/${subresource}` : ''}`
        return resourceNames.flatMap((only) => verbs.map((verb) => `${verb} ${text}${only && ` ${only}`}`))
      }),
    ),
  )
  return [...new Set(lines)].sort()
}

/** The rights of a row that must be seen in use, as `verb resource`. */
export function expectedUses({ resources, verbs, unseen = {} }: Row): string[] {
  if (typeof unseen === 'string') return []
  return resources.flatMap((resource) => verbs.filter((verb) => !(verb in unseen)).map((verb) => `${verb} ${resource}`))
}
