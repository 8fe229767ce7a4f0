// How a GitRepo's repository is reached: address, ref and credentials out of its spec and its secret (spec 8.2).
import { createHash } from 'node:crypto'
import type { GitRepo } from '../api/git-repo.ts'
import { TerminalError } from '../lib/controller/errors.ts'
import { PROVIDER_KEYS } from '../lib/git/known-hosts-providers.ts'
import { isCommitId } from '../lib/git/refs.ts'
import type { GitCredentials, GitProxy, GitRef, GitRemote, HostKeys, KnownHostsText } from '../lib/git/types.ts'
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
  /** Host keys for GitRepos whose secret brings none; the shipped ones of hosting services come after them. */
  readonly knownHosts?: KnownHostsText | undefined
  /** Takes any host key, as the administrator has decided. */
  readonly insecureSkipHostKeyChecks?: boolean | undefined
}

export interface GitAccess {
  readonly remote: GitRemote
  readonly ref: GitRef
  /** Equal for GitRepos that see the same repository with the same rights. Tells nothing about the credentials. */
  readonly remoteId: string
  /** Equal for those that follow the same ref in it, too: their polls can be one if they look equally often. */
  readonly pollId: string
  /** Why nothing may be deployed although the server may answer: something is wrong with the secret. */
  readonly problem?: TerminalError
}

const DEFAULT_BRANCH = 'master'
const BASIC_AUTH = 'kubernetes.io/basic-auth'
const SSH_AUTH = 'kubernetes.io/ssh-auth'
const SSH_KEY = 'ssh-privatekey'
const GITHUB_APP_KEYS = ['github_app_id', 'github_app_installation_id', 'github_app_private_key'] as const

/** Without usable credentials a repository is asked without any: a public one can then be polled, a private one says what it needs. */
export function gitAccess(gitRepo: GitRepo, { client }: Pick<RepoSecrets, 'client'>, defaults: GitDefaults = {}): GitAccess {
  const { spec } = gitRepo
  const { credentials, problem } = clientCredentials(gitRepo, client)
  const remote: GitRemote = {
    url: spec.repo,
    credentials,
    hostKeys: isSshUrl(spec.repo) ? hostKeysFor(client, defaults) : undefined,
    caBundle: caBundleOf(spec.caBundle || client?.data?.cacerts, defaults),
    insecureSkipTLSVerify: spec.insecureSkipTLSVerify ?? false,
    proxy: defaults.proxy,
    timeoutMs: defaults.timeoutMs,
  }
  const ref = refOf(spec)
  const { hostKeys = null, caBundle = '', insecureSkipTLSVerify } = remote
  const remoteId = digest([remote.url, credentials ?? null, caBundle, insecureSkipTLSVerify, hostKeys])
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
  if (secret) return credentialsOf(secret, spec)
  if (!spec.clientSecretName) return {}
  return problem(
    `Secret "${spec.clientSecretName}" not found: create it in namespace ${metadata.namespace}, or name another in clientSecretName`,
  )
}

/** The default secret of a namespace may be for repositories that are reached in another way: then it is not for this one. */
function credentialsOf(secret: Secret, { repo, clientSecretName }: GitRepo['spec']): ClientCredentials {
  const { type, data = {}, metadata } = secret
  const isSsh = isSshUrl(repo)
  if (isSsh !== (type === SSH_AUTH)) return unsuited(secret, isSsh, !clientSecretName)
  if (!isSsh) return httpCredentials(secret)
  const privateKey = text(data[SSH_KEY])
  if (privateKey) return { credentials: { kind: 'ssh', privateKey } }
  return problem(`secret "${metadata.name}" has no ${SSH_KEY}: add a private key without passphrase`)
}

function unsuited({ metadata: { name } }: Secret, isSsh: boolean, isDefault: boolean): ClientCredentials {
  if (isDefault) return {}
  return isSsh
    ? problem(
        `secret "${name}" holds no SSH key, but the repository is reached by ssh: give it a secret of type ${SSH_AUTH}, or the https address`,
      )
    : problem(`secret "${name}" holds an SSH key, but the repository is reached by http: give it a secret of type ${BASIC_AUTH}`)
}

function httpCredentials({ metadata: { name }, type, data = {} }: Secret): ClientCredentials {
  if (type === BASIC_AUTH) return basicAuth(data)
  const missing = GITHUB_APP_KEYS.filter((key) => !data[key])
  if (missing.length > 0)
    return problem(
      `missing Github App keys in secret "${name}" (${missing.join(', ')}): add them, or give it the type ${BASIC_AUTH} with username and password`,
    )
  const [appId = '', installationId = '', privateKey = ''] = GITHUB_APP_KEYS.map((key) => text(data[key]).trim())
  return { credentials: { kind: 'github-app', appId, installationId, privateKey } }
}

/** What a secret brings holds alone; otherwise the keys of the administrator, and where those know nothing of a host the shipped ones (spec 8.2). */
function hostKeysFor(secret: Secret | undefined, { knownHosts, insecureSkipHostKeyChecks }: GitDefaults): HostKeys {
  if (insecureSkipHostKeyChecks) return 'unchecked'
  const own = text(secret?.data?.known_hosts)
  if (secret && own.trim() !== '') return { known: [{ name: `secret "${secret.metadata.name}"`, text: own }] }
  return { known: knownHosts && knownHosts.text.trim() !== '' ? [knownHosts, PROVIDER_KEYS] : [PROVIDER_KEYS] }
}

function text(base64: string | undefined): string {
  return Buffer.from(base64 ?? '', 'base64').toString('utf8')
}

/** A token may come as password alone. */
function basicAuth(data: Readonly<Record<string, string>>): ClientCredentials {
  const [username, password] = [text(data.username), text(data.password)]
  if (!username && !password) return {}
  return { credentials: { kind: 'basic', username: username || password, password } }
}

function problem(message: string): ClientCredentials {
  return { problem: new TerminalError(message) }
}

function caBundleOf(base64: string | undefined, { caBundle, proxyCaBundle }: GitDefaults): string | undefined {
  const own = base64 ? text(base64) : caBundle
  const all = [own, proxyCaBundle].filter((pem) => pem !== undefined && pem !== '')
  return all.length > 0 ? all.join('\n') : undefined
}

function digest(parts: readonly unknown[]): string {
  return createHash('sha256').update(JSON.stringify(parts)).digest('base64url')
}
