// Chart downloads for a GitRepo, with the credentials of the secrets it names (spec 1.2, 6.4, 8.3).
import { credentialsOfSecret } from '../../api/chart-secret.ts'
import type { GitRepo } from '../../api/git-repo.ts'
import type { ChartDownloader } from '../../lib/charts/downloads.ts'
import { chartSecretProblem, type SecretReader } from '../../source/secrets.ts'
import type { ChartSource } from '../charts.ts'
import { createChartSource } from './chart-source.ts'
import { type CredentialsByFolder, credentialsByPathOfSecret } from './credentials.ts'

export interface GitRepoChartsOptions {
  readonly downloader: ChartDownloader
  readonly secrets: SecretReader
  /** PEM certificates for GitRepos whose secret has none; asked for each reading */
  readonly caBundle?: (() => string | undefined) | undefined
}

/** The function that a publisher wants: a source for one reading of a GitRepo. It throws TerminalError when a secret is missing or broken. */
export function chartSourceFor({ downloader, secrets, caBundle }: GitRepoChartsOptions): (gitRepo: GitRepo) => Promise<ChartSource> {
  return async (gitRepo) =>
    createChartSource({
      downloader,
      credentials: await credentialsFor(gitRepo, secrets),
      urlPattern: gitRepo.spec.helmRepoURLRegex,
      caBundle: caBundle?.(),
    })
}

/** The secret for paths wins, and then nothing else counts: neither the other secret nor insecureSkipTLSVerify of the GitRepo. */
async function credentialsFor(gitRepo: GitRepo, reader: SecretReader): Promise<CredentialsByFolder> {
  const { helmSecretName, helmSecretNameForPaths, insecureSkipTLSVerify } = gitRepo.spec
  const secrets = await reader.read(gitRepo)
  const problem = chartSecretProblem(gitRepo, secrets)
  if (problem) throw problem
  if (helmSecretNameForPaths) return credentialsByPathOfSecret(secrets.helmForPaths?.data, helmSecretNameForPaths)
  const own = helmSecretName ? credentialsOfSecret(secrets.helm?.data, helmSecretName) : {}
  const credentials = insecureSkipTLSVerify ? { ...own, insecureSkipTLSVerify } : own
  return () => credentials
}
