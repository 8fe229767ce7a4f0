import { beforeEach, describe, expect, test } from 'vitest'
import type { GitRepo } from '../api/git-repo.ts'
import { GIT_REPO } from '../api/kinds.ts'
import { silentLogger } from '../lib/controller/log.ts'
import { openCommitFiles } from '../lib/git/commit-files.ts'
import { describeWritten } from '../lib/git/written-files.ts'
import { createFakeClock } from '../testing/fake-clock.ts'
import type { Attempt } from './decide.ts'
import { createReadRecords, type ReadRecords } from './read-records.ts'
import { readCommit } from './reading.ts'

const GIT_REPO_1: GitRepo = {
  ...GIT_REPO,
  metadata: { name: 'r', namespace: 'ns', uid: 'u', generation: 1, labels: { a: 'b' } },
  spec: { repo: 'https://git.example/a' },
}
const ACCESS = { remote: { url: 'https://git.example/a' }, remoteId: 'r', ref: { branch: 'main' }, pollId: 'p' }

let calls: string[]
let records: ReadRecords
let left: string | undefined
let advanced: 'yes' | 'no' | 'fails'
let publishFails: boolean
/** Commit → content of the file that is read. */
let commits: Record<string, string>
/** Another file, that nobody reads. */
let describes: boolean

beforeEach(() => {
  calls = []
  records = createReadRecords()
  left = 'left'
  advanced = 'yes'
  publishFails = false
  commits = {}
  describes = true
})

const filesOf = (commit: string) =>
  openCommitFiles(describeWritten({ folders: [], files: [file('own', commits[commit] ?? 'same'), file('other', commit)] }, new Map()))
const file = (path: string, oid: string) => ({ path, oid, kind: 'file' }) as const

async function read(commit: string, change: Partial<Attempt> & { gitRepo?: GitRepo; isOnlyCommit?: boolean } = {}) {
  const { gitRepo = GIT_REPO_1, isOnlyCommit = true, ...inputs } = change
  const attempt: Attempt = { commit, generation: 1, forceSync: 0, secrets: 's', remoteId: 'r', ...inputs }
  const files = describes ? filesOf(commit) : undefined
  const outcome = await readCommit(
    {
      checkouts: { acquire: async () => ({ root: '/checkout', files, release() {} }) },
      publisher: {
        async publish(_repo, snapshot) {
          calls.push(`publish ${snapshot.commit}`)
          if (publishFails) throw new Error('no way')
          snapshot.trace?.content('own', '.')
          return { bundles: 1, left }
        },
        async advance(_repo, to) {
          calls.push(`advance ${to.commit} ${to.left}`)
          if (advanced === 'fails') throw new Error('no way')
          return advanced === 'yes' ? { bundles: 1, left: to.left } : undefined
        },
      },
      records,
      clock: createFakeClock(),
      random: () => 0,
      log: silentLogger,
    },
    gitRepo,
    ACCESS,
    { inputs: attempt, isOnlyCommit },
    undefined,
    new AbortController().signal,
  )
  return { ...outcome, calls: calls.splice(0) }
}

describe('a commit', () => {
  test('that changes nothing for the GitRepo is not read, and neither is the next', async () => {
    expect((await read('c1')).calls).toEqual(['publish c1'])
    const second = await read('c2')
    expect(second.calls).toEqual(['advance c2 left'])
    expect(second).toMatchObject({ isUnchanged: true, attempt: { commit: 'c2' } })
    expect(second.attempt.failure).toBeUndefined()
    expect((await read('c3')).calls).toEqual(['advance c3 left'])
  })

  test('that changes a file that was read is read', async () => {
    await read('c1')
    commits.c2 = 'changed'
    expect(await read('c2')).toMatchObject({ calls: ['publish c2'], isUnchanged: false })
    expect((await read('c3')).calls).toEqual(['publish c3']) // back again
  })

  test.each<[string, Parameters<typeof read>[1]]>([
    ['the spec', { generation: 2 }],
    ['forceSyncGeneration', { forceSync: 1 }],
    ['a secret for charts', { secrets: 't' }],
    ['the way to the repository', { remoteId: 'q' }],
    ['a label', { gitRepo: { ...GIT_REPO_1, metadata: { ...GIT_REPO_1.metadata, labels: { a: 'c' } } } }],
    ['the GitRepo, which was made anew,', { gitRepo: { ...GIT_REPO_1, metadata: { ...GIT_REPO_1.metadata, uid: 'v' } } }],
    ['something that is a reason of its own', { isOnlyCommit: false }],
  ])('is read when %s has changed too', async (_, change) => {
    await read('c1')
    expect((await read('c2', change)).calls).toEqual(['publish c2'])
  })

  test('is read when the state is no longer as it was left', async () => {
    await read('c1')
    advanced = 'no'
    expect((await read('c2')).calls).toEqual(['advance c2 left', 'publish c2'])
    advanced = 'yes'
    expect((await read('c3')).calls).toEqual(['advance c3 left'])
  })

  test('is read after one that could not be published', async () => {
    await read('c1')
    commits.c2 = 'changed'
    publishFails = true
    expect((await read('c2')).attempt.failure?.message).toBe('no way')
    publishFails = false
    expect((await read('c3')).calls).toEqual(['publish c3'])
  })

  test('is read after its label could not be written', async () => {
    await read('c1')
    advanced = 'fails'
    expect(await read('c2')).toMatchObject({ isUnchanged: false, attempt: { failure: { message: 'no way' } } })
    expect((await read('c2', { isOnlyCommit: false })).calls).toEqual(['publish c2'])
  })

  test('is read when the one before left something that cannot be told in short, or was not described', async () => {
    left = undefined
    await read('c1')
    left = 'left'
    describes = false
    expect((await read('c2')).calls).toEqual(['publish c2'])
    describes = true
    expect((await read('c3')).calls).toEqual(['publish c3'])
    describes = false
    expect((await read('c4')).calls).toEqual(['publish c4'])
  })
})
