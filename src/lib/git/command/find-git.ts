// Which git there is, if it is one that can be used.
import { exec } from '../../exec/exec.ts'
import { locate } from '../../exec/locate.ts'

/** Programs by their paths. */
export interface GitCommand {
  readonly git: string
  /** OpenSSH's client; undefined if there is none, then only http(s) repositories can be read. */
  readonly ssh: string | undefined
  /** Such as `2.39.5`. */
  readonly version: string
}

/** Or why there is none, as the end of a sentence. */
export type FoundGit = GitCommand | { readonly problem: string }

const OLDEST = [2, 39] as const
const TIMEOUT_MS = 10_000

/** Looks for git in the folders of `searchPath` (the value of PATH) and asks for its version. Never throws. */
export async function findGitCommand(searchPath: string): Promise<FoundGit> {
  const [git, ssh] = await Promise.all(['git', 'ssh'].map((name) => locate(name, searchPath)))
  if (!git?.includes('/')) return { problem: 'there is no git on the PATH' }
  try {
    const { stdout } = await exec(git, ['--version'], { env: {}, timeoutMs: TIMEOUT_MS, maxOutputBytes: 4_096 })
    const [version, major, minor] = /(\d+)\.(\d+)[.\d]*/.exec(stdout) ?? []
    if (!version) return { problem: 'the git on the PATH does not tell its version' }
    if (!isNewEnough(Number(major), Number(minor))) return { problem: `git ${version} is older than ${OLDEST.join('.')}` }
    return { git, ssh: ssh?.includes('/') ? ssh : undefined, version }
  } catch {
    return { problem: 'the git on the PATH cannot be started' } // why it cannot, whoever installed it finds out by starting it
  }
}

function isNewEnough(major: number, minor: number): boolean {
  return major > OLDEST[0] || (major === OLDEST[0] && minor >= OLDEST[1])
}
