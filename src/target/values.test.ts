import { expect, test } from 'vitest'
import type { HelmOptions } from '../api/bundle-deployment-options.ts'
import type { Cluster } from '../api/cluster.ts'
import { deploymentHashInput } from '../api/deployment-id.ts'
import { compileTemplate } from '../lib/gotemplate/template.ts'
import { checkVectors } from '../testing/vectors.ts'
import { compileHelmValues } from './values.ts'
import type { TemplateCompiler } from './values-template.ts'

interface Input {
  cluster: {
    name: string
    namespace: string
    labels?: Record<string, string>
    annotations?: Record<string, string>
    templateValues?: Record<string, unknown>
  }
  helm: HelmOptions | null
}

const noTemplates: TemplateCompiler = (text) => {
  throw new Error(`unexpected template ${text}`)
}

/** Knows only `${ .ClusterName }` and `${ yes }`. */
const simple: TemplateCompiler = (text) => {
  if (text.includes('${ broken')) throw new Error('unclosed action')
  return (data) => text.replaceAll('${ .ClusterName }', String(data.ClusterName)).replaceAll('${ yes }', 'yes')
}

function clusterOf({ name, namespace, labels = {}, annotations, templateValues }: Input['cluster']): Cluster {
  return {
    apiVersion: 'fleet.cattle.io/v1alpha1',
    kind: 'Cluster',
    metadata: { name, namespace, labels, ...(annotations ? { annotations } : {}) },
    spec: { templateValues },
  }
}

/** The JSON of a helm block with the fields in the order of the API. */
function helmJson(helm: HelmOptions | undefined): string {
  if (!helm) return 'null'
  return deploymentHashInput({ helm }).trimEnd().slice('{"helm":'.length, -1)
}

const goTemplate: TemplateCompiler = (text) => {
  const template = compileTemplate(text, { delimiters: ['${', '}'] })
  return (data) => template.render(data)
}

checkVectors('values-preprocess.json', ({ cluster, helm }: Input) => ({
  helm: helmJson(compileHelmValues(helm ?? undefined, goTemplate).for(clusterOf(cluster))),
}))

const one = clusterOf({ name: 'one', namespace: 'ws', labels: { env: 'prod' } })

test('templates are rendered over the YAML of all values, and what they leave is typed as YAML', () => {
  const helm = compileHelmValues({ values: { name: '${ .ClusterName }', on: '${ yes }', kept: 'yes', '${ .ClusterName }': [1.5] } }, simple)
  expect(helm.differsByCluster).toBe(true)
  expect(helm.for(one)?.values).toEqual({ name: 'one', on: true, kept: 'yes', one: [1.5] })
})

test('template values replace values of the same key', () => {
  const helm = compileHelmValues({ values: { a: 1, b: 1 }, templateValues: { a: 'x: ${ .ClusterName }', __proto__: '' } }, simple)
  expect(helm.for(one)?.values).toEqual({ a: { x: 'one' }, b: 1 })
})

test.each([
  ['parse', { values: { a: '${ broken' } }, /^failed to parse helm values template: unclosed action$/],
  ['read as YAML', { templateValues: { a: 'a: b: c' } }, /^failed to interpret the rendered helm values template as YAML: /],
])('a template that does not %s is an error', (_, helm, message) => {
  expect(() => compileHelmValues(helm, simple).for(one)).toThrow(message)
})

test('errors of rendered templates do not quote values', () => {
  const helm = compileHelmValues({ templateValues: { a: 'secret: word: ${ .ClusterName }' } }, simple)
  expect(() => helm.for(one)).toThrow(expect.not.stringContaining('secret'))
})

test('values that name no cluster are the same for all', () => {
  expect(compileHelmValues({ values: { a: '$HOME' } }, noTemplates).differsByCluster).toBe(false)
  expect(compileHelmValues({ values: { a: ['global.fleet.clusterLabels.env'] } }, noTemplates).differsByCluster).toBe(true)
})

test('references nested too deeply are an error', () => {
  let values: Record<string, unknown> = { a: 'global.fleet.clusterLabels.env' }
  for (let depth = 0; depth < 60; depth++) values = { n: values }
  expect(() => compileHelmValues({ values }, noTemplates).for(one)).toThrow('deeper than 50 levels')
})

test('what a template does to its data does not last', () => {
  const cluster = clusterOf({ name: 'one', namespace: 'ws', labels: { env: 'prod' }, templateValues: { map: {} } })
  const compile: TemplateCompiler = () => (data) => {
    Object.assign((data.ClusterValues as { map: object }).map, { leaked: true })
    Object.assign(data.ClusterLabels as object, { leaked: true })
    return 'a: 1'
  }
  compileHelmValues({ values: { a: '${ x }' } }, compile).for(cluster)
  expect([cluster.spec.templateValues, cluster.metadata.labels]).toEqual([{ map: {} }, { env: 'prod' }])
})
