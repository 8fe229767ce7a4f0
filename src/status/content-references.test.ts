import { expect, test } from 'vitest'
import type { Content } from '../api/content.ts'
import { CONTENT } from '../api/kinds.ts'
import { CONTENT_NAME_LABEL } from '../api/labels.ts'
import type { ObjectMeta } from '../lib/kube/types.ts'
import { contentPlan, GRACE_MS } from './content-references.ts'
import { deployment, NOW } from './objects.testing.ts'

const created = new Date(NOW).toISOString()
const content = (referenceCount?: number, metadata: Partial<ObjectMeta> = {}): Content => ({
  ...CONTENT,
  metadata: { name: 's-1', creationTimestamp: created, ...metadata },
  ...(referenceCount === undefined ? {} : { status: { referenceCount } }),
})
const user = (name: string, metadata: Partial<ObjectMeta> = {}) =>
  deployment('one', name, undefined, { labels: { [CONTENT_NAME_LABEL]: 's-1' }, ...metadata })

test('counts the deployments that carry its name', () => {
  expect(contentPlan(content(), [user('a'), user('b')], NOW)).toEqual({ action: 'count', references: 2 })
  expect(contentPlan(content(2), [user('a'), user('b')], NOW)).toEqual({ action: 'none' })
})

test('goes away with the last of them', () => {
  expect(contentPlan(content(1), [], NOW)).toEqual({ action: 'delete' })
  expect(contentPlan(content(1), [user('a', { deletionTimestamp: created })], NOW)).toEqual({ action: 'delete' })
})

test('stays while it is deployed somewhere, even where the next version is already staged', () => {
  const behind = {
    ...deployment('one', 'a', undefined, { labels: { [CONTENT_NAME_LABEL]: 's-2' } }),
    spec: { deploymentID: 's-1:x', stagedDeploymentID: 's-2:y' },
  }
  expect(contentPlan(content(0), [behind], NOW)).toEqual({ action: 'none' })
  expect(contentPlan(content(1), [behind], NOW)).toEqual({ action: 'count', references: 0 })
})

test('one that never had a deployment is kept for a while after its creation', () => {
  expect(contentPlan(content(), [], NOW)).toEqual({ action: 'wait', forMs: GRACE_MS })
  expect(contentPlan(content(0), [], NOW + GRACE_MS - 1)).toEqual({ action: 'wait', forMs: 1 })
  expect(contentPlan(content(), [], NOW + GRACE_MS)).toEqual({ action: 'delete' })
})

test("Fleet's own finalizers of old are taken off first, others stay", () => {
  expect(contentPlan(content(1, { finalizers: ['fleet.cattle.io/content-finalizer', 'example.com/keep'] }), [], NOW)).toEqual({
    action: 'release',
    finalizers: ['example.com/keep'],
  })
  expect(contentPlan(content(1, { finalizers: ['example.com/keep'], deletionTimestamp: created }), [], NOW)).toEqual({ action: 'none' })
})
