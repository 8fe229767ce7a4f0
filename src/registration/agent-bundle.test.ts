import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import type { Bundle } from '../api/bundle.ts'
import type { Cluster } from '../api/cluster.ts'
import type { KubeObject } from '../lib/kube/types.ts'
import { fixture } from '../testing/fixtures.ts'
import { agentBundle } from './agent-bundle.ts'
import { cluster, hubConfig, PROCESS } from './objects.testing.ts'

const SYSTEM = 'cattle-fleet-system'

test('empty fields are written as other releases write them: the same settings have the same content, and deploy nothing anew', () => {
  const text = contentOf(agentBundle(cluster(), { config: hubConfig(), process: PROCESS, systemNamespace: SYSTEM }))
  expect(text).toContain('  strategy: {}\n')
  expect(text).toContain('        resources: {}\n')
  expect(text).toContain('        - name: AGENT_SCOPE\n        - name: CHECKIN_INTERVAL\n')
  expect(text.split('\n\n---\n')).toHaveLength(6)
  expect(text).toMatch(/ {2}- Egress\n$/)
})

const recording = fixture('go-fleet', 'hub.json')
describe.skipIf(!recording)('a recorded hub', () => {
  test('has the bundle that would be written now, byte for byte', () => {
    const { objects } = JSON.parse(readFileSync(recording ?? '', 'utf8')) as { objects: { object: KubeObject }[] }
    const find = (kind: string, name: string) =>
      objects.find(({ object }) => object.kind === kind && object.metadata.name === name)?.object as unknown
    const settings = find('ConfigMap', 'fleet-controller') as { data: { config: string } }
    // in place of its CA the recording has a mark
    const config = hubConfig({ ...(JSON.parse(settings.data.config) as Record<string, unknown>), apiServerCA: '' })
    const written = agentBundle(find('Cluster', 'harbour') as Cluster, { config, process: PROCESS, systemNamespace: SYSTEM })
    expect(contentOf(written)).toBe(contentOf(find('Bundle', 'fleet-agent-harbour') as Bundle))
  })
})

function contentOf({ spec }: Bundle): string {
  return spec.resources?.[0]?.content ?? ''
}
