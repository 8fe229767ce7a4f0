import { expect, test } from 'vitest'
import type { KubeObject } from '../../lib/kube/types.ts'
import type { Rendered } from '../render/render.ts'
import { chooseEngine } from './choose.ts'
import type { ReleaseSettings } from './engine.ts'

const plain: ReleaseSettings = {
  createNamespace: true,
  takeOwnership: true,
  force: true,
  atomic: false,
  timeoutSeconds: 0,
  waitForJobs: true,
  maxHistory: 2,
  skipSchemaValidation: false,
}
const object: KubeObject = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'a' } }
const nameless = { ...object, metadata: { generateName: 'a-' } } as unknown as KubeObject
const rendered = (extra: Partial<Rendered> = {}): Rendered => ({
  style: {},
  chart: {},
  manifests: [object],
  hooks: [],
  definitions: '',
  ...extra,
})

const rows: [string, Partial<Rendered>, Partial<ReleaseSettings>, 'native' | 'helm', 'native' | 'helm'][] = [
  ['plain manifests', {}, {}, 'native', 'native'],
  ['a kustomization', { style: { kustomize: '.' } }, {}, 'native', 'native'],
  ['a negative time limit, which is none', {}, { timeoutSeconds: -1 }, 'native', 'native'],
  ['a chart', { style: { chart: '.' } }, {}, 'helm', 'native'],
  ['a chart with a kustomization', { style: { chart: '.', kustomize: '.' } }, {}, 'helm', 'native'],
  ['hooks', { hooks: [object] }, {}, 'helm', 'helm'],
  ['a folder of definitions', { style: { chart: '.' }, definitions: 'kind: X\n' }, {}, 'helm', 'helm'],
  ['waiting', {}, { timeoutSeconds: 5 }, 'helm', 'helm'],
  ['undoing', {}, { atomic: true }, 'helm', 'helm'],
  ['a name that the server makes up', { manifests: [nameless] }, {}, 'helm', 'helm'],
]

test.each(rows)('%s', (_, extra, settings, auto, native) => {
  const request = { rendered: rendered(extra), settings: { ...plain, ...settings } }
  expect(chooseEngine(request, 'auto')).toBe(auto)
  expect(chooseEngine(request, 'native')).toBe(native)
  expect(chooseEngine(request, 'helm')).toBe('helm')
})
