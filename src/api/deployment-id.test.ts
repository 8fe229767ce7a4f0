import { expect, test } from 'vitest'
import { checkVectors } from '../testing/vectors.ts'
import type { BundleSpec } from './bundle.ts'
import type { BundleDeploymentSpec } from './bundle-deployment.ts'
import { type BundleDeploymentOptions, optionsFields } from './bundle-deployment-options.ts'
import { deploymentHashInput, deploymentId } from './deployment-id.ts'
import { bundleValues, deploymentValues } from './values-secret.ts'

type Input =
  | { kind: 'deployment-id'; manifestID: string; options: BundleDeploymentOptions }
  | { kind: 'values-secret'; spec: BundleSpec }
  | { kind: 'options-secret'; spec: BundleDeploymentSpec }

checkVectors('deployment-id.json', (input: Input): unknown => {
  if (input.kind === 'values-secret') return bundleValues(input.spec)
  if (input.kind === 'options-secret') return deploymentValues(input.spec)
  return { id: deploymentId(input.manifestID, input.options), hashed: deploymentHashInput(input.options) }
})

test('every option but those about drift changes the id', () => {
  for (const [name, { type }] of Object.entries(optionsFields as Record<string, { type?: string }>)) {
    const sample = type === 'boolean' ? true : type === 'integer' ? 1 : type === 'array' ? [{}] : type === 'object' ? { k: 'v' } : 'x'
    const changed = deploymentId('', { [name]: sample }) !== deploymentId('', {})
    expect([name, changed]).toEqual([name, name !== 'diff' && name !== 'correctDrift'])
  }
})

test('what no API server would let through is refused', () => {
  expect(() => deploymentId('s-1', { namespace: 5 } as never)).toThrow('expected a text')
  expect(() => deploymentId('s-1', { helm: { maxHistory: 1.5 } })).toThrow('a whole number')
})
