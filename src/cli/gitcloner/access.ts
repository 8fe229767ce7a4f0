// From flags to a repository, how to reach it, and what to take from it (spec 8.2, 8.3).
import { TerminalError } from '../../lib/controller/errors.ts'
import type { GitCredentials, GitRef } from '../../lib/git/types.ts'
import { isSshUrl, redactUrl } from '../../lib/git/url.ts'
import { UsageError } from '../exit.ts'

/** What says who we are; files were read. */
export interface AccessFlags {
  readonly username: string | undefined
  /** Content of the password file. */
  readonly password: string | undefined
  readonly sshPrivateKeyFile: string | undefined
  readonly githubApp: { readonly id: string | undefined; readonly installationId: string | undefined; readonly keyFile: string | undefined }
}

const DEFAULT_BRANCH = 'master'

/** The revision wins over the branch (spec 12, 8.2); without both it is the branch master. */
export function refOf({ branch, revision }: { branch: string | undefined; revision: string | undefined }): GitRef {
  return revision ? { revision } : { branch: branch || DEFAULT_BRANCH }
}

/** Credentials for an http(s) repository; undefined for none. Throws for what is incomplete, or not supported. */
export function credentialsOf(repo: string, flags: AccessFlags): GitCredentials | undefined {
  const { username, sshPrivateKeyFile } = flags
  if (isSshUrl(repo)) throw sshError(repo, sshPrivateKeyFile)
  if (sshPrivateKeyFile) throw new UsageError(`--ssh-private-key-file is of no use for ${redactUrl(repo)}: it is not an ssh address`)
  checkGithubApp(flags.githubApp)
  const password = flags.password?.replace(/\r?\n$/, '')
  if (!password) return undefined
  // a token may come without a name
  return { kind: 'basic', username: username || password, password }
}

function sshError(repo: string, keyFile: string | undefined): Error {
  if (!keyFile)
    return new UsageError(`SSH private key file is required for ${redactUrl(repo)}: give --ssh-private-key-file, or use its https address`)
  return new TerminalError(`${redactUrl(repo)} cannot be cloned with an SSH private key, ssh is not supported yet: use its https address`)
}

function checkGithubApp({ id, installationId, keyFile }: AccessFlags['githubApp']): void {
  const given = [id, installationId, keyFile].filter(Boolean)
  if (given.length === 0) return
  if (given.length < 3)
    throw new UsageError('--github-app-id, --github-app-installation-id and --github-app-key-file are only of use together')
  throw new TerminalError('GitHub Apps are not supported yet: give a token with --username and --password-file')
}
