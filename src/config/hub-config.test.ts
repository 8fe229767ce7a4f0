import { expect, test } from 'vitest'
import { silentLogger } from '../lib/controller/log.ts'
import type { Informer, InformerEvent } from '../lib/kube/informer.ts'
import { type ConfigMapObject, followHubConfig, parseHubConfig } from './hub-config.ts'

const parse = (text: string | undefined) => parseHubConfig(text, 'v9')

test('nothing gives the defaults', () => {
  const { config, dropped } = parse(undefined)
  expect(dropped).toEqual([])
  expect(config).toMatchObject({
    agentImage: 'rancher/fleet-agent:v9',
    gitClientTimeoutMs: 30_000,
    manageAgent: true,
    agentCheckinInterval: '0s',
    agentTLSMode: 'system-store',
  })
  expect(parse('').config).toEqual(config)
})

test('YAML and JSON say the same, in any case of keys', () => {
  const yaml = 'agentimage: a\nbootstrap:\n  Namespace: fleet-local\n  paths: "x , y"\nimagePullSecrets:\n- name: p\napiServerCA: Y2E=\n'
  const json =
    '{"agentImage":"a","bootstrap":{"namespace":"fleet-local","paths":"x , y"},"imagePullSecrets":[{"name":"p"}],"apiServerCA":"Y2E="}'
  expect(parse(yaml)).toEqual(parse(json))
  expect(parse(yaml).config).toMatchObject({
    agentImage: 'a',
    bootstrap: { namespace: 'fleet-local', paths: ['x', 'y'] },
    imagePullSecrets: ['p'],
  })
  expect(parse(yaml).config.apiServerCA.toString()).toBe('ca')
})

test('durations are written as Go writes them; what cannot be read is dropped by name, 0 silently', () => {
  const { config, dropped } = parse('{"agentCheckinInterval":"90m","garbageCollectionInterval":"1d","gitClientTimeout":0}')
  expect(config).toMatchObject({ agentCheckinInterval: '1h30m0s', garbageCollectionInterval: '0s', gitClientTimeoutMs: 30_000 })
  expect(dropped).toEqual(['garbageCollectionInterval'])
  expect(parse('{"agentCheckinInterval":15}').dropped).toEqual(['agentCheckinInterval'])
})

test('the agent is managed unless it is said to be not', () => {
  expect([parse('{"manageAgent":false}'), parse('{"manageAgent":null}')].map(({ config }) => config.manageAgent)).toEqual([false, true])
})

test('what is no map of settings is refused', () => {
  expect(() => parse('- a')).toThrow(/no map/)
  expect(() => parse('{')).toThrow(/no valid YAML/)
})

test.each([
  ['apiServerURL: [a]', 'apiServerURL must be text'],
  ['agentImage: {repository: a}', 'agentImage must be text'],
  ['manageAgent: "false"', 'manageAgent must be true or false'],
  ['ignoreClusterRegistrationLabels: 1', 'ignoreClusterRegistrationLabels must be true or false'],
  ['bootstrap: fleet-local', 'bootstrap must be a map'],
  ['bootstrap: {namespace: [a]}', 'bootstrap.namespace must be text'],
  ['bootstrap: {localAgentDisabled: "yes"}', 'bootstrap.localAgentDisabled must be true or false'],
  ['bootstrap: {clusterLabels: [a]}', 'bootstrap.clusterLabels must be a map'],
  ['bootstrap: {clusterLabels: {a: {b: c}}}', 'bootstrap.clusterLabels.a must be text'],
  ['agentWorkers: 5', 'agentWorkers must be a map'],
  ['imagePullSecrets: mine', 'imagePullSecrets must be a list'],
  ['imagePullSecrets: [mine]', 'imagePullSecrets[0] must be a map'],
  ['imagePullSecrets: [{name: [a]}]', 'imagePullSecrets[0].name must be text'],
  ['apiServerCA: "-----BEGIN CERTIFICATE-----"', 'apiServerCA must be base64'],
  ['apiServerCA: Y2E', 'apiServerCA must be base64'],
])('a setting of the wrong kind is refused by name: %s', (text, message) => {
  expect(() => parse(text)).toThrow(message)
})

test('numbers and booleans are good where a text is asked for, and null is nothing', () => {
  const { config } = parse(
    'agentWorkers: {bundledeployment: 5, drift: null}\nbootstrap: {clusterLabels: {gpu: true, tier: 1, none: null}}\n',
  )
  expect(config.agentWorkers).toEqual({ bundledeployment: '5', drift: '' })
  expect(config.bootstrap.clusterLabels).toEqual({ gpu: 'true', tier: '1', none: '' })
  expect(parse('bootstrap: null\nimagePullSecrets: null\napiServerCA: null\n').config).toEqual(parse('').config)
  expect(parse('apiServerCA: "Y2\\nE=\\n"').config.apiServerCA.toString()).toBe('ca')
})

test('a duration before its time is no duration', () => {
  const { config, dropped } = parse('{"agentCheckinInterval":"-5m","gitClientTimeout":"-1s","garbageCollectionInterval":"-0s"}')
  expect(config).toMatchObject({ agentCheckinInterval: '0s', garbageCollectionInterval: '0s', gitClientTimeoutMs: 30_000 })
  expect(dropped).toEqual(['agentCheckinInterval', 'gitClientTimeout'])
})

test('the TLS mode of the chart holds where none is given; one that is empty is none', () => {
  expect(['{}', 'agentTLSMode: null', 'agentTLSMode: ""'].map((text) => parse(text).config.agentTLSMode)).toEqual([
    'system-store',
    'system-store',
    '',
  ])
})

function follow() {
  let handler: ((event: InformerEvent<ConfigMapObject>) => void) | undefined
  let present: ConfigMapObject | undefined
  const informer = {
    synced: true,
    get: () => present,
    subscribe(given: typeof handler) {
      handler = given
    },
  } as unknown as Informer<ConfigMapObject>
  const source = followHubConfig(informer, {
    namespace: 'ns',
    name: 'fleet-controller',
    version: 'v9',
    versionAnnotation: 'version',
    log: silentLogger,
  })
  let changes = 0
  source.onChange(() => changes++)
  const put = (config: string, annotation?: string) => {
    const metadata = { name: 'fleet-controller', namespace: 'ns', ...(annotation ? { annotations: { version: annotation } } : {}) }
    present = { apiVersion: 'v1', kind: 'ConfigMap', metadata, data: { config } }
    handler?.({ type: 'modified', object: present })
  }
  return { source, put, changes: () => changes, url: () => source.current()?.apiServerURL }
}

test('without a ConfigMap the defaults hold; the first one is adopted whatever its version, later ones only for ours', () => {
  const { put, url, changes } = follow()
  expect(url()).toBe('')
  put('{"apiServerURL":"one"}')
  expect(url()).toBe('one')
  put('{"apiServerURL":"two"}', 'v8')
  put('{"apiServerURL":"three"}')
  expect([url(), changes()]).toEqual(['one', 1])
  put('{"apiServerURL":"four"}', 'v9')
  expect([url(), changes()]).toEqual(['four', 2])
})

test('a configuration that cannot be read changes nothing, and as the first one gives none', () => {
  const started = follow()
  started.put('- a')
  expect(started.source.current()).toBeUndefined()
  started.put('{"apiServerURL":"one"}')
  for (const broken of ['{', 'apiServerURL: [two]', 'apiServerURL: two\napiServerCA: "?"']) started.put(broken, 'v9')
  expect([started.url(), started.changes()]).toEqual(['one', 1])
  started.put('{"apiServerURL":"two"}', 'v9')
  expect([started.url(), started.changes()]).toEqual(['two', 2])
})
