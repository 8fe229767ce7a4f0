import { describe, expect, test } from 'vitest'
import type { GitRepo, GitRepoSpec, GitRepoStatus } from '../api/git-repo.ts'
import { FLEET_API_VERSION } from '../api/kinds.ts'
import { type Attempt, type DecisionInput, decide, inputsOf } from './decide.ts'

const NOW = 1_000_000
const done: GitRepoStatus = { commit: 'c1', pollingCommit: 'c1', gitJobStatus: 'Current', observedGeneration: 1 }
function repo(status: GitRepoStatus | undefined = done, spec: Partial<GitRepoSpec> = {}, generation = 1): GitRepo {
  return {
    apiVersion: FLEET_API_VERSION,
    kind: 'GitRepo',
    metadata: { name: 'repo', namespace: 'ws', generation },
    spec: { repo: 'https://git.example/a', ...spec },
    ...(status ? { status } : {}),
  }
}
const at = (commit: string) => ({ at: NOW, commit })
const ids = { secrets: 's', remoteId: 'r' }
const decideFor = (input: Partial<DecisionInput>, now = NOW) =>
  decide({ gitRepo: repo(), poll: at('c1'), attempt: undefined, secretsChanged: false, ...ids, ...input }, now)
function attempt(gitRepo: GitRepo, commit: string, failure?: Partial<Attempt['failure']>): Attempt {
  const inputs = inputsOf(gitRepo, commit, ids)
  return failure ? { ...inputs, failure: { kind: 'failed', message: 'broken', reason: 'Error', count: 1, ...failure } } : inputs
}

describe('a repository is read', () => {
  test.each<[string, Partial<DecisionInput>, string]>([
    ['for the first time', { gitRepo: repo({}) }, 'commit'],
    ['when there is a new commit', { poll: at('c2') }, 'commit'],
    ['when an older commit is back', { gitRepo: repo({ ...done, commit: 'c2' }) }, 'commit'],
    ['when the spec has changed', { gitRepo: repo(done, {}, 2) }, 'spec'],
    ['when it is forced', { gitRepo: repo(done, { forceSyncGeneration: 1 }) }, 'force-sync'],
    ['when it is no longer forced', { gitRepo: repo({ ...done, updateGeneration: 3 }) }, 'force-sync'],
    ['when a secret for charts has changed', { secretsChanged: true }, 'secrets'],
    ['when the process before did not finish', { gitRepo: repo({ ...done, gitJobStatus: 'InProgress' }) }, 'unfinished'],
    ['when it failed in the process before', { gitRepo: repo({ ...done, gitJobStatus: 'Failed', pollingCommit: 'c1' }) }, 'unfinished'],
  ])('%s', (_when, input, because) => {
    expect(decideFor(input)).toEqual({ kind: 'read', commit: input.poll?.commit ?? 'c1', because })
  })

  test('again when what failed may be mended: by a commit, the spec, a secret, credentials', () => {
    const failed = attempt(repo(), 'c1', {})
    const broken = repo({ ...done, gitJobStatus: 'Failed' })
    expect(decideFor({ gitRepo: broken, attempt: failed })).toEqual({ kind: 'rest' })
    expect(decideFor({ gitRepo: broken, attempt: failed, poll: at('c2') })).toMatchObject({ kind: 'read', commit: 'c2' })
    expect(decideFor({ gitRepo: repo(broken.status, {}, 2), attempt: failed })).toMatchObject({ kind: 'read' })
    expect(decideFor({ gitRepo: repo(broken.status, { forceSyncGeneration: 1 }), attempt: failed })).toMatchObject({ kind: 'read' })
    expect(decideFor({ gitRepo: broken, attempt: failed, secrets: 'other' })).toMatchObject({ kind: 'read' })
    expect(decideFor({ gitRepo: broken, attempt: failed, remoteId: 'other' })).toMatchObject({ kind: 'read' })
  })

  test('again after a while when the error may pass', () => {
    const failed = attempt(repo(), 'c1', { retryAt: NOW + 5_000 })
    const broken = repo({ ...done, gitJobStatus: 'Failed' })
    expect(decideFor({ gitRepo: broken, attempt: failed })).toEqual({ kind: 'rest' })
    expect(decideFor({ gitRepo: broken, attempt: failed }, NOW + 5_000)).toEqual({ kind: 'read', commit: 'c1', because: 'retry' })
  })
})

describe('a repository is not read', () => {
  test('when nothing has changed, after a restart too', () => {
    expect(decideFor({})).toEqual({ kind: 'rest' })
    expect(decideFor({ poll: undefined })).toEqual({ kind: 'rest' })
    expect(decideFor({ gitRepo: repo({ ...done, updateGeneration: 3 }, { forceSyncGeneration: 3 }) })).toEqual({ kind: 'rest' })
  })

  test('when the server does not answer', () => {
    expect(decideFor({ poll: { at: NOW } })).toEqual({ kind: 'rest' })
  })

  test('when only the git credentials have changed', () => {
    expect(decideFor({ attempt: attempt(repo(), 'c1'), remoteId: 'other' })).toEqual({ kind: 'rest' })
  })

  test('when that was done and only the status does not say so yet', () => {
    const forced = repo(done, { forceSyncGeneration: 1 }, 2)
    expect(decideFor({ gitRepo: forced, attempt: attempt(forced, 'c1') })).toEqual({ kind: 'rest' })
  })
})

test('the server is asked when there is something to read and the commit is not known', () => {
  for (const gitRepo of [repo({}), repo(done, {}, 2), repo({ ...done, gitJobStatus: 'Failed' })])
    expect(decideFor({ gitRepo, poll: undefined })).toEqual({ kind: 'ask' })
})
