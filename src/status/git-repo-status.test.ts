import { expect, test } from 'vitest'
import type { GitRepo, GitRepoStatus } from '../api/git-repo.ts'
import { GIT_REPO } from '../api/kinds.ts'
import { foldGitRepo } from './git-repo-status.ts'
import { bundle, deployment, NOW, READY } from './objects.testing.ts'

function gitRepo(status: GitRepoStatus = { gitJobStatus: 'Current' }): GitRepo {
  return { ...GIT_REPO, metadata: { name: 'repo', namespace: 'ws' }, spec: { repo: 'https://git.example.com/repo' }, status }
}

const failed = { appliedDeploymentID: 'old', conditions: [{ type: 'Deployed', status: 'False', message: 'release went wrong' }] }

test('counts deployments and the clusters where all of them are ready', () => {
  const deployments = [deployment('one', 'a', READY), deployment('one', 'b', READY), deployment('two', 'a', READY), deployment('two', 'b')]
  const status = foldGitRepo(gitRepo(), [], deployments, NOW)
  expect(status).toMatchObject({ readyClusters: 1, desiredReadyClusters: 2, summary: { ready: 3, desiredReady: 4, waitApplied: 1 } })
  expect(status.display).toEqual({ readyBundleDeployments: '3/4', state: 'WaitApplied' })
  expect(status.conditions).toMatchObject([{ type: 'Ready', status: 'False', message: 'WaitApplied(1) [Bundle b]' }])
})

test('the display has the message of the first deployment in the worst state', () => {
  const deployments = [
    deployment('b', 'x', { ...failed, conditions: [{ type: 'Deployed', status: 'False', message: 'second' }] }),
    deployment('a', 'x', failed),
    deployment('c', 'x'),
  ]
  expect(foldGitRepo(gitRepo(), [], deployments, NOW).display).toEqual({
    readyBundleDeployments: '0/3',
    state: 'ErrApplied',
    message: 'release went wrong',
    error: true,
  })
})

test('no deployments: ready, with nothing to do', () => {
  const status = foldGitRepo(gitRepo(), [bundle('a')], [], NOW)
  expect(status).toMatchObject({
    readyClusters: 0,
    desiredReadyClusters: 0,
    summary: { ready: 0, desiredReady: 0 },
    display: { readyBundleDeployments: '0/0' },
  })
  expect(status.conditions).toMatchObject([{ type: 'Ready', status: 'True' }])
})

test('a bundle that is not ready speaks for the GitRepo, the first one by uid', () => {
  const status = foldGitRepo(
    gitRepo(),
    [bundle('b', 'later'), bundle('a', 'targeting error', 'Error'), bundle('0')],
    [deployment('one', 'a', READY)],
    NOW,
  )
  expect(status.conditions).toMatchObject([{ type: 'Ready', status: 'False', reason: 'Error', message: 'targeting error' }])
})

test('until the newest commit is read the state is GitUpdating, message and numbers stay', () => {
  for (const status of [{}, { gitJobStatus: 'InProgress' }, { gitJobStatus: 'Failed' }]) {
    expect(foldGitRepo(gitRepo(status), [], [deployment('one', 'a', failed)], NOW).display).toEqual({
      readyBundleDeployments: '0/1',
      state: 'GitUpdating',
      message: 'release went wrong',
      error: true,
    })
  }
})

test('conditions of others stay, and nothing changes the second time', () => {
  const accepted = { type: 'Accepted', status: 'True' }
  const deployments = [deployment('one', 'a', READY), deployment('two', 'a')]
  const first = foldGitRepo(gitRepo({ conditions: [accepted] }), [], deployments, NOW)
  expect(first.conditions?.map(({ type }) => type)).toEqual(['Accepted', 'Ready'])
  expect(foldGitRepo(gitRepo(first), [], deployments.toReversed(), NOW + 60_000)).toEqual(first)
})
