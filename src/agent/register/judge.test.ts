import { expect, test } from 'vitest'
import type { KubeClient } from '../../lib/kube/client.ts'
import { ApiError, ConnectionError } from '../../lib/kube/errors.ts'
import { createFakeClock } from '../../testing/fake-clock.ts'
import { judge } from './judge.ts'

const unauthorized = new ApiError({ status: 401, reason: 'Unauthorized', message: 'Unauthorized' })
const forbidden = new ApiError({ status: 403, reason: 'Forbidden', message: 'no rights' })
const away = new ConnectionError('cannot reach the API server', 'ECONNREFUSED')
const busy = new ApiError({ status: 503, reason: 'ServiceUnavailable', message: 'later' })
const list = { kind: 'BundleDeploymentList', items: [] }

/** The verdict on these answers, the paths that were asked for, and how long it took. */
async function verdictOn(...answers: unknown[]) {
  const clock = createFakeClock()
  const asked: string[] = []
  const request = async (_: string, path: string): Promise<unknown> => {
    const answer = answers[asked.push(path) - 1]
    if (answer instanceof Error) throw answer
    return answer
  }
  const start = clock.now()
  let ms = 0
  const verdict = judge(
    { client: { server: 'https://hub', request } as unknown as KubeClient, namespace: 'cluster-ns' },
    clock,
    new AbortController().signal,
  )
  void verdict.finally(() => (ms = clock.now() - start))
  await clock.advance(60_000)
  return { ...(await verdict), asked: asked.length, ms, path: asked[0] }
}

test('a list of the BundleDeployments in its namespace is all it takes', async () => {
  expect(await verdictOn(list)).toEqual({
    kind: 'accepted',
    asked: 1,
    ms: 0,
    path: '/apis/fleet.cattle.io/v1alpha1/namespaces/cluster-ns/bundledeployments',
  })
})

test('a refusal counts when it is repeated for longer than API servers remember a token', async () => {
  const verdict = await verdictOn(unauthorized, forbidden, unauthorized, list)
  expect(verdict).toMatchObject({ kind: 'refused', reason: 'Unauthorized', asked: 3 })
  expect(verdict.ms).toBeGreaterThan(10_000)
})

test.each([
  ['an acceptance', [unauthorized, forbidden, list], { kind: 'accepted', asked: 3 }],
  ['a connection that breaks', [unauthorized, away], { kind: 'unavailable', asked: 2 }],
])('%s ends a row of refusals', async (_, answers, expected) => {
  expect(await verdictOn(...answers)).toMatchObject(expected)
})

test.each([
  ['no connection', away, 'cannot reach the API server'],
  ['a busy server', busy, 'later'],
  ['the page of a gateway', '<html>welcome</html>', 'https://hub does not answer as a Kubernetes API server does'],
  ['the JSON of another service', { status: 'ok' }, 'https://hub does not answer as a Kubernetes API server does'],
])('%s says nothing about the credential', async (_, answer, reason) => {
  expect(await verdictOn(answer)).toMatchObject({ kind: 'unavailable', reason, asked: 1 })
})
