// GitRepoRestriction: older and narrower form of Policy, for GitRepos of its namespace.
import { kind, type Static, text, texts } from './schema.ts'
import { selector } from './selectors.ts'

export const GitRepoRestriction = kind(
  {
    defaultServiceAccount: text('Service account for GitRepos that name none.'),
    allowedServiceAccounts: texts('Service accounts that may be used.'),
    allowedRepoPatterns: texts('Regular expressions, one of which a repository URL must match.'),
    defaultClientSecretName: text('Git credentials for GitRepos that name none.'),
    allowedClientSecretNames: texts('Git credentials that may be used.'),
    allowedTargetNamespaces: texts('Namespaces that may be deployed to; targetNamespace must then be set.'),
    allowedTargetNamespaceSelector: selector('Only namespaces with these labels may be deployed to.'),
  },
  'Limits for the GitRepos of its namespace. Deprecated: use Policy.',
)
/** Limits for the GitRepos of its namespace. */
export type GitRepoRestriction = Static<typeof GitRepoRestriction>
