// The sample folders of testdata/bundles, read as a GitRepo would read them.
import { join } from 'node:path'
import { expect, test } from 'vitest'
import type { ReadOptions } from './draft.ts'
import { readBundles } from './read.ts'
import { gitRepoTargets } from './targets.ts'

const ROOT = join(import.meta.dirname, '..', '..', 'testdata', 'bundles')

async function sample(options: Partial<ReadOptions>) {
  const { drafts, warnings } = await readBundles(ROOT, {
    repoName: 'samples',
    namespace: 'fleet-default',
    targets: gitRepoTargets(undefined),
    ...options,
  })
  expect(warnings).toEqual([])
  return drafts.map(({ bundle, values }) => ({
    name: bundle.metadata.name,
    spec: bundle.spec,
    files: bundle.spec.resources?.map(({ name }) => name),
    values: values.data,
  }))
}

test('plain manifests', async () => {
  expect(await sample({ paths: ['raw-yaml'] })).toMatchObject([{ name: 'samples-raw-yaml', files: ['more.yml', 'settings.yaml'] }])
})

test('a chart with values files', async () => {
  const [bundle] = await sample({ paths: ['helm-chart'] })
  expect(bundle?.files).toEqual(['chart/Chart.yaml', 'chart/templates/config-map.yaml', 'chart/values.yaml'])
  expect(bundle?.values).toEqual({ 'values.yaml': '{"greeting":"hi from ${ .ClusterName }","replicas":2}', production: '{"replicas":3}' })
  expect(bundle?.spec.targets?.map(({ name }) => name)).toEqual(['production', 'default'])
  expect(bundle?.spec.targetRestrictions).toEqual([{ name: 'default', clusterGroup: 'default' }])
})

test('kustomize and overlays', async () => {
  const [kustomize, overlays] = await sample({ paths: ['kustomize', 'overlays'] })
  expect(kustomize?.files).toEqual(['config-map.yaml', 'kustomization.yaml', 'overlays/prod/kustomization.yaml'])
  expect(kustomize?.spec.targets?.[0]?.kustomize).toEqual({ dir: 'overlays/prod' })
  expect(overlays?.files).toEqual(['overlays/eu/settings.yaml', 'overlays/prod/settings_patch.yaml', 'settings.yaml'])
  expect(overlays?.spec.targets?.map(({ yaml }) => yaml)).toEqual([{ overlays: ['eu'] }, { overlays: ['prod'] }, undefined])
})

test('customizations', async () => {
  const [bundle] = await sample({ paths: ['customizations'] })
  expect(bundle?.spec).toMatchObject({
    dependsOn: [{ selector: { matchLabels: { tier: 'foundation' } }, acceptedStates: ['Ready', 'Modified'] }],
    rolloutStrategy: { maxUnavailable: '10%' },
    targetCustomizationMode: 'AllMatches',
  })
  expect(bundle?.spec.targets?.map(({ name }) => name)).toEqual(['target000', 'never', 'default'])
})

test('one folder, two option files', async () => {
  const bundles = [
    { base: 'one-base-two-options', options: 'dev.yaml' },
    { base: 'one-base-two-options', options: 'prod.yaml' },
  ]
  expect(await sample({ bundles })).toMatchObject([
    { name: 'samples-one-base-two-options-dev', files: ['prod.yaml', 'settings.yaml'], spec: { defaultNamespace: 'dev' } },
    {
      name: 'samples-one-base-two-options-prod',
      files: ['dev.yaml', 'settings.yaml'],
      spec: { defaultNamespace: 'prod', keepResources: true },
    },
  ])
})

test('a bundle in a bundle', async () => {
  expect(await sample({ paths: ['nested'] })).toMatchObject([
    { name: 'samples-nested', files: ['inner/fleet.yaml', 'inner/inner.yaml', 'outer.yaml'] },
    { name: 'inner', files: ['inner.yaml'] },
  ])
})
