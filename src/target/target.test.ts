import { describe, expect, test } from 'vitest'
import type { Bundle, BundleSpec } from '../api/bundle.ts'
import type { Cluster } from '../api/cluster.ts'
import { deploymentId } from '../api/deployment-id.ts'
import { deploymentValues } from '../api/values-secret.ts'
import { compileTargeting, type TargetingInput } from './target.ts'
import type { TemplateCompiler } from './values-template.ts'

const everywhere = { clusterSelector: {} }

function cluster(name: string, labels: Record<string, string> = {}, templateValues?: Record<string, unknown>): Cluster {
  return {
    apiVersion: 'fleet.cattle.io/v1alpha1',
    kind: 'Cluster',
    metadata: { name, namespace: 'ws', labels },
    spec: templateValues ? { templateValues } : {},
  }
}

function bundle(spec: BundleSpec): Bundle {
  return { apiVersion: 'fleet.cattle.io/v1alpha1', kind: 'Bundle', metadata: { name: 'app', namespace: 'ws' }, spec }
}

/** Knows `${ name }`, fails for the cluster `bad`, and counts. */
function countingCompiler() {
  const counts = { compiled: 0, rendered: 0 }
  const compileTemplate: TemplateCompiler = (text) => {
    counts.compiled++
    return ({ ClusterName }) => {
      counts.rendered++
      if (ClusterName === 'bad') throw new Error('no such label')
      return text.replaceAll('${ name }', String(ClusterName))
    }
  }
  return { counts, compileTemplate }
}

function targeting(spec: BundleSpec, input: Partial<TargetingInput> = {}) {
  return compileTargeting({ bundle: bundle(spec), manifestId: 's-1', compileTemplate: countingCompiler().compileTemplate, ...input })
}

function targets(spec: BundleSpec, clusters: Cluster[], input: Partial<TargetingInput> = {}) {
  return targeting(spec, input).targets(clusters.map((one) => ({ cluster: one, groups: [] })))
}

describe('options', () => {
  test('those of the bundle are merged with those of its target', () => {
    const spec: BundleSpec = {
      defaultNamespace: 'a',
      keepResources: false,
      resources: [],
      targets: [{ ...everywhere, serviceAccount: 'b' }],
    }
    const [target] = targets(spec, [cluster('one')])
    expect(target?.options).toEqual({ defaultNamespace: 'a', serviceAccount: 'b' })
    expect(target?.deploymentId).toBe(deploymentId('s-1', { defaultNamespace: 'a', serviceAccount: 'b' }))
  })

  test('a customization takes the place of the options of the target, or is merged onto them', () => {
    const spec: BundleSpec = {
      targets: [
        { clusterName: 'one', defaultNamespace: 'custom' },
        { ...everywhere, serviceAccount: 'target' },
      ],
      targetRestrictions: [everywhere],
    }
    expect(targets(spec, [cluster('one'), cluster('two')]).map(({ options }) => options)).toEqual([
      { defaultNamespace: 'custom' },
      { serviceAccount: 'target' },
    ])
    expect(targets({ ...spec, targetCustomizationMode: 'AllMatches' }, [cluster('one')])[0]?.options).toEqual({
      defaultNamespace: 'custom',
      serviceAccount: 'target',
    })
  })

  test('what the workspace imposes is part of the version', () => {
    const selector = { matchLabels: { team: 'blue' } }
    const input = { forbidNamespaceCreation: true, allowedTargetNamespaceSelector: selector }
    const [target] = targets({ createNamespace: true, targets: [everywhere] }, [cluster('one')], input)
    expect(target?.options).toEqual({ createNamespace: false, allowedTargetNamespaceSelector: selector })
    expect(target?.deploymentId).toBe(deploymentId('s-1', { createNamespace: false, allowedTargetNamespaceSelector: selector }))
  })

  test('labels for the namespace come from the entries that apply to the cluster, and only those of the bundle count for the id', () => {
    const spec: BundleSpec = {
      namespaceLabels: { a: 'bundle', b: 'bundle' },
      targets: [
        { clusterName: 'one', namespaceLabels: { b: 'target' }, namespaceAnnotations: { c: 'target' } },
        { ...everywhere, namespaceLabels: { d: 'other' } },
      ],
    }
    const [one, two] = targets(spec, [cluster('one'), cluster('two')])
    expect(one?.storedOptions).toEqual({ namespaceLabels: { a: 'bundle', b: 'target' }, namespaceAnnotations: { c: 'target' } })
    expect(two?.storedOptions).toEqual({ namespaceLabels: { a: 'bundle', b: 'bundle', d: 'other' } })
    expect(one?.deploymentId).toBe(two?.deploymentId)
    expect(one?.deploymentId).toBe(deploymentId('s-1', { namespaceLabels: { a: 'bundle', b: 'bundle' } }))
  })
})

describe('values', () => {
  test('are in the options, not in the stored ones, and have the hash of their secret', () => {
    const [target] = targets({ helm: { chart: 'c', values: { a: 1 } }, targets: [everywhere] }, [cluster('one')])
    expect(target?.options.helm).toEqual({ chart: 'c', values: { a: 1 } })
    expect(target?.storedOptions.helm).toEqual({ chart: 'c' })
    expect(target?.valuesHash).toBe(deploymentValues({ options: target?.options, stagedOptions: target?.options }).hash)
  })

  test('without helm a cluster with labels has an empty block', () => {
    expect(targets({ targets: [everywhere] }, [cluster('one', { a: 'b' }), cluster('two')]).map(({ options }) => options)).toEqual([
      { helm: {} },
      {},
    ])
  })

  test('each template is compiled once, and rendered again only where something changed', () => {
    const { counts, compileTemplate } = countingCompiler()
    const compiled = targeting({ helm: { values: { n: '${ name }' } }, targets: [everywhere] }, { compileTemplate })
    const [one, two] = [cluster('one', { a: 'b' }), cluster('two', { a: 'b' })]
    const run = (...clusters: Cluster[]) => compiled.targets(clusters.map((each) => ({ cluster: each, groups: [] })))
    const before = run(one, two)
    expect(before.map(({ options }) => options.helm?.values)).toEqual([{ n: 'one' }, { n: 'two' }])
    counts.rendered = 0
    run(structuredClone(one), two)
    expect(counts).toEqual({ compiled: 1, rendered: 0 })
    run(one, cluster('two', { a: 'c' }))
    expect(counts).toEqual({ compiled: 1, rendered: 1 })
  })

  test('they can be rendered ahead, with pauses', async () => {
    const { counts, compileTemplate } = countingCompiler()
    const compiled = targeting({ helm: { values: { n: '${ name }' } }, targets: [everywhere] }, { compileTemplate })
    const candidates = Array.from({ length: 25 }, (_, index) => ({ cluster: cluster(`c${index}`, { a: 'b' }), groups: [] }))
    let pauses = 0
    await compiled.prepare(candidates, async () => void pauses++)
    expect([counts.rendered, pauses]).toEqual([25, 2])
    compiled.targets(candidates)
    await compiled.prepare(candidates, async () => void pauses++)
    expect([counts.rendered, pauses]).toEqual([25, 2])
  })

  test('an error on one cluster leaves the others alone', () => {
    const spec: BundleSpec = { helm: { values: { n: '${ name }' } }, targets: [everywhere] }
    const found = targets(spec, [cluster('bad', { a: 'b' }), cluster('good', { a: 'b' })])
    expect(found.map(({ deploymentId: id, error }) => [id !== '', error])).toEqual([
      [false, 'cluster bad in namespace ws: failed to render helm values template: no such label'],
      [true, undefined],
    ])
  })
})
