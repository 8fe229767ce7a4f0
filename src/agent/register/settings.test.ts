import { expect, test } from 'vitest'
import type { KubeClient } from '../../lib/kube/client.ts'
import { parseSettings, readRegistrationSettings } from './settings.ts'

test('reads JSON and YAML, and does without what is missing', () => {
  const settings = { clientID: 'me', labels: { env: 'prod' }, tlsMode: 'strict' }
  expect(parseSettings('{"clientID":"me","labels":{"env":"prod"},"agentTLSMode":"strict","garbageCollectionInterval":"15m"}')).toEqual(
    settings,
  )
  expect(parseSettings('clientID: me\nlabels: {env: prod}\nagentTLSMode: strict\n')).toEqual(settings)
  expect(parseSettings('clientID: 7\nlabels: {gpu: true, tier: 1, version: 1.5}\n')).toEqual({
    clientID: '7',
    labels: { gpu: 'true', tier: '1', version: '1.5' },
    tlsMode: '',
  })
  for (const empty of ['', '{}', 'labels: null\nclientID: ""\n'])
    expect(parseSettings(empty)).toEqual({ clientID: '', labels: {}, tlsMode: '' })
})

test.each([
  ['agentTLSMode: none', 'agentTLSMode is "none": write strict or system-store'],
  ['labels: {gpu: [a]}', 'labels.gpu must be text'],
  ['labels: [a]', 'labels must be a map'],
  ['clientID: {a: b}', 'clientID must be text'],
  ['- a', 'config must be a map'],
])('refuses %s', (text, message) => {
  expect(() => parseSettings(text)).toThrow(message)
})

test('an agent without its ConfigMap does not know who it is', async () => {
  const client = { find: async () => undefined } as unknown as KubeClient
  await expect(readRegistrationSettings(client, 'ns', new AbortController().signal)).rejects.toThrow(
    'configmap ns/fleet-agent does not exist',
  )
})
