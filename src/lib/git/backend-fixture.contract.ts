// What the tests of the backend contract share: servers, a backend, and short ways to ask it.
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect } from 'vitest'
import { type GitServer, type ServedRepository, startGitServer } from '../../testing/git-server.ts'
import { describedFetch } from './checkout.testing.ts'
import type { CommitFiles } from './commit-files.ts'
import { DEFAULT_GIT_LIMITS, type GitBackend, type GitLimits, type GitRef, type GitRemote } from './types.ts'

/** Makes the backend under test. */
export type CreateBackend = () => { backend: GitBackend; close(): Promise<void> }

/** User of the guarded server. */
export const USER = { username: 'reader', password: 'correct horse' }

export interface ContractFixture {
  backend(): GitBackend
  servers(): { open: GitServer; guarded: GitServer; encrypted: GitServer }
  unique(prefix: string): string
  /** A signal that is never aborted. */
  never(): AbortSignal
  /** A new repository on the open server. */
  repository(files?: Parameters<GitServer['repository']>[1], options?: Parameters<GitServer['repository']>[2]): Promise<ServedRepository>
  resolve(remote: GitRemote, ref: GitRef, signal?: AbortSignal): Promise<string>
  /** Fetches into a new folder and returns it; what is told of it is checked. */
  fetch(remote: GitRemote, commit: string, options?: FetchCall): Promise<string>
  /** What is told of a commit when it is fetched. */
  describe(remote: GitRemote, commit: string): Promise<CommitFiles>
  read(root: string, path: string): Promise<string>
  list(root: string): Promise<string[]>
  /** Matches a GitError. */
  failsWith(kind: string, message: RegExp): unknown
  /** Checks that nothing is left of a fetch that failed. */
  leavesNothing(act: () => Promise<unknown>): Promise<void>
}

interface FetchCall {
  paths?: readonly string[]
  limits?: Partial<GitLimits>
  signal?: AbortSignal
}

/** How the repositories of the open server are reached: by another way than its http address. */
export interface OtherWay {
  open(): Promise<void>
  remote(repository: ServedRepository): GitRemote
  close(): Promise<void>
}

/** To be called inside a `describe`. */
export function useContractFixture(create: CreateBackend, way?: OtherWay): ContractFixture {
  let made: ReturnType<CreateBackend>
  let servers: ReturnType<ContractFixture['servers']>
  let dir: string
  let serial = 0

  beforeAll(async () => {
    made = create()
    dir = await mkdtemp(join(tmpdir(), 'git-contract-'))
    const [open, guarded, encrypted] = await Promise.all([startGitServer(), startGitServer({ auth: USER }), startGitServer({ tls: true })])
    servers = { open, guarded, encrypted }
    await way?.open()
  })
  afterAll(async () => {
    await made.close()
    await way?.close()
    await Promise.all(Object.values(servers).map((server) => server.stop()))
    await rm(dir, { recursive: true, force: true })
  })

  const unique = (prefix: string): string => `${prefix}-${serial++}`
  const never = (): AbortSignal => new AbortController().signal

  async function fetchDescribed(remote: GitRemote, commit: string, { paths, limits, signal = never() }: FetchCall = {}) {
    const into = join(dir, unique('tree'))
    const { onWritten, check } = describedFetch()
    await made.backend.fetch(remote, commit, into, { paths, limits: { ...DEFAULT_GIT_LIMITS, ...limits }, onWritten }, signal)
    return { into, files: await check(into) }
  }

  return {
    unique,
    never,
    backend: () => made.backend,
    servers: () => servers,
    async repository(files, options) {
      const repository = await servers.open.repository(unique('repo'), files, options)
      return { ...repository, ...way?.remote(repository) }
    },
    resolve: (remote, ref, signal = never()) => made.backend.resolve(remote, ref, signal),
    fetch: async (remote, commit, options) => (await fetchDescribed(remote, commit, options)).into,
    describe: async (remote, commit) => (await fetchDescribed(remote, commit)).files,
    read: (root, path) => readFile(join(root, path), 'utf8'),
    list: async (root) => (await readdir(root, { recursive: true })).sort(),
    failsWith: (kind, message) => expect.objectContaining({ name: 'GitError', kind, message: expect.stringMatching(message) }),
    async leavesNothing(act) {
      const before = await readdir(dir)
      await act()
      expect(await readdir(dir)).toEqual(before)
    },
  }
}
