// A commit in a git repository becomes running objects, and what is taken out of it goes again.
import { describe, expect, test } from 'vitest'
import { GIT_REPO } from '../../api/kinds.ts'
import { WORKSPACE } from '../../devcluster/fleet-objects.ts'
import type { KubeObject } from '../../lib/kube/types.ts'
import { eventually } from '../eventually.ts'
import { configMap, configMapRef, useFleet } from '../fleet.ts'

type ConfigMap = KubeObject & { data?: Record<string, string> }

const fleet = useFleet()

const CHART = {
  'settings/Chart.yaml': 'apiVersion: v2\nname: settings\nversion: 1.0.0\n',
  'settings/values.yaml': 'colour: grey\nsize: small\n',
  'settings/templates/cm.yaml':
    'apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: {{ .Release.Name }}\ndata:\n  colour: {{ .Values.colour }}\n  size: {{ .Values.size }}\n',
  'settings/fleet.yaml':
    'defaultNamespace: charted\nhelm:\n  releaseName: settings\n  values:\n    colour: blue\ntargetCustomizations:\n- clusterSelector:\n    matchLabels:\n      env: dev\n  helm:\n    values:\n      size: large\n',
}

describe('a GitRepo', () => {
  test('is deployed, follows its branch, and takes its objects with it', async () => {
    const repository = await fleet.git.repository('life', {
      'raw/one.yaml': configMap('one', { text: 'first' }),
      'raw/two.yaml': configMap('two'),
      'raw/fleet.yaml': 'defaultNamespace: raw\n',
      ...CHART,
    })
    await fleet.gitRepo('life', { repo: repository.url, paths: ['raw', 'settings'] })
    const gitRepo = await fleet.ready('life', await repository.head())
    expect(gitRepo.status?.display?.readyBundleDeployments).toBe('2/2')
    expect((await fleet.down.get<ConfigMap>(configMapRef('one', 'raw'))).data).toEqual({ text: 'first' })
    expect((await fleet.down.get<ConfigMap>(configMapRef('settings', 'charted'))).data).toEqual({ colour: 'blue', size: 'large' })

    const changed = await repository.commit({ 'raw/one.yaml': configMap('one', { text: 'second' }), 'raw/two.yaml': null })
    await fleet.ready('life', changed)
    expect((await fleet.down.get<ConfigMap>(configMapRef('one', 'raw'))).data).toEqual({ text: 'second' })
    await fleet.gone(fleet.down, configMapRef('two', 'raw'))

    await fleet.gitRepo('life', { repo: repository.url, paths: ['raw'] })
    await fleet.gone(fleet.down, configMapRef('settings', 'charted'))
    await fleet.ready('life', changed)

    await fleet.hub.delete({ ...GIT_REPO, name: 'life', namespace: WORKSPACE })
    await fleet.gone(fleet.hub, { ...GIT_REPO, name: 'life', namespace: WORKSPACE })
    await fleet.gone(fleet.down, configMapRef('one', 'raw'))
    await eventually(async () => expect([await fleet.bundles('life'), await fleet.deployments('life')]).toEqual([[], []]))
  })

  test('reports what somebody changes in the cluster', async () => {
    const repository = await fleet.git.repository('drift', {
      'raw/one.yaml': configMap('one', { text: 'first' }),
      'raw/fleet.yaml': 'defaultNamespace: drift\n',
    })
    await fleet.gitRepo('drift', { repo: repository.url, paths: ['raw'] })
    const commit = await repository.head()
    await fleet.ready('drift', commit)
    await fleet.down.patch(configMapRef('one', 'drift'), { data: { text: 'by hand' } }, { type: 'merge' })
    await fleet.gitRepoCondition('drift', 'Ready', 'False', /configmap\.v1 drift\/one modified \{"data":\{"text":"first"\}\}/)
    await fleet.down.patch(configMapRef('one', 'drift'), { data: { text: 'first' } }, { type: 'merge' })
    await fleet.ready('drift', commit)
  })

  test('goes to the clusters it targets, and only to them', async () => {
    const repository = await fleet.git.repository('targets', {
      'raw/one.yaml': configMap('one'),
      'raw/fleet.yaml': 'defaultNamespace: targets\n',
    })
    await fleet.gitRepo('targets', {
      repo: repository.url,
      paths: ['raw'],
      targets: [{ name: 'prod', clusterSelector: { matchLabels: { env: 'prod' } } }],
    })
    await eventually(async () => expect(await fleet.bundles('targets')).toHaveLength(1))
    expect(await fleet.deployments('targets')).toEqual([])
    await fleet.gitRepo('targets', { repo: repository.url, paths: ['raw'], targets: [{ name: 'named', clusterName: 'downstream' }] })
    await fleet.ready('targets', await repository.head())
    await fleet.hub.apply(
      {
        apiVersion: 'fleet.cattle.io/v1alpha1',
        kind: 'ClusterGroup',
        metadata: { name: 'dev', namespace: WORKSPACE },
        spec: { selector: { matchLabels: { env: 'dev' } } },
      } as KubeObject,
      { fieldManager: 'story' },
    )
    await fleet.gitRepo('targets', { repo: repository.url, paths: ['raw'], targets: [{ name: 'group', clusterGroup: 'dev' }] })
    await fleet.ready('targets', await repository.head())
  })
})
