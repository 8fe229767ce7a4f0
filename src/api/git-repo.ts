// GitRepo: a git repository that is followed, and the clusters that it is deployed to.
import { CorrectDrift } from './bundle-deployment-options.ts'
import { bytes, duration, flag, int64, kind, list, object, type Static, text, texts, time } from './schema.ts'
import { clusterTarget } from './selectors.ts'
import { statusBaseFields } from './status.ts'

const GitTarget = clusterTarget('Clusters to deploy to.')
/** Clusters to deploy to. */
export type GitTarget = Static<typeof GitTarget>

const BundlePath = object(
  { base: text('Folder of the bundle.'), options: text('File used in place of fleet.yaml, relative to the folder.') },
  'One bundle.',
)

const GitRepoSpec = object(
  {
    repo: text('URL of the repository: http, https, ssh, or as git@host:path.', { minLength: 1 }),
    branch: text('Branch to follow; master if absent.'),
    revision: text('Tag or commit to stay at.'),
    targetNamespace: text('Namespace that all objects are put into; cluster-wide objects are refused.'),
    clientSecretName: text('Secret with git credentials; gitcredential if absent and there.'),
    helmSecretName: text('Secret with credentials for chart downloads.'),
    helmSecretNameForPaths: text('Secret with credentials for chart downloads by path; wins over helmSecretName.'),
    helmRepoURLRegex: text('Chart credentials are only sent to URLs that match; absent means to none.'),
    caBundle: bytes('PEM certificates to trust for git.'),
    insecureSkipTLSVerify: flag('Do not verify certificates.'),
    paths: texts('Folders to deploy, patterns allowed; the whole repository if absent.'),
    paused: flag('Prepare changes, but do not deploy them.'),
    serviceAccount: text('Service account to deploy as.'),
    targets: list(GitTarget, 'Clusters to deploy to; the group default if absent.'),
    pollingInterval: duration('How often to look for commits; 15s if absent or 0.'),
    forceSyncGeneration: int64('Raise it to read and deploy again.'),
    imageScanInterval: duration('How often new image versions are written back.'),
    imageScanCommit: object(
      {
        authorName: text('Author of the commits.'),
        authorEmail: text('Address of the author.'),
        messageTemplate: text('Template of the message.'),
      },
      'How image versions are committed.',
    ),
    keepResources: flag('Leave objects in place when the GitRepo goes.'),
    deleteNamespace: flag('Delete the target namespace when the GitRepo goes.'),
    correctDrift: CorrectDrift,
    disablePolling: flag('Only look for commits when a webhook or a change of the spec says so.'),
    ociRegistrySecret: text('Secret of a registry to store files in; ocistorage if absent and there.'),
    webhookSecret: text('Secret that webhooks for this repository are checked with.'),
    bundles: list(BundlePath, 'The bundles, one by one; paths is then not looked at.'),
  },
  'What to follow and where to deploy it.',
  { required: ['repo'] },
)
/** What to follow and where to deploy it. */
export type GitRepoSpec = Static<typeof GitRepoSpec>

const GitRepoStatus = object(
  {
    ...statusBaseFields,
    observedGeneration: int64('The generation that was read last.'),
    updateGeneration: int64('The forceSyncGeneration that was read last.'),
    commit: text('The commit that was read last.'),
    webhookCommit: text('The commit that a webhook told of last.'),
    lastWebhookTime: time('When a webhook told of it.'),
    pollingCommit: text('The commit that polling found last.'),
    lastPollingTriggered: time('When polling looked last.'),
    gitJobStatus: text('Current, InProgress or Failed: state of reading the commit.'),
    lastSyncedImageScanTime: time('When image versions were written back last.'),
  },
  'What was read and what became of it.',
)
/** What was read and what became of it. */
export type GitRepoStatus = Static<typeof GitRepoStatus>

export const GitRepo = kind(
  { spec: GitRepoSpec, status: GitRepoStatus },
  'A git repository that is followed, and the clusters that it is deployed to.',
  ['spec'],
)
/** A git repository that is followed, and the clusters that it is deployed to. */
export type GitRepo = Static<typeof GitRepo>
