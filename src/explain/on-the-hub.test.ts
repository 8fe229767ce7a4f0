// What keeps a change from becoming deployments: repository, bundle, targets.
import { BUNDLE_NAMESPACE_MAPPING, GIT_REPO_RESTRICTION } from '../api/kinds.ts'
import { bundle, cluster, condition, deployment, gitRepo, helmOp, hub, SINCE, undeployed } from './objects.testing.ts'
import { BUNDLE, blames, DELETED, DEPLOYMENT, deploying, ON_ONE, ONE, OP, REPO, repoWith, two } from './situations.testing.ts'

const one = deployment('one')

blames('source', [
  [
    'an unreachable repository',
    REPO,
    repoWith(condition('GitPolling', 'False', 'repository https://git.example.com/repo cannot be reached: no such host')),
    { reason: 'PollFailed', says: ['ws/repo', 'no such host'], since: SINCE, nextTry: '2026-01-02T12:00:05Z' },
  ],
  [
    'refused credentials',
    BUNDLE,
    repoWith(condition('GitPolling', 'False', 'authentication required')),
    { reason: 'PollFailed', says: ['authentication required'] },
  ],
  [
    'an unknown branch',
    ONE,
    repoWith(condition('GitPolling', 'False', 'branch "x" does not exist')),
    { reason: 'PollFailed', says: ['branch "x"'] },
  ],
  [
    'a broken fleet.yaml',
    REPO,
    repoWith(condition('Stalled', 'True', 'fleet.yaml:3:1: unknown field')),
    { reason: 'ReadFailed', says: ['fleet.yaml:3:1', 'what was deployed stays'], since: SINCE },
  ],
  [
    'a commit that is being read',
    REPO,
    repoWith(condition('Reconciling', 'True', 'reading commit abc')),
    { verdict: 'waiting', reason: 'Reading', says: ['reading commit abc'] },
  ],
  [
    'no polling and no webhook',
    REPO,
    hub({
      gitRepos: [gitRepo({ disablePolling: true }, { commit: '', observedGeneration: undefined, gitJobStatus: '' })],
      bundles: [],
      bundleDeployments: [],
    }),
    { reason: 'PollingDisabled', says: ['disablePolling', 'webhook'], since: SINCE },
  ],
  [
    'a push that the server does not show yet',
    REPO,
    hub({ gitRepos: [gitRepo({}, { webhookCommit: 'deadbeef', lastWebhookTime: SINCE })] }),
    { verdict: 'waiting', reason: 'PushSeen', says: ['deadbeef'], since: SINCE },
  ],
  [
    'a restriction that refuses the GitRepo',
    REPO,
    {
      ...repoWith(condition('Accepted', 'False', 'disallowed serviceAccount root')),
      restrictions: [{ ...GIT_REPO_RESTRICTION, metadata: { name: 'limits', namespace: 'ws' } }],
    },
    { reason: 'NotAccepted', says: ['disallowed serviceAccount root', 'gitreporestriction/limits'] },
  ],
  [
    'a hub that does not poll',
    REPO,
    hub({ gitRepos: [gitRepo({}, { lastPollingTriggered: '2026-01-01T00:00:00Z' })] }),
    { verdict: 'unknown', reason: 'NotPolled', says: ['fleet-controller'] },
  ],
  [
    'a GitRepo nobody has looked at',
    REPO,
    hub({ gitRepos: [{ ...gitRepo(), status: {} }], bundles: [], bundleDeployments: [] }),
    { verdict: 'waiting', reason: 'NotObserved', says: ['fleet-controller', 'shard'] },
  ],
  [
    'a GitRepo that is being deleted',
    REPO,
    hub({ gitRepos: [{ ...gitRepo(), metadata: { name: 'repo', namespace: 'ws', deletionTimestamp: DELETED, finalizers: ['f'] } }] }),
    { verdict: 'waiting', reason: 'Deleting', says: ['waits for its bundles', 'f'], since: DELETED },
  ],
  [
    'a HelmOp version that is not resolved',
    OP,
    { helmOps: [helmOp()] },
    { verdict: 'waiting', reason: 'VersionNotResolved', says: ['chart c', '"1.x"'] },
  ],
  [
    'a HelmOp that is refused',
    OP,
    { helmOps: [helmOp({}, { conditions: [condition('Accepted', 'False', 'repo and chart are needed')] })] },
    { reason: 'NotAccepted', says: ['helmop ws/op', 'repo and chart'] },
  ],
  [
    'a chart repository that cannot be polled',
    OP,
    { helmOps: [helmOp({}, { version: '1', conditions: [condition('Polled', 'False', 'index.yaml: 404')] })] },
    { reason: 'PollFailed', says: ['index.yaml: 404'] },
  ],
  [
    'a bundle whose GitRepo is gone',
    BUNDLE,
    hub({ gitRepos: [] }),
    { verdict: 'unknown', reason: 'SourceMissing', says: ['gitrepo ws/repo'] },
  ],
])

blames('bundle', [
  ['a GitRepo without bundles', REPO, hub({ bundles: [], bundleDeployments: [] }), { reason: 'NoBundles', says: ['spec.paths'] }],
  ['a HelmOp without a bundle', OP, { helmOps: [helmOp({}, { version: '1.2.3' })] }, { reason: 'NoBundles', says: ['helmop ws/op'] }],
  [
    'a policy violation of a bundle',
    BUNDLE,
    hub({ bundles: [bundle({}, { conditions: [condition('Ready', 'False', 'serviceAccount is required by Policy', 'Error')] })] }),
    { reason: 'BundleRefused', says: ['required by Policy'], since: SINCE },
  ],
  [
    'helm values of a bundle that are missing',
    BUNDLE,
    hub({
      bundles: [bundle({}, { conditions: [condition('Ready', 'False', 'waiting for secret ws/app with the helm values', 'Waiting')] })],
    }),
    { verdict: 'waiting', reason: 'Waiting', says: ['secret ws/app'], nextTry: '2026-01-02T12:00:05Z' },
  ],
  [
    'a bundle nobody has handled',
    BUNDLE,
    hub({ bundles: [{ ...bundle(), metadata: { name: 'app', namespace: 'ws', generation: 2 } }] }),
    { verdict: 'waiting', reason: 'NotObserved', says: ['new spec'] },
  ],
  [
    'a bundle that is being deleted',
    BUNDLE,
    hub({ bundles: [{ ...bundle(), metadata: { name: 'app', namespace: 'ws', deletionTimestamp: DELETED } }] }),
    { verdict: 'waiting', reason: 'Deleting', says: ['2 of its deployments', 'cluster-one/app'], since: DELETED },
  ],
  [
    'a deployment without its bundle',
    DEPLOYMENT,
    hub({ bundles: [] }),
    { reason: 'BundleMissing', says: ['bundle ws/app does not exist'] },
  ],
  [
    'content that is missing',
    ON_ONE,
    { ...deploying(undeployed('one'), two), contents: new Set() },
    { reason: 'ContentMissing', says: ['s-aaaa', 'does not exist on the hub'] },
  ],
])

blames('target', [
  [
    'targets that match nothing',
    BUNDLE,
    hub({ bundles: [bundle({ targets: [{ clusterGroup: 'prod' }, { clusterName: 'three' }] })], bundleDeployments: [] }),
    { reason: 'NoTargets', says: ['none of the 2 clusters', 'no clustergroup prod', 'no cluster three'] },
  ],
  ['no clusters', BUNDLE, hub({ clusters: [], bundleDeployments: [] }), { reason: 'NoTargets', says: ['no clusters in namespace ws'] }],
  [
    'an invalid selector',
    BUNDLE,
    hub({
      bundles: [
        bundle(
          { targets: [{ clusterSelector: { matchExpressions: [{ key: 'a', operator: 'Is' }] } }] },
          { conditions: [condition('Ready', 'False', 'targeting error: x', 'Error')] },
        ),
      ],
    }),
    { reason: 'InvalidSelector', says: ['"Is"', 'ws/app'] },
  ],
  [
    'a template error in one cluster',
    BUNDLE,
    hub({
      bundles: [
        bundle(
          {},
          {
            observedGeneration: 0,
            conditions: [condition('Ready', 'False', 'targeting error: …', 'Error')],
            summary: {
              nonReadyResources: [{ name: 'ws/one', bundleState: 'ErrApplied', message: 'cluster one in namespace ws: failed to render' }],
            },
          },
        ),
      ],
      bundleDeployments: [two],
    }),
    { reason: 'TargetError', says: ['1 of 2 clusters (ws/one)', 'failed to render'] },
  ],
  [
    'a target with doNotDeploy',
    ON_ONE,
    hub({
      bundles: [bundle({ targets: [{ name: 'never', clusterName: 'one', doNotDeploy: true }, { clusterSelector: {} }] })],
      bundleDeployments: [two],
    }),
    { reason: 'DoNotDeploy', says: ['target never', 'ws/one'] },
  ],
  [
    'a customization with doNotDeploy',
    ON_ONE,
    hub({
      bundles: [
        bundle({
          targets: [{ clusterName: 'one', doNotDeploy: true }, { clusterSelector: {} }],
          targetRestrictions: [{ clusterSelector: {} }],
        }),
      ],
      bundleDeployments: [two],
    }),
    { reason: 'DoNotDeploy', says: ['target #1'] },
  ],
  [
    'a cluster that no target matches',
    ON_ONE,
    hub({ bundles: [bundle({ targets: [{ clusterName: 'two' }] })], bundleDeployments: [two] }),
    { reason: 'NotMatched', says: ['ws/one', 'label the cluster'] },
  ],
  [
    'a restriction that leaves the cluster out',
    ON_ONE,
    hub({
      bundles: [bundle({ targets: [{ clusterSelector: {} }], targetRestrictions: [{ clusterName: 'two' }] })],
      bundleDeployments: [two],
    }),
    { reason: 'Restricted', says: ['targetRestrictions'] },
  ],
  [
    'a namespace that no mapping leads to',
    { ...BUNDLE, cluster: 'far' },
    hub({
      clusters: [cluster('one'), cluster('two'), { ...cluster('far'), metadata: { name: 'far', namespace: 'other' } }],
      mappings: [
        {
          ...BUNDLE_NAMESPACE_MAPPING,
          metadata: { name: 'm', namespace: 'ws' },
          bundleSelector: {},
          namespaceSelector: { matchExpressions: [{ key: 'a', operator: 'Is' }] },
        },
      ],
      namespaces: [{ metadata: { name: 'other' } }],
    }),
    { reason: 'NotMapped', says: ['other/far', 'bundlenamespacemapping', 'm: ', '"Is"'] },
  ],
  ['a cluster that does not exist', { ...BUNDLE, cluster: 'none' }, hub(), { reason: 'ClusterMissing', says: ['no cluster none'] }],
  [
    'a name that another bundle has taken',
    BUNDLE,
    deploying(
      { ...one, metadata: { ...one.metadata, labels: { ...one.metadata.labels, 'fleet.cattle.io/bundle-namespace': 'other' } } },
      two,
    ),
    { reason: 'NameTaken', says: ['other/app', 'rename'] },
  ],
  [
    'a cluster without namespace',
    BUNDLE,
    hub({ clusters: [{ ...cluster('one'), status: {} }, cluster('two')], bundleDeployments: [two] }),
    { verdict: 'waiting', reason: 'NoClusterNamespace', says: ['ws/one', 'registration'] },
  ],
])
