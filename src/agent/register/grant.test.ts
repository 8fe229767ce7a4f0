import { expect, test } from 'vitest'
import { registrationSecretName } from '../../api/names.ts'
import { silentLogger } from '../../lib/controller/log.ts'
import type { KubeClient } from '../../lib/kube/client.ts'
import { ApiError, ConnectionError } from '../../lib/kube/errors.ts'
import type { ObjectRef } from '../../lib/kube/types.ts'
import { createFakeClock } from '../../testing/fake-clock.ts'
import { type Applicant, awaitGrant, type GrantOptions, requestRegistration } from './grant.ts'

const bootstrap = {
  server: 'https://hub',
  ca: '',
  token: 'canary',
  tokenName: 'join',
  clusterNamespace: 'workspace',
  registrationNamespace: 'registrations',
}
const applicant: Applicant = { clientID: 'id', clientRandom: 'random', labels: { env: 'prod' }, podName: 'pod-1' }
const { signal } = new AbortController()

const encode = (data: Record<string, string>): Record<string, string> =>
  Object.fromEntries(Object.entries(data).map(([key, value]) => [key, Buffer.from(value).toString('base64')]))
const credential = { data: encode({ token: 'tok', deploymentNamespace: 'cluster-ns', clusterNamespace: 'workspace', clusterName: 'one' }) }
const apiError = (status: number): ApiError => new ApiError({ status, reason: '', message: `status ${status}` })

function optionsWith(hub: object, more: Partial<GrantOptions> = {}): GrantOptions & { clock: ReturnType<typeof createFakeClock> } {
  return {
    hub: { server: 'https://hub', ...hub } as KubeClient,
    bootstrap,
    log: silentLogger,
    stillWanted: async () => true,
    ...more,
    clock: createFakeClock(),
  }
}

/** What waiting comes to with these answers; the last one goes on for ever. */
async function waitWith(answers: readonly unknown[], more: Partial<GrantOptions> = {}) {
  const asked: ObjectRef[] = []
  const find = async (ref: ObjectRef): Promise<unknown> => {
    const answer = answers[Math.min(asked.push(ref), answers.length) - 1]
    if (answer instanceof Error) throw answer
    return answer
  }
  const options = optionsWith({ find }, more)
  const start = options.clock.now()
  let ms = 0
  const result = awaitGrant(options, applicant, signal)
    .catch((error: Error) => error.message)
    .finally(() => (ms = options.clock.now() - start))
  await options.clock.advance(40 * 60_000)
  return { result: await result, asked, ms }
}

async function requested(changes: Partial<Applicant>, tokenName = 'join') {
  let sent: { metadata?: object; spec?: { clusterLabels: object } } = {}
  const create = async (object: object): Promise<unknown> => {
    sent = object
    return { metadata: { name: 'request-abcde' } }
  }
  await requestRegistration(optionsWith({ create }, { bootstrap: { ...bootstrap, tokenName } }), { ...applicant, ...changes }, signal)
  return sent
}

test('the request names the client, its labels, its pod and the token it was given', async () => {
  expect(await requested({})).toEqual({
    apiVersion: 'fleet.cattle.io/v1alpha1',
    kind: 'ClusterRegistration',
    metadata: { name: '', generateName: 'request-', namespace: 'workspace', labels: { 'fleet.cattle.io/registration-token': 'join' } },
    spec: { clientID: 'id', clientRandom: 'random', clusterLabels: { env: 'prod', 'fleet.cattle.io/created-by-agent-pod': 'pod-1' } },
  })
  expect((await requested({}, '')).metadata).not.toHaveProperty('labels')
})

test.each([
  ['', undefined],
  [`${'n'.repeat(62)}.example.com`, 'n'.repeat(62)],
  ['_node 1/', 'node-1'],
])('the pod %j becomes the label %j', async (podName, label) => {
  expect((await requested({ podName })).spec?.clusterLabels).toEqual({
    env: 'prod',
    ...(label ? { 'fleet.cattle.io/created-by-agent-pod': label } : {}),
  })
})

test('a bootstrap token that the hub refuses is explained', async () => {
  const create = async (): Promise<never> => Promise.reject(apiError(401))
  await expect(requestRegistration(optionsWith({ create }), applicant, signal)).rejects.toThrow(
    'the hub refuses the token of the bootstrap secret, it may have expired (status 401): import the cluster again or install chart fleet-agent with a new token',
  )
})

test('looks every two seconds for the one secret that it may read', async () => {
  const { result, asked, ms } = await waitWith([apiError(403), undefined, apiError(403), { data: {} }, credential])
  expect(result).toEqual({ token: 'tok', deploymentNamespace: 'cluster-ns', cluster: { namespace: 'workspace', name: 'one' } })
  expect(ms).toBe(10_000)
  expect(asked[0]).toEqual({ apiVersion: 'v1', kind: 'Secret', namespace: 'registrations', name: registrationSecretName('id', 'random') })
})

test('a hub that is away for a while is waited for', async () => {
  const away = new ConnectionError('away', 'ECONNREFUSED')
  expect((await waitWith([away, apiError(503), apiError(401), away, apiError(401), apiError(401), credential])).result).toMatchObject({
    token: 'tok',
  })
})

test('gives up after half an hour and says what was missing', async () => {
  const { result, ms } = await waitWith([apiError(403)])
  expect(result).toBe('the hub did not grant the registration within 30 minutes: the hub has not granted the registration yet')
  expect(ms).toBe(30 * 60_000)
})

test('gives up when the bootstrap token is refused three times in a row', async () => {
  const { result, asked } = await waitWith([undefined, apiError(401)])
  expect(result).toMatch(/^the hub refuses the token of the bootstrap secret/)
  expect(asked).toHaveLength(4)
})

test('gives up soon after another bootstrap secret has come', async () => {
  const { result, ms } = await waitWith([apiError(403)], { stillWanted: async () => false })
  expect(result).toBe('the bootstrap secret has changed during the registration')
  expect(ms).toBe(10_000)
})
