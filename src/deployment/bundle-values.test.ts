import { expect, test } from 'vitest'
import type { BundleSpec } from '../api/bundle.ts'
import { bundleValues } from '../api/values-secret.ts'
import { TerminalError, WaitingError } from '../lib/controller/errors.ts'
import type { KubeClient } from '../lib/kube/client.ts'
import { withValues } from './bundle-values.ts'
import { bundleSecrets, type Secret } from './secrets.ts'
import { bundle, fakeInformer } from './testing/objects.ts'

function secretOf(texts: Record<string, string>): Secret {
  const data = Object.fromEntries(Object.entries(texts).map(([key, text]) => [key, Buffer.from(text).toString('base64')]))
  return { apiVersion: 'v1', kind: 'Secret', metadata: { name: 'app', namespace: 'ws' }, data }
}

/** The bundle with the values of a secret; `live` is what the API server has by then. */
async function filled(spec: BundleSpec, cached: Secret | undefined, live = cached) {
  const client = { get: () => Promise.resolve(live) } as unknown as KubeClient
  const informer = fakeInformer(cached ? [bundleSecrets.project?.(cached) ?? cached] : [])
  return (await withValues(bundle(spec), informer, client)).spec
}

const { hash, data } = bundleValues({ helm: { values: { a: 1 } }, targets: [{ name: 'one', helm: { values: { b: '<' } } }] })

test('values go where their keys say', async () => {
  const spec = { valuesHash: hash, targets: [{ name: 'one' }, { name: 'two', helm: { chart: 'c' } }, {}] }
  expect(await filled(spec, secretOf(data))).toEqual({
    valuesHash: hash,
    helm: { values: { a: 1 } },
    targets: [{ name: 'one', helm: { values: { b: '<' } } }, { name: 'two', helm: { chart: 'c' } }, {}],
  })
})

test('without a hash nothing is looked for', async () => {
  expect(await filled({ helm: {} }, undefined)).toEqual({ helm: {} })
})

test('an entry without text holds no values', async () => {
  const empty = secretOf({ 'values.yaml': '', one: '' })
  const spec = { valuesHash: bundleSecrets.project?.(empty).digest, helm: { chart: 'c' }, targets: [{ name: 'one' }] }
  expect(await filled(spec, empty)).toEqual(spec)
})

test.each([
  ['missing', undefined, undefined],
  ['another one', secretOf({ 'values.yaml': '{}' }), undefined],
  ['changed since', secretOf(data), secretOf({ 'values.yaml': '{}' })],
])('a secret that is %s is waited for', async (_, cached, live) => {
  const error: unknown = await filled({ valuesHash: hash }, cached, live ?? cached).catch((reason: unknown) => reason)
  expect(error).toBeInstanceOf(WaitingError)
  expect(error).toMatchObject({ retryAfterMs: 5_000, message: expect.stringContaining('ws/app') })
})

test.each(['{"a":', '[1]', '"text"'])('values that are no JSON object are refused without being quoted', async (text) => {
  const broken = secretOf({ 'values.yaml': text })
  const valuesHash = bundleSecrets.project?.(broken).digest
  const error: unknown = await filled({ valuesHash }, broken).catch((reason: unknown) => reason)
  expect(error).toBeInstanceOf(TerminalError)
  expect(error).toMatchObject({ message: 'secret ws/app holds no helm values under "values.yaml": a JSON object is expected' })
})
