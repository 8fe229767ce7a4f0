// The place a repository comes from, as the git command and the store of large files see it.
import type { Dispatchers } from '../dispatchers.ts'
import type { GitHubAppTokens } from '../github-app.ts'
import type { GitLimits, GitRemote } from '../types.ts'
import { isSshUrl } from '../url.ts'
import { openBridge } from './bridge.ts'
import type { PackBudget } from './budget.ts'
import type { GitCommand } from './find-git.ts'
import { type HttpAccess, openHttpAccess } from './http-access.ts'
import { openSshAccess, type SshAccess } from './ssh-access.ts'

/** What all repositories of one job share. */
export interface Job {
  readonly command: GitCommand
  readonly dispatchers: Dispatchers
  readonly tokens: GitHubAppTokens
  readonly limits: GitLimits
  readonly budget: PackBudget
  /** Longest silence of a server, in milliseconds. */
  readonly idleMs: number
  /** Ends it, also when its time is over. */
  readonly signal: AbortSignal
}

export interface Origin {
  readonly remote: GitRemote
  /** What git takes for the address. */
  readonly gitUrl: string
  readonly protocol: 'http' | 'ssh'
  /** For the environment of git. */
  readonly variables: Readonly<Record<string, string>>
  readonly signal: AbortSignal
  readonly http?: HttpAccess
  readonly ssh?: SshAccess
  close(): Promise<void>
}

/** Opens the way to a repository; `dir` is a private folder. */
export async function openOrigin(job: Job, remote: GitRemote, dir: string): Promise<Origin> {
  const { idleMs, signal, budget } = job
  if (isSshUrl(remote.url)) {
    const ssh = await openSshAccess(remote, { ssh: job.command.ssh, dir, idleMs, signal })
    const limited = ssh.failed ? AbortSignal.any([signal, ssh.failed]) : signal
    return { remote, gitUrl: ssh.url, protocol: 'ssh', variables: ssh.variables, signal: limited, ssh, close: ssh.close }
  }
  const http = await openHttpAccess(remote, job.dispatchers, job.tokens, signal)
  const bridge = await openBridge(http, { idleMs, budget, signal })
  return {
    remote,
    gitUrl: bridge.url,
    protocol: 'http',
    variables: {},
    signal: AbortSignal.any([signal, bridge.failed]),
    http,
    close: bridge.close,
  }
}
