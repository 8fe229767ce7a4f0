import { describe, expect, test } from 'vitest'
import type { Bundle } from '../../../src/api/bundle.ts'
import type { BundleDeployment } from '../../../src/api/bundle-deployment.ts'
import type { GitRepo } from '../../../src/api/git-repo.ts'
import { isReady, render, rows } from './table.ts'

const gitRepo = (status: object) => ({ metadata: { name: 'demo' }, spec: { repo: 'x' }, status }) as unknown as GitRepo
const bundle = (name: string) => ({ metadata: { name, labels: { 'fleet.cattle.io/repo-name': 'demo' } } }) as unknown as Bundle
const deployment = (name: string, state: string, commit = 'c1') =>
  ({
    metadata: {
      name,
      labels: { 'fleet.cattle.io/bundle-name': name, 'fleet.cattle.io/cluster': 'downstream', 'fleet.cattle.io/commit': commit },
    },
    spec: { deploymentID: 'a' },
    status: { appliedDeploymentID: 'a', display: { state } },
  }) as unknown as BundleDeployment

const READ = { commit: 'c1', gitJobStatus: 'Current' }

describe('rows', () => {
  test('say of a GitRepo without bundles what is wrong with it', () => {
    const status = { conditions: [{ type: 'GitPolling', status: 'False', message: 'repository cannot be reached' }] }
    expect(rows({ gitRepos: [gitRepo(status)], bundles: [], deployments: [] })).toEqual([
      { gitRepo: 'demo', bundle: '-', cluster: '-', state: 'repository cannot be reached' },
    ])
  })

  test('are one a deployment, aligned', () => {
    const text = render(
      rows({ gitRepos: [gitRepo(READ)], bundles: [bundle('web'), bundle('a')], deployments: [deployment('web', 'NotReady')] }),
    )
    expect(text).toBe(
      'GITREPO  BUNDLE  CLUSTER     STATE\ndemo     a       -           no target yet\ndemo     web     downstream  NotReady',
    )
  })
})

describe('isReady', () => {
  const world = (state: string, commit?: string) => ({
    gitRepos: [gitRepo(READ)],
    bundles: [bundle('web')],
    deployments: [deployment('web', state, commit)],
  })

  test('when the commit has arrived everywhere', () => {
    expect(isReady(world('Ready'), 'c1', 1)).toBe(true)
  })

  test('not before', () => {
    expect(isReady(world('Ready'), 'c2', 1)).toBe(false)
    expect(isReady(world('Ready', 'c0'), 'c1', 1)).toBe(false)
    expect(isReady(world('NotReady'), 'c1', 1)).toBe(false)
    expect(isReady({ gitRepos: [gitRepo(READ)], bundles: [bundle('web')], deployments: [] }, 'c1', 1)).toBe(false)
    expect(isReady(world('Ready'), 'c1', 2)).toBe(false)
  })
})
