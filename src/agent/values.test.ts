import { createHash } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import type { BundleDeployment } from '../api/bundle-deployment.ts'
import type { KubeClient } from '../lib/kube/client.ts'
import { ApiError } from '../lib/kube/errors.ts'
import type { ObjectRef } from '../lib/kube/types.ts'
import { mergeValues, resolveValues, withHubValues } from './values.ts'

const base64 = (text: string) => Buffer.from(text).toString('base64')

function clientOf(objects: Record<string, Record<string, string>>): KubeClient & { asked: string[] } {
  const asked: string[] = []
  const find = async ({ kind, namespace, name }: ObjectRef) => {
    asked.push(`${kind} ${namespace}/${name}`)
    const data = objects[`${kind} ${namespace}/${name}`]
    return data && { data }
  }
  const get = async (ref: ObjectRef) => {
    const found = await find(ref)
    if (!found) throw new ApiError({ status: 404, reason: 'NotFound', message: `${ref.kind.toLowerCase()}s "${ref.name}" not found` })
    return found
  }
  return { asked, find, get } as unknown as KubeClient & { asked: string[] }
}

test('merging: maps are merged, everything else is replaced, nothing is changed in place', () => {
  const base = { a: { b: 1, c: [1] }, d: 'x', e: { f: 1 } }
  expect(mergeValues(base, { a: { c: [2], g: null }, d: { h: 1 }, e: 'text' })).toEqual({
    a: { b: 1, c: [2], g: null },
    d: { h: 1 },
    e: 'text',
  })
  expect(base).toEqual({ a: { b: 1, c: [1] }, d: 'x', e: { f: 1 } })
})

describe('valuesFrom', () => {
  const objects = {
    'ConfigMap apps/one': { 'values.yaml': 'a: one\nmap: {left: 1}\n' },
    'Secret apps/two': { 'values.yaml': base64('a: two\n') },
    'Secret other/three': { mine: base64('map: {right: 2}\n') },
  }

  test('is merged in order over the values, in one entry the secret last', async () => {
    const helm = {
      values: { a: 'own', z: 1 },
      valuesFrom: [
        { secretKeyRef: { name: 'two' }, configMapKeyRef: { name: 'one' } },
        { secretKeyRef: { name: 'three', namespace: 'other', key: 'mine' } },
      ],
    }
    expect(await resolveValues({ helm }, clientOf(objects), 'apps')).toEqual({ a: 'two', map: { left: 1, right: 2 }, z: 1 })
  })

  test('reads a copied object where it was copied to', async () => {
    const client = clientOf(objects)
    const options = {
      downstreamResources: [{ kind: 'configmap', name: 'one' }],
      helm: { valuesFrom: [{ configMapKeyRef: { name: 'one', namespace: 'elsewhere' } }] },
    }
    expect(await resolveValues(options, client, 'apps')).toEqual({ a: 'one', map: { left: 1 } })
    expect(client.asked).toEqual(['ConfigMap apps/one'])
  })

  test('names what is missing', async () => {
    const from = (entry: object) => resolveValues({ helm: { valuesFrom: [entry] } }, clientOf(objects), 'apps')
    await expect(from({ configMapKeyRef: { name: 'absent' } })).rejects.toThrow('configmaps "absent" not found')
    await expect(from({ configMapKeyRef: { name: 'one', key: 'k' } })).rejects.toThrow(
      "key k is missing from configmap apps/one, can't use it in valuesFrom",
    )
    await expect(from({ secretKeyRef: { name: 'two', key: 'k' } })).rejects.toThrow(
      "key k is missing from secret apps/two, can't use it in valuesFrom",
    )
  })

  test('refuses what is no map of values, without showing it', async () => {
    const client = clientOf({ 'Secret apps/s': { 'values.yaml': base64('- hidden\n'), broken: base64('hidden: [\n') } })
    const read = (key: string) => resolveValues({ helm: { valuesFrom: [{ secretKeyRef: { name: 's', key } }] } }, client, 'apps')
    await expect(read('values.yaml')).rejects.toThrow('key values.yaml of secret apps/s does not hold a map of values')
    await expect(read('broken')).rejects.toThrow(/^key broken of secret apps\/s is no valid YAML: (?!.*hidden)/)
  })

  test('an empty key gives no values', async () => {
    expect(
      await resolveValues(
        { helm: { valuesFrom: [{ configMapKeyRef: { name: 'e' } }] } },
        clientOf({ 'ConfigMap apps/e': { 'values.yaml': '' } }),
        'apps',
      ),
    ).toEqual({})
  })
})

describe('the values secret of the hub', () => {
  const deployment = (valuesHash?: string) =>
    ({
      metadata: { name: 'web', namespace: 'cluster-a' },
      spec: { valuesHash, options: { helm: { chart: 'c', values: { old: 1 } } } },
    }) as unknown as BundleDeployment
  const hash = (values: string, staged: string) => createHash('sha256').update(values).update(staged).digest('hex')

  test('is not asked for without a hash', async () => {
    const client = clientOf({})
    expect(await withHubValues(client, deployment())).toEqual({ helm: { chart: 'c', values: { old: 1 } } })
    expect(client.asked).toEqual([])
  })

  test('is refused without showing it when it holds no JSON', async () => {
    const client = clientOf({ 'Secret cluster-a/web': { values: base64('hidden'), stagedValues: '' } })
    await expect(withHubValues(client, deployment(hash('hidden', '')))).rejects.toThrow(
      'the secret cluster-a/web on the hub does not hold values as JSON',
    )
  })

  test('takes the place of the values', async () => {
    const client = clientOf({ 'Secret cluster-a/web': { values: base64('{"a":1}'), stagedValues: base64('{"b":1}') } })
    expect(await withHubValues(client, deployment(hash('{"a":1}', '{"b":1}')))).toEqual({ helm: { chart: 'c', values: { a: 1 } } })
  })

  test('may hold values for the next version alone', async () => {
    const client = clientOf({ 'Secret cluster-a/web': { values: '', stagedValues: base64('{"b":1}') } })
    expect(await withHubValues(client, deployment(hash('', '{"b":1}')))).toEqual({ helm: { chart: 'c', values: {} } })
  })

  test('is waited for while it is missing or has other values', async () => {
    await expect(withHubValues(clientOf({}), deployment('x'))).rejects.toMatchObject({
      reason: 'WaitingForValues',
      message: 'the secret cluster-a/web with the values is missing on the hub',
    })
    const client = clientOf({ 'Secret cluster-a/web': { values: base64('{}') } })
    await expect(withHubValues(client, deployment('x'))).rejects.toMatchObject({ reason: 'WaitingForValues' })
  })
})
