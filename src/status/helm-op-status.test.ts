import { expect, test } from 'vitest'
import type { Bundle } from '../api/bundle.ts'
import type { BundleDeployment } from '../api/bundle-deployment.ts'
import type { HelmOp } from '../api/helm-op.ts'
import { HELM_OP } from '../api/kinds.ts'
import { foldHelmOp } from './helm-op-status.ts'
import { bundle, deployment, NOW, READY } from './objects.testing.ts'

const helmOp: HelmOp = { ...HELM_OP, metadata: { name: 'app', namespace: 'ws' }, spec: {} }
const readyOf = (bundles: readonly Bundle[], deployments: readonly BundleDeployment[]) =>
  foldHelmOp(helmOp, bundles, deployments, NOW).conditions?.[0]

test('Ready counts the deployments and names the bundle, whatever the bundle says of its clusters', () => {
  const waiting = bundle('app', 'WaitApplied(2) [Cluster ws/one]')
  const deployments = [deployment('one', 'app'), deployment('two', 'app', { ...READY, ready: false })]
  expect(readyOf([waiting], deployments)).toMatchObject({
    status: 'False',
    message: 'NotReady(1) [Bundle app]; WaitApplied(1) [Bundle app]',
  })
})

test('an error of the bundle comes first', () => {
  const failing = bundle('app', 'targeting error: cluster one', 'Error')
  for (const deployments of [[], [deployment('one', 'app')], [deployment('one', 'app', READY)]])
    expect(readyOf([failing], deployments)).toMatchObject({ status: 'False', reason: 'Error', message: 'targeting error: cluster one' })
})

test('deployments that are yet to be made are told of by the bundle', () => {
  const pending = bundle('app', 'Pending(1) [Cluster ws/two]')
  for (const deployments of [[], [deployment('one', 'app', READY)]])
    expect(readyOf([pending], deployments)).toMatchObject({ status: 'False', message: 'Pending(1) [Cluster ws/two]' })
})

test('ready clusters are left out when there are none', () => {
  expect(foldHelmOp(helmOp, [], [deployment('one', 'app')], NOW)).toMatchObject({ readyClusters: undefined, desiredReadyClusters: 1 })
  expect(foldHelmOp(helmOp, [], [deployment('one', 'app', READY)], NOW)).toMatchObject({ readyClusters: 1, desiredReadyClusters: 1 })
})
