import { describe, expect, test } from 'vitest'
import type { BundleDeploymentSpec } from '../api/bundle-deployment.ts'
import { deploymentValues } from '../api/values-secret.ts'
import { planValues, settledValues } from './deployment-values.ts'
import { type DigestedSecret, hashTexts, type Secret } from './secrets.ts'
import { deployment, target } from './testing/objects.ts'

const options = { helm: { values: { v: 2 } } }
const next = target({ deploymentId: 'new', options, valuesHash: deploymentValues({ options, stagedOptions: options }).hash })
const plain = target({ deploymentId: 'new' })

const secretOf = (values: string, stagedValues: string): Secret => ({
  apiVersion: 'v1',
  kind: 'Secret',
  metadata: { name: 'app' },
  data: { values: Buffer.from(values).toString('base64'), stagedValues: Buffer.from(stagedValues).toString('base64') },
})
const digest = (values: string, stagedValues: string): DigestedSecret => ({ ...secretOf('', ''), digest: hashTexts(values, stagedValues) })
const ids = (deploymentID: string, stagedDeploymentID: string, rest: BundleDeploymentSpec = {}) =>
  deployment({ deploymentID, stagedDeploymentID, ...rest })

async function never(): Promise<undefined> {
  throw new Error('asked without need')
}

describe('nothing has to be done', () => {
  test('while hash, secret and versions agree', () => {
    const valuesHash = hashTexts('{"v":2}', '{"v":2}')
    const before = ids('new', 'new', { valuesHash })
    expect(settledValues({ target: next, before, after: ids('new', 'new'), secret: digest('{"v":2}', '{"v":2}') })).toEqual({
      valuesHash,
      waitingForValues: false,
    })
  })

  test('while a version is held back and its values are there', () => {
    const valuesHash = hashTexts('{"v":1}', '{"v":2}')
    const before = ids('old', 'new', { valuesHash })
    expect(settledValues({ target: next, before, after: ids('old', 'new'), secret: digest('{"v":1}', '{"v":2}') })?.valuesHash).toBe(
      valuesHash,
    )
  })

  test('without values', () => {
    expect(settledValues({ target: plain, before: ids('old', 'old'), after: ids('new', 'new'), secret: undefined })?.valuesHash).toBe('')
  })
})

describe('something has to be done', () => {
  const valuesHash = hashTexts('{"v":2}', '{"v":2}')

  test.each([
    ['a new deployment', undefined, undefined],
    ['a secret that is gone', ids('new', 'new', { valuesHash }), undefined],
    ['a secret that was changed', ids('new', 'new', { valuesHash }), digest('x', 'y')],
    ['a hash that was changed with its secret', ids('new', 'new'), undefined],
    ['an older version', ids('old', 'old', { valuesHash: hashTexts('{"v":1}', '{"v":1}') }), digest('{"v":1}', '{"v":1}')],
    ['one that waits for its values', ids('new', 'new', { waitingForValues: true }), undefined],
  ])('%s gets the values of the target', async (_, before, secret) => {
    const situation = { target: next, before, after: ids('new', 'new'), secret }
    expect(settledValues(situation)).toBeUndefined()
    expect(await planValues(situation, never)).toEqual({
      valuesHash,
      waitingForValues: false,
      write: { values: '{"v":2}', stagedValues: '{"v":2}' },
    })
  })

  test('values that go leave nothing to write', async () => {
    const before = ids('old', 'old', { valuesHash })
    const situation = { target: plain, before, after: ids('new', 'new'), secret: digest('{"v":2}', '{"v":2}') }
    expect(settledValues(situation)).toBeUndefined()
    expect(await planValues(situation, never)).toEqual({ valuesHash: '', waitingForValues: false, write: undefined })
  })

  test('a version that is held back keeps its values, which are read from the secret', async () => {
    const before = ids('old', 'old', { valuesHash: hashTexts('{"v":1}', '{"v":1}') })
    const situation = { target: next, before, after: ids('old', 'new'), secret: digest('{"v":1}', '{"v":1}') }
    expect(settledValues(situation)).toBeUndefined()
    const plan = await planValues(situation, async () => secretOf('{"v":1}', '{"v":1}'))
    expect(plan.write).toEqual({ values: '{"v":1}', stagedValues: '{"v":2}' })
  })

  test('a secret that a run before this one wrote, ending before the deployment, counts', async () => {
    const before = ids('old', 'old', { valuesHash: hashTexts('{"v":1}', '{"v":1}') })
    const situation = { target: next, before, after: ids('old', 'new'), secret: digest('{"v":1}', '{"v":2}') }
    const plan = await planValues(situation, async () => secretOf('{"v":1}', '{"v":2}'))
    expect(plan).toEqual({ valuesHash: hashTexts('{"v":1}', '{"v":2}'), waitingForValues: false, write: undefined })
  })

  test.each([
    ['gone', undefined],
    ['changed', secretOf('x', 'y')],
  ])('a version that is held back waits when its secret is %s', async (_, found) => {
    const before = ids('old', 'new', { valuesHash: hashTexts('{"v":1}', '{"v":2}') })
    const plan = await planValues({ target: next, before, after: ids('old', 'new'), secret: undefined }, async () => found)
    expect(plan).toMatchObject({ waitingForValues: true, write: { values: '', stagedValues: '{"v":2}' } })
    const again = ids('old', 'new', { valuesHash: plan.valuesHash, waitingForValues: true })
    expect(settledValues({ target: next, before: again, after: ids('old', 'new'), secret: digest('', '{"v":2}') })?.waitingForValues).toBe(
      true,
    )
  })

  test('a paused new deployment has only staged values', async () => {
    const plan = await planValues({ target: next, before: undefined, after: ids('', 'new'), secret: undefined }, never)
    expect(plan.write).toEqual({ values: '', stagedValues: '{"v":2}' })
  })
})
