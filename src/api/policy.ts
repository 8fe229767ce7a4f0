// Policy: limits and defaults for GitRepos, HelmOps and Bundles of its namespace. Several are added up.
import { flag, kind, object, type Static, text, texts } from './schema.ts'

export const Policy = kind(
  {
    requireServiceAccount: flag('Refuse what names no service account.'),
    allowedServiceAccounts: texts('Service accounts that may be used; any if empty.'),
    allowNamespaceCreation: flag('Namespaces may be created although a service account is required.'),
    gitRepo: object(
      {
        defaultServiceAccount: text('Service account for GitRepos that name none.'),
        defaultClientSecretName: text('Git credentials for GitRepos that name none.'),
        allowedClientSecretNames: texts('Git credentials that may be used; any if empty.'),
        allowedRepoPatterns: texts('Regular expressions, one of which a repository URL must match.'),
      },
      'For GitRepos.',
    ),
    helmOp: object(
      {
        defaultServiceAccount: text('Service account for HelmOps that name none.'),
        defaultHelmSecretName: text('Chart credentials for HelmOps that name none.'),
        allowedHelmSecretNames: texts('Chart credentials that may be used; any if empty.'),
        allowedHelmRepoPatterns: texts('Regular expressions, one of which a chart repository URL must match.'),
        allowedChartPatterns: texts('Regular expressions, one of which a chart must match.'),
      },
      'For HelmOps.',
    ),
  },
  'Limits and defaults for the GitRepos, HelmOps and Bundles of its namespace.',
)
/** Limits and defaults for the GitRepos, HelmOps and Bundles of its namespace. */
export type Policy = Static<typeof Policy>
