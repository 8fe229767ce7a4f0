import { expect, test } from 'vitest'
import { deploymentDisplay } from './bundle-deployment-display.ts'
import { deployment, READY } from './objects.testing.ts'

const condition = (type: string, status: string, reason?: string, message?: string) => ({ type, status, reason, message })

test('nothing reported yet', () => {
  expect(deploymentDisplay(deployment('one', 'app'))).toEqual({ state: 'WaitApplied' })
})

test('conditions show their status', () => {
  const conditions = [condition('Deployed', 'True'), condition('Monitored', 'Unknown'), condition('Ready', 'True')]
  expect(deploymentDisplay(deployment('one', 'app', { ...READY, conditions }))).toEqual({
    deployed: 'True',
    monitored: 'Unknown',
    state: 'Ready',
  })
})

test('an error shows its message', () => {
  const conditions = [condition('Deployed', 'False', 'Error', 'no such chart'), condition('Monitored', 'False', 'Other', 'not shown')]
  expect(deploymentDisplay(deployment('one', 'app', { appliedDeploymentID: 'old', conditions }))).toEqual({
    deployed: 'Error: no such chart',
    monitored: 'False',
    state: 'ErrApplied',
  })
})
