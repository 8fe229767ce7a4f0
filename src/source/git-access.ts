// How a GitRepo's repository is reached: address, ref and credentials out of its spec and its secret (spec 8.2).
import { createHash } from 'node:crypto'
import type { GitRepo } from '../api/git-repo.ts'
import { TerminalError } from '../lib/controller/errors.ts'
import { isCommitId } from '../lib/git/refs.ts'
import type { GitCredentials, GitProxy, GitRef, GitRemote } from '../lib/git/types.ts'
import { isSshUrl } from '../lib/git/url.ts'
import type { RepoSecrets, Secret } from './secrets.ts'

/** What the configuration of the hub adds. */
export interface GitDefaults {
  readonly proxy?: GitProxy | undefined
  /** gitClientTimeout in milliseconds. */
  readonly timeoutMs?: number | undefined
  /** PEM certificates for GitRepos that bring none. */
  readonly caBundle?: string | undefined
  /** PEM certificates that are always trusted, such as that of a proxy. */
  readonly proxyCaBundle?: string | undefined
}

export interface GitAccess {
  readonly remote: GitRemote
  readonly ref: GitRef
  /** Equal for GitRepos that see the same repository with the same rights. Tells nothing about the credentials. */
  readonly remoteId: string
  /** Equal for those that follow the same ref in it, too. */
  readonly pollId: string
  /** Why nothing may be deployed although the server may answer: something is wrong with the secret. */
  readonly problem?: TerminalError
}

const DEFAULT_BRANCH = 'master'
const BASIC_AUTH = 'kubernetes.io/basic-auth'
const SSH_AUTH = 'kubernetes.io/ssh-auth'
const GITHUB_APP_KEYS = ['github_app_id', 'github_app_installation_id', 'github_app_private_key'] as const

/** Without usable credentials a repository is asked without any: a public one can then be polled, a private one says what it needs. */
export function gitAccess(gitRepo: GitRepo, { client }: Pick<RepoSecrets, 'client'>, defaults: GitDefaults = {}): GitAccess {
  const { spec } = gitRepo
  const { credentials, problem } = clientCredentials(gitRepo, client)
  const remote: GitRemote = {
    url: spec.repo,
    credentials,
    caBundle: caBundleOf(spec.caBundle, defaults),
    insecureSkipTLSVerify: spec.insecureSkipTLSVerify ?? false,
    proxy: defaults.proxy,
    timeoutMs: defaults.timeoutMs,
  }
  const ref = refOf(spec)
  const remoteId = digest([remote.url, credentials ?? null, remote.caBundle ?? '', remote.insecureSkipTLSVerify])
  return { remote, ref, remoteId, pollId: digest([remoteId, ref]), ...(problem ? { problem } : {}) }
}

/** The revision wins over the branch; it is a commit id or a tag (spec 8.2, 12). */
function refOf({ revision, branch }: GitRepo['spec']): GitRef {
  if (revision) return isCommitId(revision) ? { commit: revision } : { tag: revision }
  return { branch: branch || DEFAULT_BRANCH }
}

interface ClientCredentials {
  readonly credentials?: GitCredentials
  readonly problem?: TerminalError
}

function clientCredentials({ metadata, spec }: GitRepo, secret: Secret | undefined): ClientCredentials {
  if (secret) return credentialsOf(secret, spec.repo)
  if (!spec.clientSecretName) return {}
  return problem(
    `Secret "${spec.clientSecretName}" not found: create it in namespace ${metadata.namespace}, or name another in clientSecretName`,
  )
}

function credentialsOf({ metadata: { name }, type, data = {} }: Secret, url: string): ClientCredentials {
  if (type === BASIC_AUTH) return basicAuth(data)
  if (type === SSH_AUTH) {
    if (isSshUrl(url)) return {}
    return problem(`secret "${name}" holds an SSH key, but the repository is reached by http: give it a secret of type ${BASIC_AUTH}`)
  }
  const missing = GITHUB_APP_KEYS.filter((key) => !data[key])
  if (missing.length > 0)
    return problem(
      `missing Github App keys in secret "${name}" (${missing.join(', ')}): add them, or give it the type ${BASIC_AUTH} with username and password`,
    )
  return problem(
    `secret "${name}" holds the key of a GitHub App, which is not supported yet: use a token in a secret of type ${BASIC_AUTH}`,
  )
}

/** A token may come as password alone. */
function basicAuth(data: Readonly<Record<string, string>>): ClientCredentials {
  const [username, password] = [data.username, data.password].map((value) => Buffer.from(value ?? '', 'base64').toString('utf8'))
  if (!username && !password) return {}
  return { credentials: { kind: 'basic', username: username || password || '', password: password ?? '' } }
}

function problem(message: string): ClientCredentials {
  return { problem: new TerminalError(message) }
}

function caBundleOf(base64: string | undefined, { caBundle, proxyCaBundle }: GitDefaults): string | undefined {
  const own = base64 ? Buffer.from(base64, 'base64').toString('utf8') : caBundle
  const all = [own, proxyCaBundle].filter((pem) => pem !== undefined && pem !== '')
  return all.length > 0 ? all.join('\n') : undefined
}

function digest(parts: readonly unknown[]): string {
  return createHash('sha256').update(JSON.stringify(parts)).digest('base64url')
}
