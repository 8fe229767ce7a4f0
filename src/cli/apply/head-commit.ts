// The commit that is checked out in the working directory, read from the files of git: starting git would cost more than all the rest.
import { readFile, stat } from 'node:fs/promises'
import { dirname, join, resolve } from 'node:path'

const COMMIT = /^[0-9a-f]{40}(?:[0-9a-f]{24})?$/
const MAX_LEVELS = 100

/** The commit of HEAD, or undefined where there is none: no repository, no commit yet, or references in a form that only git reads. */
export async function headCommit(cwd: string): Promise<string | undefined> {
  const folder = await gitFolder(cwd)
  if (folder === undefined) return undefined
  const head = await read(join(folder, 'HEAD'))
  const ref = /^ref: (\S+)$/.exec(head ?? '')?.[1]
  if (ref === undefined) return asCommit(head)
  if (ref.split('/').includes('..')) return undefined
  const shared = await read(join(folder, 'commondir')) // of a worktree
  for (const base of shared ? [folder, resolve(folder, shared)] : [folder]) {
    const commit = asCommit(await read(join(base, ref))) ?? packed(await read(join(base, 'packed-refs')), ref)
    if (commit) return commit
  }
  return undefined
}

async function gitFolder(cwd: string): Promise<string | undefined> {
  let folder = cwd
  for (let level = 0; level < MAX_LEVELS; level++) {
    const candidate = join(folder, '.git')
    const kind = await stat(candidate).catch(() => undefined) // not there: look one level up
    if (kind?.isDirectory()) return candidate
    const elsewhere = kind?.isFile() ? /^gitdir: (.+)$/.exec((await read(candidate)) ?? '')?.[1] : undefined
    if (elsewhere) return resolve(folder, elsewhere)
    if (dirname(folder) === folder) return undefined
    folder = dirname(folder)
  }
  return undefined
}

function packed(refs: string | undefined, ref: string): string | undefined {
  const line = refs?.split('\n').find((candidate) => candidate.endsWith(` ${ref}`))
  return asCommit(line?.split(' ', 1)[0])
}

function asCommit(text: string | undefined): string | undefined {
  return text !== undefined && COMMIT.test(text) ? text : undefined
}

async function read(file: string): Promise<string | undefined> {
  return readFile(file, 'utf8').then(
    (text) => text.trim(),
    () => undefined, // one of several places where it may be
  )
}
