import { expect, test } from 'vitest'
import type { Bundle } from '../../api/bundle.ts'
import type { BundleDeployment } from '../../api/bundle-deployment.ts'
import type { Cluster } from '../../api/cluster.ts'
import type { Content } from '../../api/content.ts'
import type { GitRepo } from '../../api/git-repo.ts'
import { BUNDLE, BUNDLE_DEPLOYMENT, CLUSTER, CLUSTER_GROUP, CONTENT, GIT_REPO } from '../../api/kinds.ts'
import { BUNDLE_VALUES_SECRET } from '../../api/labels.ts'
import type { ObjectMeta } from '../../lib/kube/types.ts'
import { type Event, type HubState, type SecretMetadata, type SizedBundle, sizedBundle, sizedContent } from './hub-state.ts'
import { takeSnapshot } from './take-snapshot.ts'

const NOW = Date.UTC(2026, 0, 2)
const ago = (seconds: number): string => new Date(NOW - seconds * 1_000).toISOString()
const EMPTY: HubState = {
  pods: [],
  gitRepos: [],
  bundles: [],
  deployments: [],
  contents: [],
  clusters: [],
  clusterGroups: [],
  secrets: [],
  events: [],
  versions: [],
}
const snapshot = (state: Partial<HubState>) => takeSnapshot({ ...EMPTY, ...state }, NOW)
const diagnosed = (state: Partial<HubState>) => snapshot(state).diagnostics ?? {}
const names = (list: readonly { name: string }[] | undefined) => (list ?? []).map(({ name }) => name)

function gitRepo(name: string, fields: Partial<GitRepo> = {}, metadata: Partial<ObjectMeta> = {}): GitRepo {
  return { ...GIT_REPO, metadata: { name, namespace: 'ws', ...metadata }, spec: { repo: 'https://x' }, ...fields }
}
function bundle(name: string, fields: Partial<Bundle> = {}, metadata: Partial<ObjectMeta> = {}): SizedBundle {
  return sizedBundle({ ...BUNDLE, metadata: { name, namespace: 'ws', uid: `uid-${name}`, ...metadata }, spec: {}, ...fields })
}
function deployment(name: string, fields: Partial<BundleDeployment> = {}, metadata: Partial<ObjectMeta> = {}): BundleDeployment {
  const labels = { 'fleet.cattle.io/bundle-name': 'app', 'fleet.cattle.io/bundle-namespace': 'ws' }
  return { ...BUNDLE_DEPLOYMENT, metadata: { name, namespace: 'c', uid: `uid-${name}`, labels, ...metadata }, spec: {}, ...fields }
}
const content = (name: string, fields: Partial<Content> = {}, metadata: Partial<ObjectMeta> = {}) =>
  sizedContent({ ...CONTENT, metadata: { name, ...metadata }, content: 'YWJj', ...fields })
function secret(name: string, owner?: { kind: string; name: string; uid: string }, metadata: Partial<ObjectMeta> = {}): SecretMetadata {
  const ownerReferences = owner ? [{ apiVersion: 'fleet.cattle.io/v1alpha1', ...owner }] : []
  return { apiVersion: 'v1', kind: 'Secret', type: BUNDLE_VALUES_SECRET, metadata: { name, namespace: 'ws', ownerReferences, ...metadata } }
}

test('an empty hub has a timestamp and nothing to tell', () => {
  expect(JSON.parse(JSON.stringify(snapshot({})))).toEqual({ timestamp: '2026-01-02T00:00:00Z', diagnostics: {} })
})

test('objects become what is worth knowing of them', () => {
  const resources = [{ name: 'a.yaml', content: 'x'.repeat(1_000) }]
  const state = snapshot({
    gitRepos: [
      gitRepo('repo', { spec: { repo: 'https://x', pollingInterval: '1m' }, status: { commit: 'c1', lastPollingTriggered: ago(10) } }),
    ],
    bundles: [bundle('app', { spec: { resources, forceSyncGeneration: 2 } }, { labels: { 'fleet.cattle.io/repo-name': 'repo' } })],
    contents: [content('s-1', { status: { referenceCount: 1 } })],
    clusterGroups: [
      {
        ...CLUSTER_GROUP,
        metadata: { name: 'g', namespace: 'ws' },
        spec: { selector: { matchLabels: { b: '2', a: '1' } } },
        status: { clusterCount: 1 },
      },
    ],
    pods: [
      {
        apiVersion: 'v1',
        kind: 'Pod',
        metadata: { name: 'p' },
        status: { phase: 'Running', containerStatuses: [{ restartCount: 1 }, { restartCount: 2 }] },
      },
    ],
  })
  expect(state.gitrepos?.[0]).toMatchObject({ namespace: 'ws', name: 'repo', commit: 'c1', pollingInterval: 60e9, ready: false })
  expect(state.bundles?.[0]).toMatchObject({ repoName: 'repo', forceSyncGeneration: 2 })
  expect(state.bundles?.[0]?.sizeBytes).toBeGreaterThan(1_000)
  expect(JSON.stringify(state)).not.toContain('xxxx')
  expect(state.contents).toMatchObject([{ name: 's-1', size: 3, referenceCount: 1 }])
  expect(state.clustergroups).toMatchObject([{ name: 'g', clusterCount: 1, selector: 'a=1,b=2' }])
  expect(state.controller).toMatchObject([{ name: 'p', status: 'Running', restarts: 3 }])
})

test('a deployment is stuck when it runs something else, missed a forced sync, or cannot go', () => {
  const same = { deploymentID: 'a' }
  const applied = { appliedDeploymentID: 'a' }
  const deployments = [
    deployment('fine', { spec: same, status: applied }),
    deployment('other', { spec: same, status: { appliedDeploymentID: 'b' } }),
    deployment('unsynced', { spec: { ...same, options: { forceSyncGeneration: 3 } }, status: { ...applied, syncGeneration: 2 } }),
    deployment('synced', { spec: { ...same, options: { forceSyncGeneration: 3 } }, status: { ...applied, syncGeneration: 3 } }),
    deployment('going', { spec: same, status: applied }, { deletionTimestamp: ago(5), finalizers: ['f'] }),
  ]
  const found = diagnosed({ deployments })
  expect(names(found.stuckBundleDeployments)).toEqual(['other', 'unsynced', 'going'])
  expect(names(found.bundleDeploymentsWithSyncGenerationMismatch)).toEqual(['unsynced'])
  expect(found.bundleDeploymentsWithDeletionTimestamp).toBe(1)
})

test('bundles are compared with their GitRepo of the same namespace', () => {
  const labels = (commit: string, repo = 'repo') => ({ labels: { 'fleet.cattle.io/repo-name': repo, 'fleet.cattle.io/commit': commit } })
  const found = diagnosed({
    gitRepos: [gitRepo('repo', { status: { commit: 'new' } }), gitRepo('idle')],
    bundles: [
      bundle('old', {}, labels('old')),
      bundle('new', {}, labels('new')),
      bundle('forced', { spec: { forceSyncGeneration: 1 } }, labels('new')),
      bundle('strayed', {}, labels('new', 'gone')),
      bundle('elsewhere', {}, { ...labels('old'), namespace: 'other' }),
      bundle('by-hand'),
    ],
    deployments: [
      deployment('a', {}, { labels: { 'fleet.cattle.io/bundle-name': 'new', 'fleet.cattle.io/bundle-namespace': 'ws' } }),
      deployment('orphan'),
    ],
  })
  expect(names(found.gitRepoBundleInconsistencies)).toEqual(['old', 'forced'])
  expect(names(found.bundlesWithMissingGitRepo)).toEqual(['strayed', 'elsewhere'])
  expect(names(found.gitReposWithNoBundles)).toEqual(['idle'])
  expect(names(found.bundlesWithNoDeployments)).toEqual(['old', 'forced', 'strayed', 'elsewhere', 'by-hand'])
  expect(names(found.bundleDeploymentsWithMissingBundle)).toEqual(['orphan'])
})

test('contents that are missing are told, unless the files lie elsewhere', () => {
  const ids = { deploymentID: 's-now:x', stagedDeploymentID: 's-next:x' }
  const { contentIssues, diagnostics } = snapshot({
    contents: [content('s-leaving', {}, { deletionTimestamp: ago(1) }), content('s-now')],
    deployments: [
      deployment('staged', { spec: ids, status: { appliedDeploymentID: 's-before:x' } }),
      deployment('leaving', { spec: { deploymentID: 's-leaving:x' } }),
      deployment('registry', { spec: { deploymentID: 's-gone:x', ociContents: true } }),
      deployment('chart', { spec: { deploymentID: 's-gone:x', helmChartOptions: {} } }),
    ],
    bundles: [
      bundle('stored', { status: { resourcesSha256Sum: 'now' } }),
      bundle('lost', { status: { resourcesSha256Sum: 'f'.repeat(64) } }),
      bundle('chart', { spec: { helmOpOptions: {} }, status: { resourcesSha256Sum: 'f' } }),
    ],
  })
  expect(contentIssues).toMatchObject([
    { name: 'staged', contentName: 's-now', contentExists: true, issues: ['staged_content_not_found', 'applied_content_not_found'] },
    { name: 'leaving', contentDeletionTimestamp: ago(1), issues: ['content_has_deletion_timestamp'] },
  ])
  expect(diagnostics).toMatchObject({ contentIssuesCount: 2, contentsWithDeletionTimestamp: 1, contentsWithZeroReferenceCount: 1 })
  expect(names(diagnostics?.bundlesWithMissingContent)).toEqual(['lost'])
})

test('secrets without their owner are orphaned', () => {
  const found = snapshot({
    bundles: [bundle('app')],
    secrets: [
      secret('fine', { kind: 'Bundle', name: 'app', uid: 'uid-app' }),
      secret('made-anew', { kind: 'Bundle', name: 'app', uid: 'old' }),
      secret('ownerless'),
      secret('going', { kind: 'Bundle', name: 'app', uid: 'uid-app' }, { deletionTimestamp: ago(1) }),
    ],
  })
  expect(names(found.orphanedSecrets)).toEqual(['made-anew', 'ownerless', 'going'])
  expect(names(found.diagnostics?.invalidSecretOwners)).toEqual(['made-anew'])
  expect(found.diagnostics).toMatchObject({ orphanedSecretsCount: 3, invalidSecretOwnersCount: 1 })
})

test('agents that are silent or not ready are told of', () => {
  const ready = [{ type: 'Ready', status: 'True' }]
  const cluster = (name: string, status: Cluster['status']): Cluster => ({
    ...CLUSTER,
    metadata: { name, namespace: 'ws' },
    spec: {},
    status,
  })
  const { clusters, diagnostics } = snapshot({
    clusters: [
      cluster('fine', { conditions: ready, agent: { lastSeen: ago(3_725) } }),
      cluster('silent', { conditions: ready, agent: { lastSeen: ago(90_000) } }),
      cluster('never', { conditions: ready }),
      cluster('broken', { conditions: [{ type: 'Ready', status: 'False', message: 'why' }], agent: { lastSeen: ago(1) } }),
    ],
  })
  expect(clusters?.[0]).toMatchObject({ ready: true, agentLastSeenAge: '1h2m5s' })
  expect(clusters?.[3]).toMatchObject({ ready: false, readyMessage: 'why' })
  expect(names(diagnostics?.clustersWithAgentIssues)).toEqual(['silent', 'never', 'broken'])
})

test('GitRepos that are not followed are told of', () => {
  const found = diagnosed({
    gitRepos: [
      gitRepo('fine', { status: { commit: 'a', pollingCommit: 'a', lastPollingTriggered: ago(60) } }),
      gitRepo('silent', { status: { commit: 'a', webhookCommit: 'a', pollingCommit: 'b', lastPollingTriggered: ago(3_600) } }),
      gitRepo('pushed', { spec: { repo: 'x', disablePolling: true }, status: { commit: 'a', webhookCommit: 'b' } }),
      gitRepo('unseen', {}, { generation: 2 }),
    ],
  })
  expect(names(found.gitReposUnpolled)).toEqual(['silent', 'unseen'])
  expect(names(found.gitReposWithCommitMismatch)).toEqual(['pushed'])
  expect(names(found.gitReposWithGenerationMismatch)).toEqual(['unseen'])
})

test('large bundles and several finalizers are told of', () => {
  const resources = [{ name: 'a', content: 'x'.repeat(2 ** 20) }]
  const found = diagnosed({ bundles: [bundle('large', { spec: { resources } }), bundle('small', {}, { finalizers: ['a', 'b'] })] })
  expect(names(found.largeBundles)).toEqual(['large'])
  expect(found.resourcesWithMultipleFinalizers).toMatchObject([{ kind: 'Bundle', name: 'small', finalizerCount: 2 }])
})

test('the newest events are kept, whatever way they tell the time', () => {
  const event = (name: string, fields: Partial<Event>): Event => ({
    apiVersion: 'v1',
    kind: 'Event',
    metadata: { name, namespace: 'ws' },
    reason: name,
    ...fields,
  })
  const old = Array.from({ length: 20 }, (_, index) => event(`old-${index}`, { lastTimestamp: ago(1_000 - index) }))
  const { recentEvents } = snapshot({ events: [event('new', { eventTime: ago(1), series: { count: 4 } }), ...old] })
  expect(recentEvents).toHaveLength(20)
  expect(recentEvents?.at(-1)).toMatchObject({ reason: 'new', count: 4, lastTimestamp: ago(1) })
  expect(recentEvents?.[0]?.reason).toBe('old-1')
})

test('an API server is inconsistent when versions go back, not when they move on', () => {
  expect(snapshot({ versions: ['9', '10', '10'] }).apiConsistency?.consistent).toBe(true)
  expect(snapshot({ versions: ['10', '9', '10'] }).apiConsistency?.consistent).toBe(false)
  expect(snapshot({ versions: [] }).apiConsistency).toBeUndefined()
})
