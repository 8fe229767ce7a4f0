import { expect, test } from 'vitest'
import type { Bundle } from '../api/bundle.ts'
import { BUNDLE } from '../api/kinds.ts'
import { COMMIT_LABEL, REPO_NAME_LABEL } from '../api/labels.ts'
import type { KubeClient } from '../lib/kube/client.ts'
import type { KubeObject } from '../lib/kube/types.ts'
import { createBundleStore, type DigestedValues } from './store.ts'

const values = { data: { 'values.yaml': '{"a":1}' }, hash: 'h1' }
const { signal } = new AbortController()

function setup() {
  const requests: string[] = []
  let secret: DigestedValues | undefined
  const keep = async (verb: string, object: KubeObject): Promise<KubeObject> => {
    requests.push(`${verb} ${object.kind} ${object.metadata.name}`)
    if (object.kind === 'Secret') secret = { ...object, digest: values.hash }
    return object
  }
  const client = { create: (object: KubeObject) => keep('create', object), update: (object: KubeObject) => keep('update', object) }
  const store = createBundleStore(client as unknown as KubeClient, { get: () => secret })
  return {
    requests,
    labels: () => secret?.metadata.labels,
    write: (labels: Record<string, string>) => store.keepValues(stored(labels), signal),
  }
}

function stored(labels: Record<string, string>) {
  const bundle: Bundle = { ...BUNDLE, metadata: { name: 'app', namespace: 'ws', uid: 'u1', labels }, spec: {} }
  return { bundle, values, scans: [] }
}

test('the secret with the values has the labels of its bundle, and is not written because of a new commit', async () => {
  const { requests, labels, write } = setup()
  await write({ [REPO_NAME_LABEL]: 'repo', [COMMIT_LABEL]: 'c1', team: 'red' })
  expect(labels()).toEqual({ [REPO_NAME_LABEL]: 'repo', team: 'red' })
  await write({ [REPO_NAME_LABEL]: 'repo', [COMMIT_LABEL]: 'c2', team: 'red' })
  expect(requests).toEqual(['create Secret app'])
  await write({ [REPO_NAME_LABEL]: 'repo', [COMMIT_LABEL]: 'c3', team: 'blue' })
  expect(labels()).toEqual({ [REPO_NAME_LABEL]: 'repo', team: 'blue' })
  expect(requests).toEqual(['create Secret app', 'update Secret app'])
})
