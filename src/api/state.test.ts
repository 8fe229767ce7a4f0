import { expect, test } from 'vitest'
import { checkVectors } from '../testing/vectors.ts'
import { type DeploymentLike, deploymentMessage, deploymentState, isUnavailable, stateRank, targetMessage, targetState } from './state.ts'

interface Input {
  kind: string
  deploymentID: string
  bundleDeployment: DeploymentLike | null
}

checkVectors(
  'bundle-states.json',
  ({ bundleDeployment }: Input) => {
    const deployment = bundleDeployment ?? { spec: {} }
    return { state: deploymentState(deployment), message: deploymentMessage(deployment), unavailable: isUnavailable(deployment) }
  },
  { only: ({ kind }) => kind === 'deployment' },
)

checkVectors(
  'bundle-states.json',
  ({ deploymentID, bundleDeployment }: Input) => ({
    state: targetState(deploymentID, bundleDeployment ?? undefined),
    message: targetMessage(deploymentID, bundleDeployment ?? undefined),
  }),
  { only: ({ kind }) => kind === 'target' },
)

test('a deployment that nobody touched waits', () => {
  expect(deploymentState({ spec: { deploymentID: 'a' } })).toBe('WaitApplied')
  expect(isUnavailable({ spec: { deploymentID: 'a' } })).toBe(true)
})

test('the target compares with its own id everywhere', () => {
  const deployment = {
    spec: { deploymentID: 'a', stagedDeploymentID: 'b' },
    status: { appliedDeploymentID: 'b', ready: true, nonModified: true },
  }
  expect(targetState('b', deployment)).toBe('Ready')
  expect(deploymentState(deployment)).toBe('WaitApplied')
  expect(targetState('a', deployment)).toBe('WaitApplied')
})

test('what is no state has no rank', () => {
  expect(['ErrApplied', 'Ready', 'Odd', 'constructor', undefined].map(stateRank)).toEqual([7, 1, 0, 0, 0])
})
