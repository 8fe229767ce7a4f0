// What is to be dumped, out of the flags; and which flags do not go together.
import { UsageError } from '../exit.ts'

/** How much of a kind of objects goes into the archive. */
export type Share = 'none' | 'metadata' | 'all'

export interface DumpOptions {
  readonly path: string
  /** Undefined: all workspaces. */
  readonly namespace: string | undefined
  /** Only what belongs to this. */
  readonly only: { readonly kind: 'gitrepo' | 'bundle' | 'helmop'; readonly name: string } | undefined
  readonly secrets: Share
  readonly contents: Share
  /** Most objects of one answer; 0 means all at once. */
  readonly fetchLimit: number
}

interface Flags {
  readonly 'dump-path': string | undefined
  /** Given on the command line. */
  readonly namespace: string | undefined
  /** Used when none is given. */
  readonly 'default-namespace': string
  readonly 'all-namespaces': boolean
  readonly gitrepo: string | undefined
  readonly bundle: string | undefined
  readonly helmop: string | undefined
  readonly 'with-secrets': boolean
  readonly 'with-secrets-metadata': boolean
  readonly 'with-content': boolean
  readonly 'with-content-metadata': boolean
  readonly 'fetch-limit': number
}

const FILTERS = ['gitrepo', 'bundle', 'helmop'] as const

/** Throws UsageError that names the flags which exclude each other, or the one that is missing. */
export function dumpOptions(flags: Flags): DumpOptions {
  const given = FILTERS.filter((kind) => flags[kind])
  const [kind, other] = given
  if (flags['with-secrets'] && flags['with-secrets-metadata']) throw exclusive('--with-secrets', '--with-secrets-metadata')
  if (flags['with-content'] && flags['with-content-metadata']) throw exclusive('--with-content', '--with-content-metadata')
  if (flags['all-namespaces'] && flags.namespace) throw exclusive('--namespace', '--all-namespaces')
  if (kind && other) throw exclusive(`--${kind}`, `--${other}`)
  if (kind && !flags.namespace) throw new UsageError(`--${kind} needs --namespace: say where ${flags[kind]} is`)
  if (!flags['dump-path']) throw new UsageError('no destination for the dump: name a file with --dump-path')
  return {
    path: flags['dump-path'],
    namespace: flags['all-namespaces'] ? undefined : (flags.namespace ?? flags['default-namespace']),
    only: kind && { kind, name: flags[kind] ?? '' },
    secrets: share(flags['with-secrets'], flags['with-secrets-metadata']),
    contents: share(flags['with-content'], flags['with-content-metadata']),
    fetchLimit: flags['fetch-limit'],
  }
}

function share(all: boolean, metadata: boolean): Share {
  if (all) return 'all'
  return metadata ? 'metadata' : 'none'
}

function exclusive(one: string, other: string): UsageError {
  return new UsageError(`${one} and ${other} exclude each other: give one of them`)
}
