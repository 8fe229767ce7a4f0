// The roles of chart fleet: each account may do what the controllers need that its programs run, to the last verb, and nothing else.
import { execFileSync } from 'node:child_process'
import { join } from 'node:path'
import { expect, inject, test } from 'vitest'
import { CONTROLLERS, type ControllerName, controllerConfig } from '../../config/controller.ts'
import type { KubeObject } from '../../lib/kube/types.ts'
import { parseYamlDocuments } from '../../lib/yaml/parse.ts'
import { ROOT } from '../fleet.ts'
import { linesOf, type Rule, readRights, rowsOf, rulesOf } from '../rights/table.ts'

const NAMESPACE = 'cattle-fleet-system'
const BOOTSTRAP = 'fleet-controller-bootstrap'
const SCHEDULES = '--set-string=extraEnv[0].name=EXPERIMENTAL_SCHEDULES,extraEnv[0].value=true'
const rights = readRights()

interface Workload extends KubeObject {
  readonly spec: {
    readonly template: {
      readonly spec: {
        readonly serviceAccountName: string
        readonly containers: readonly {
          readonly args?: readonly string[]
          readonly env?: readonly { readonly name: string; readonly value?: string }[]
        }[]
      }
    }
  }
}
interface Role extends KubeObject {
  readonly rules: readonly Rule[]
}
interface Binding extends KubeObject {
  readonly roleRef: { readonly kind: string; readonly name: string }
  readonly subjects: readonly object[]
}

function render(values: readonly string[]): KubeObject[] {
  const env = { HOME: '/nowhere', PATH: process.env.PATH ?? '' }
  const args = ['template', 'fleet', 'charts/fleet', '--namespace', NAMESPACE, '--kube-version', '1.36.0', ...values]
  const text = execFileSync(join(inject('clusters').hub.bin, 'helm'), args, { cwd: ROOT, encoding: 'utf8', timeout: 60_000, env })
  return parseYamlDocuments(text).filter((object) => object !== null) as KubeObject[]
}

/** Account → the controllers that its programs run, as these read their arguments and environment. */
function controllersOf(objects: readonly KubeObject[]): Map<string, Set<ControllerName>> {
  const accounts = new Map<string, Set<ControllerName>>()
  for (const object of objects.filter(({ kind }) => kind === 'Deployment')) {
    const { serviceAccountName, containers } = (object as Workload).spec.template.spec
    for (const { args = [], env = [] } of containers) {
      const variables = Object.fromEntries(env.map(({ name, value = '' }) => [name, value]))
      const { controllers } = controllerConfig(args, variables, { hostname: 'pod', pid: 1 })
      accounts.set(serviceAccountName, new Set([...(accounts.get(serviceAccountName) ?? []), ...controllers]))
    }
  }
  return accounts
}

test.each<[string, string[]]>([
  ['default values', []],
  ['every value', ['--values', 'src/testing/charts/fleet-everything.values.yaml']],
  ['one program', ['--set=controller.allInOne=true,bootstrap.enabled=false']],
  ['one program that does everything', ['--set=controller.allInOne=true,imagescan.enabled=true', SCHEDULES]],
  ['no repositories', ['--set=gitops.enabled=false,imagescan.enabled=true']],
  ['no charts', ['--set=helmops.enabled=false', SCHEDULES]],
  ['one program without repositories and charts', ['--set=controller.allInOne=true,gitops.enabled=false,helmops.enabled=false']],
])('with %s', (_, values) => {
  const objects = render(values)
  const accounts = controllersOf(objects)
  const running = CONTROLLERS.filter((name) => [...accounts.values()].some((controllers) => controllers.has(name)))
  expect(accounts.size).toBeGreaterThan(0)
  const find = <T extends KubeObject>(kind: string): T[] =>
    objects.filter((object) => object.kind === kind && object.metadata.name !== BOOTSTRAP) as T[]
  for (const [kind, where] of [
    ['ClusterRole', undefined],
    ['Role', 'own'],
  ] as const) {
    const granted = find<Role>(kind).map(({ metadata, rules }) => [metadata.name, linesOf(rules)] as const)
    const needed = [...accounts].map(
      ([name, controllers]) => [name, linesOf(rulesOf(rowsOf(rights, [...controllers], running), where))] as const,
    )
    expect(Object.fromEntries(granted)).toEqual(Object.fromEntries(needed))
    const bindings = find<Binding>(`${kind}Binding`).map(({ metadata, roleRef, subjects }) => [
      metadata.name,
      roleRef.kind,
      roleRef.name,
      subjects,
    ])
    const expected = [...accounts.keys()].map((name) => [name, kind, name, [{ kind: 'ServiceAccount', name, namespace: NAMESPACE }]])
    expect(bindings).toEqual(expect.arrayContaining(expected))
    expect(bindings).toHaveLength(expected.length)
  }
})
