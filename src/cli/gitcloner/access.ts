// From flags to a repository, how to reach it, and what to take from it (spec 8.2, 8.3).
import { PROVIDER_KEYS } from '../../lib/git/known-hosts-providers.ts'
import type { GitCredentials, GitRef, HostKeys } from '../../lib/git/types.ts'
import { isSshUrl, redactUrl } from '../../lib/git/url.ts'
import { UsageError } from '../exit.ts'

/** What says who we are; files were read. */
export interface AccessFlags {
  readonly username: string | undefined
  /** Content of the password file. */
  readonly password: string | undefined
  /** Content of the key file. */
  readonly sshPrivateKey: string | undefined
  readonly githubApp: {
    readonly id: string | undefined
    readonly installationId: string | undefined
    readonly privateKey: string | undefined
  }
}

const DEFAULT_BRANCH = 'master'

/** The revision, which may be a full name (`refs/tags/v1`), wins over the branch (spec 12, 8.2); without both it is the branch master. */
export function refOf({ branch, revision }: { branch: string | undefined; revision: string | undefined }): GitRef {
  if (!revision) return { branch: branch || DEFAULT_BRANCH }
  const [, kind, name = ''] = /^refs\/(heads|tags)\/(.+)$/.exec(revision) ?? []
  if (!kind) return { revision }
  return kind === 'tags' ? { tag: name } : { branch: name }
}

/** Credentials for a repository; undefined for none. Throws UsageError for what is incomplete, or does not fit its address. */
export function credentialsOf(repo: string, flags: AccessFlags): GitCredentials | undefined {
  const { username, sshPrivateKey } = flags
  if (isSshUrl(repo)) {
    if (sshPrivateKey === undefined)
      throw new UsageError(`SSH private key file is required for ${redactUrl(repo)}: give --ssh-private-key-file, or use its https address`)
    return { kind: 'ssh', privateKey: sshPrivateKey }
  }
  if (sshPrivateKey !== undefined)
    throw new UsageError(`--ssh-private-key-file is of no use for ${redactUrl(repo)}: it is not an ssh address`)
  const app = githubAppOf(flags.githubApp)
  if (app) return app
  const password = flags.password?.replace(/\r?\n$/, '')
  if (!password) return undefined
  // a token may come without a name
  return { kind: 'basic', username: username || password, password }
}

/** The given known hosts, whose name is for messages, and the keys of hosting services (spec 8.3). */
export function hostKeysOf(given: { name: string; text: string | undefined }, isSkipped: boolean): HostKeys {
  if (isSkipped) return 'unchecked'
  const { name, text = '' } = given
  return { known: text.trim() === '' ? [PROVIDER_KEYS] : [{ name, text }, PROVIDER_KEYS] }
}

function githubAppOf({ id, installationId, privateKey }: AccessFlags['githubApp']): GitCredentials | undefined {
  if (id && installationId && privateKey) return { kind: 'github-app', appId: id.trim(), installationId: installationId.trim(), privateKey }
  if (id || installationId || privateKey)
    throw new UsageError('--github-app-id, --github-app-installation-id and --github-app-key-file are only of use together')
  return undefined
}
