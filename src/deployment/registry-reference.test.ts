import { expect, test } from 'vitest'
import type { Bundle } from '../api/bundle.ts'
import { BUNDLE } from '../api/kinds.ts'
import { registryReference } from './registry-reference.ts'
import { SECRET } from './secrets.ts'

const ID = 's-1'
const bundle = (ociReference?: string): Bundle => ({
  ...BUNDLE,
  metadata: { name: 'b', namespace: 'ws' },
  spec: { contentsId: ID },
  ...(ociReference ? { status: { ociReference } } : {}),
})

function at({ cached, stored }: { cached?: string; stored?: string }) {
  const asked: string[] = []
  const secret = (fields: object) => ({ ...SECRET, metadata: { name: ID, namespace: 'ws' }, ...fields }) as never
  const client = {
    async find({ name }: { name: string }) {
      asked.push(name)
      return stored ? secret({ data: { reference: Buffer.from(stored).toString('base64') } }) : undefined
    },
  } as never
  const caches = { ociSecrets: { get: () => (cached === undefined ? undefined : secret({ reference: cached })) } } as never
  const of = (one: Bundle, kind: 'registry' | 'stored' = 'registry') => registryReference(one, { kind, id: ID }, { client, caches })
  return { of, asked }
}

test('the place of contents is that of the cached secret, and moves with it, without a request', async () => {
  const { of, asked } = at({ cached: 'new.example/x' })
  expect(await of(bundle())).toBe('oci://new.example/x/s-1:latest')
  expect(await of(bundle('oci://old.example/x/s-1:latest'))).toBe('oci://new.example/x/s-1:latest')
  expect(await of(bundle(), 'stored')).toBeUndefined()
  expect(asked).toEqual([])
})

test('a secret that no cache has yet is asked for, unless the status knows', async () => {
  const { of, asked } = at({ stored: 'oci://host.example/x/' })
  expect(await of(bundle('oci://host.example/x/s-1:latest'))).toBe('oci://host.example/x/s-1:latest')
  expect(asked).toEqual([])
  expect(await of(bundle('oci://host.example/x/s-0:latest'))).toBe('oci://host.example/x/s-1:latest')
  expect(await at({}).of(bundle())).toBeUndefined()
})
