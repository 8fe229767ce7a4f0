// What keeps deployments from becoming what they should be: rollout, agent, releases, objects.
import { CLUSTER_REGISTRATION, SCHEDULE } from '../api/kinds.ts'
import { bundle, cluster, condition, deployment, gitRepo, hub, ID, OLD_ID, SINCE, undeployed } from './objects.testing.ts'
import { BUNDLE, blames, DELETED, DEPLOYMENT, deploying, failing, givenUp, ON_ONE, ONE, REPO, two } from './situations.testing.ts'

const one = deployment('one')
const partitioned = {
  rolloutStrategy: {
    partitions: [
      { name: 'first', clusterName: 'one', maxUnavailable: 0 },
      { name: 'second', clusterName: 'two' },
    ],
  },
}

const paused = { paused: true, stagedDeploymentID: ID, deploymentID: OLD_ID }
const old = { appliedDeploymentID: OLD_ID }

blames('rollout', [
  [
    'a paused GitRepo',
    REPO,
    { ...deploying(deployment('one', paused, old), two), gitRepos: [gitRepo({ paused: true })], bundles: [bundle({ paused: true })] },
    { reason: 'Paused', says: ['gitrepo ws/repo is paused'] },
  ],
  [
    'a paused bundle',
    BUNDLE,
    { ...deploying(deployment('one', paused, old), two), bundles: [bundle({ paused: true })] },
    { reason: 'Paused', says: ['bundle ws/app is paused', 'spec.paused'] },
  ],
  [
    'a paused cluster',
    BUNDLE,
    { ...deploying(deployment('one', paused, old), two), clusters: [cluster('one', { paused: true }), cluster('two')] },
    { reason: 'Paused', says: ['cluster ws/one is paused'] },
  ],
  [
    'a paused deployment',
    DEPLOYMENT,
    deploying(undeployed('one', { paused: true })),
    { reason: 'Paused', says: ['bundledeployment cluster-one/app is paused'] },
  ],
  [
    'a closed time window',
    ON_ONE,
    {
      ...deploying(undeployed('one', { offSchedule: true }), two),
      schedules: [
        {
          ...SCHEDULE,
          metadata: { name: 'night', namespace: 'ws' },
          spec: {},
          status: { active: false, nextStartTime: '2026-01-02T22:00:00Z', matchingClusters: ['one'] },
        },
      ],
    },
    {
      verdict: 'waiting',
      reason: 'OutsideSchedule',
      says: ['ws/night', 'until 2026-01-02T22:00:00Z'],
      nextTry: '2026-01-02T22:00:00Z',
    },
  ],
  [
    'a schedule that is invalid',
    ON_ONE,
    {
      ...deploying(undeployed('one', { offSchedule: true }), two),
      schedules: [
        {
          ...SCHEDULE,
          metadata: { name: 'night', namespace: 'ws' },
          spec: {},
          status: { matchingClusters: ['one'], conditions: [condition('Ready', 'False', 'no cron expression')] },
        },
      ],
    },
    { reason: 'ScheduleInvalid', says: ['ws/night', 'no cron expression'], since: SINCE },
  ],
  [
    'values that the agent does not find',
    ON_ONE,
    failing('the secret cluster-one/app with the values is missing on the hub', 'WaitingForValues'),
    { verdict: 'waiting', reason: 'WaitingForValues', says: ['secret cluster-one/app'], nextTry: '2026-01-02T12:00:15Z' },
  ],
  [
    'a time window that nobody knows',
    ON_ONE,
    deploying(undeployed('one', { offSchedule: true }), two),
    { verdict: 'waiting', reason: 'OutsideSchedule', says: ['see the schedules'] },
  ],
  [
    'a partition that waits for an earlier one',
    { ...BUNDLE, cluster: 'two' },
    {
      ...deploying(undeployed('one'), deployment('two', { stagedDeploymentID: OLD_ID, deploymentID: OLD_ID }, old)),
      bundles: [bundle(partitioned, { partitions: [{ name: 'first', unavailable: 1 }, { name: 'second' }] })],
    },
    {
      verdict: 'waiting',
      reason: 'EarlierPartition',
      says: ['partition "second"', 'waits for partition "first"', '1 of its clusters'],
    },
  ],
  [
    'a cluster in no partition',
    ON_ONE,
    hub({ bundles: [bundle({ rolloutStrategy: { partitions: [{ name: 'p', clusterName: 'two' }] } })], bundleDeployments: [two] }),
    { reason: 'NoPartition', says: ['ws/one is in no partition'] },
  ],
  [
    'an invalid strategy',
    BUNDLE,
    hub({ bundles: [bundle({ rolloutStrategy: { maxUnavailable: 'many' } })] }),
    { reason: 'InvalidStrategy', says: ['many'] },
  ],
  [
    'staged, but too many clusters unavailable',
    ON_ONE,
    { ...deploying(deployment('one', { deploymentID: OLD_ID }, old), two), bundles: [bundle({}, { unavailable: 3, maxUnavailable: 3 })] },
    { verdict: 'waiting', reason: 'MaxUnavailable', says: ['3 clusters are unavailable, 3 may be'] },
  ],
  [
    'maxUnavailable 0',
    BUNDLE,
    { ...deploying(deployment('one', { deploymentID: OLD_ID }, old), two), bundles: [bundle({ rolloutStrategy: { maxUnavailable: 0 } })] },
    { reason: 'MaxUnavailable', says: ['maxUnavailable of bundle ws/app is 0'] },
  ],
  [
    'maxNew 0',
    BUNDLE,
    hub({ bundles: [bundle({ rolloutStrategy: { maxNew: 0 } })], bundleDeployments: [two] }),
    { reason: 'MaxNew', says: ['maxNew', 'is 0'] },
  ],
  [
    'maxNew a round',
    BUNDLE,
    hub({ bundles: [bundle({}, { newlyCreated: 50 })], bundleDeployments: [] }),
    { verdict: 'waiting', reason: 'MaxNew', says: ['2 of 2 clusters', 'at most 50', '2 are left'] },
  ],
  ['no deployment yet', BUNDLE, hub({ bundleDeployments: [two] }), { verdict: 'waiting', reason: 'NotCreated', says: ['ws/one'] }],
  [
    'options that are missing',
    ON_ONE,
    deploying(undeployed('one', { waitingForValues: true }), two),
    { verdict: 'waiting', reason: 'WaitingForValues', says: ['secret cluster-one/app'] },
  ],
  [
    'a deployment kept by a finalizer',
    ON_ONE,
    deploying({ ...one, metadata: { ...one.metadata, deletionTimestamp: DELETED, finalizers: ['example.com/mine'] } }, two),
    { reason: 'Deleting', says: ['example.com/mine'], since: DELETED },
  ],
  [
    'a cluster that is no target any more',
    BUNDLE,
    { ...deploying(deployment('one'), two), bundles: [bundle({ targets: [{ clusterName: 'two' }] })] },
    { verdict: 'waiting', reason: 'Leftover', says: ['ws/one is no target any more'] },
  ],
])

const never = { ...cluster('one', { clientID: 'id-1' }), status: { namespace: 'cluster-one' } }
const registration = (granted: boolean) => [
  { ...CLUSTER_REGISTRATION, metadata: { name: 'request-1', namespace: 'ws' }, spec: { clientID: 'id-1' }, status: { granted } },
]

blames('registration', [
  [
    'a cluster that cannot be imported',
    ONE,
    hub({ clusters: [cluster('one', {}, { conditions: [condition('Imported', 'False', 'no such host')] })] }),
    { reason: 'RegistrationFailed', says: ['condition Imported', 'no such host'] },
  ],
  [
    'a cluster without namespace',
    ONE,
    hub({ clusters: [{ ...cluster('one'), status: {} }], bundleDeployments: [] }),
    { verdict: 'waiting', reason: 'NoClusterNamespace', says: ['no namespace'] },
  ],
])

blames('agent', [
  [
    'no agent at all',
    ONE,
    hub({ clusters: [never], bundleDeployments: [undeployed('one')] }),
    { reason: 'AgentNotSeen', says: ['no agent has registered', 'id-1'], since: SINCE },
  ],
  [
    'a registration that is not granted',
    ONE,
    hub({ clusters: [never], registrations: registration(false) }),
    { verdict: 'waiting', reason: 'RegistrationPending', says: ['request-1'] },
  ],
  [
    'an agent that never reported',
    BUNDLE,
    { ...deploying(undeployed('one'), two), clusters: [never, cluster('two')], registrations: registration(true) },
    { verdict: 'waiting', reason: 'AgentNotSeen', says: ['request-1', 'has not reported yet'] },
  ],
  [
    'an agent that is offline',
    BUNDLE,
    { ...deploying(undeployed('one'), two), clusters: [cluster('one', {}, { agent: { lastSeen: DELETED } }), cluster('two')] },
    {
      reason: 'AgentOffline',
      says: ['has not reported since 2026-01-02T10:00:00Z', 'nothing changes', 'WaitApplied'],
      since: DELETED,
    },
  ],
  [
    'an agent that is offline although all was ready',
    ON_ONE,
    hub({ clusters: [cluster('one', {}, { agent: { lastSeen: DELETED } }), cluster('two')] }),
    { verdict: 'unknown', reason: 'AgentOffline', says: ['last known state: Ready'] },
  ],
  [
    'a cluster that the hub says is gone',
    ONE,
    hub({ clusters: [cluster('one', { kubeConfigSecret: 's' }, { conditions: [condition('Connected', 'False')] })] }),
    { reason: 'AgentOffline', says: ['redeployAgentGeneration'] },
  ],
])

const depending = { dependsOn: [{ name: 'base' }] }
const base = deployment('one', {}, { ready: false }, 'base')

blames('apply', [
  [
    'the cause in the earlier partition comes first',
    BUNDLE,
    {
      ...deploying(undeployed('one'), deployment('two', { stagedDeploymentID: OLD_ID, deploymentID: OLD_ID }, old)),
      bundles: [bundle(partitioned, { partitions: [{ name: 'first', unavailable: 1 }, { name: 'second' }] })],
    },
    { verdict: 'waiting', reason: 'WaitApplied', says: ['1 of 2 clusters (ws/one)'] },
  ],
  [
    'a dependency that is not ready',
    ON_ONE,
    deploying(undeployed('one', depending), two, base),
    {
      verdict: 'waiting',
      reason: 'DependencyNotReady',
      says: ['cluster-one/base', 'NotReady', 'must be Ready'],
      nextTry: '2026-01-02T12:00:15Z',
    },
  ],
  [
    'a dependency that is missing',
    ON_ONE,
    deploying(undeployed('one', depending), two),
    { reason: 'DependencyMissing', says: ['ws/base', 'not deployed there'] },
  ],
  [
    'a service account that is missing',
    BUNDLE,
    failing('looking up service account ns/deployer: ServiceAccount "deployer" not found'),
    { reason: 'NotDeployed', says: ['"deployer" not found', 'tried again'], since: SINCE },
  ],
  [
    'a release that belongs to another',
    BUNDLE,
    failing('release default/app belongs to bundle deployment other: choose another helm.releaseName', 'ReleaseOccupied'),
    { reason: 'ReleaseOccupied', says: ['belongs to bundle deployment other'], nextTry: '2026-01-02T12:00:30Z' },
  ],
  [
    'a kind that waits for its definition',
    BUNDLE,
    failing('resource mapping not found: no matches for kind "Widget" in version "v1"'),
    { verdict: 'waiting', reason: 'UnknownKind', says: ['Widget', 'CustomResourceDefinition'] },
  ],
  ['rights that are missing', BUNDLE, failing('configmaps is forbidden: User "x" cannot create'), { reason: 'Forbidden', says: ['grant'] }],
  [
    'an error that is permanent',
    BUNDLE,
    givenUp('chart requires kubeVersion: >=1.99'),
    { reason: 'KubeVersion', says: ['>=1.99', 'not tried again until'], since: SINCE },
  ],
  ['an object of somebody else', BUNDLE, givenUp('invalid ownership metadata'), { reason: 'Ownership', says: ['takeOwnership'] }],
  [
    'a timeout',
    BUNDLE,
    givenUp('resource Deployment/ns/x not ready. status: InProgress, context deadline exceeded'),
    { reason: 'Timeout', says: ['Deployment/ns/x', 'timeoutSeconds'] },
  ],
  [
    'a namespace that may not be labelled',
    BUNDLE,
    deploying(
      deployment('one', {}, { ready: false, conditions: [condition('Installed', 'False', 'not allowed to update namespace')] }),
      two,
    ),
    { reason: 'NamespaceRefused', says: ['not allowed', 'every 2 minutes'], nextTry: '2026-01-02T12:02:00Z' },
  ],
  [
    'an agent that is at work',
    BUNDLE,
    deploying(undeployed('one', { options: { helm: { timeoutSeconds: 90 } } }), two),
    { verdict: 'waiting', reason: 'WaitApplied', says: ['90 seconds'] },
  ],
])

const web = { kind: 'Deployment', apiVersion: 'apps/v1', namespace: 'ns', name: 'web' }
const drifted = { nonModified: false, modifiedStatus: [{ ...web, patch: '{"spec":{"replicas":1}}' }] }

blames('health', [
  [
    'a workload that is not ready',
    BUNDLE,
    deploying(
      deployment(
        'one',
        {},
        {
          ready: false,
          nonReadyStatus: [{ ...web, summary: { state: 'updating', transitioning: true, message: ['1 of 2 ready'] } }],
          conditions: [condition('Ready', 'False', 'x')],
        },
      ),
      two,
    ),
    {
      verdict: 'waiting',
      reason: 'NotReady',
      says: ['deployment.apps ns/web', '1 of 2 ready', '1 of 2 clusters (ws/one)'],
      since: SINCE,
    },
  ],
  [
    'a workload in error',
    DEPLOYMENT,
    deploying(deployment('one', {}, { ready: false, nonReadyStatus: [{ ...web, summary: { error: true, message: ['crashes'] } }] })),
    { reason: 'NotReady', says: ['crashes', 'look at these objects'] },
  ],
  [
    'a change that is not corrected',
    BUNDLE,
    deploying(deployment('one', {}, drifted), two),
    { reason: 'Modified', says: ['ns/web modified', 'correctDrift.enabled'] },
  ],
  [
    'a change that is being corrected',
    BUNDLE,
    deploying(deployment('one', { correctDrift: { enabled: true } }, drifted), two),
    { verdict: 'waiting', reason: 'Correcting', says: ['being undone'] },
  ],
  [
    'a correction that fails',
    BUNDLE,
    deploying(
      deployment(
        'one',
        { correctDrift: { enabled: true } },
        { ...drifted, conditions: [condition('Ready', 'False', 'field is immutable')] },
      ),
      two,
    ),
    { reason: 'CorrectionFailed', says: ['field is immutable', 'at most 10 minutes'] },
  ],
  [
    'objects that cannot be watched',
    BUNDLE,
    deploying(deployment('one', {}, { ready: false, conditions: [condition('Monitored', 'False', 'forbidden')] }), two),
    { verdict: 'unknown', reason: 'NotMonitored', says: ['forbidden'] },
  ],
])
