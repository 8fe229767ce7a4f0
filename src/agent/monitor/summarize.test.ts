import { describe, expect, test } from 'vitest'
import { nonReadyText } from '../../api/status-text.ts'
import { checkVectors } from '../../testing/vectors.ts'
import { withErrorMappings } from './condition-tables.ts'
import { type IgnoredConditions, isReady, summarize } from './summarize.ts'

const nowMs = Date.parse('2026-01-01T00:00:00Z')

checkVectors('summary.json', ({ object, ignore }: { object: Record<string, unknown>; ignore?: IgnoredConditions }) => {
  const summary = summarize(object, { nowMs, ignore })
  const { kind, apiVersion, metadata } = object as { kind: string; apiVersion: string; metadata: { name: string; namespace?: string } }
  const resource = {
    uid: '',
    kind,
    apiVersion,
    name: metadata.name,
    ...(metadata.namespace ? { namespace: metadata.namespace } : {}),
    summary: { ...summary, message: [...summary.message] },
  }
  return { ready: isReady(summary), ...summary, text: nonReadyText(resource) }
})

function thing(status: object, spec: object = {}, kind = { apiVersion: 'example.com/v1', kind: 'Thing' }): Record<string, unknown> {
  return { ...kind, metadata: { name: 'x', namespace: 'apps', generation: 1 }, spec, status }
}

describe('summarize', () => {
  test('an object without a status is ready', () => {
    expect(summarize(thing({}), { nowMs })).toEqual({
      state: 'active',
      error: false,
      transitioning: false,
      message: ['Resource is current'],
    })
  })

  test('a status of a form that nobody knows says nothing', () => {
    expect(isReady(summarize(thing({ conditions: 'none', observedGeneration: '1' }), { nowMs }))).toBe(true)
  })

  test('a condition whose status is no text or an unknown word says nothing', () => {
    for (const status of [true, false, 'true', 'yes', ''])
      expect(isReady(summarize(thing({ conditions: [{ type: 'Ready', status }] }), { nowMs }))).toBe(true)
    const behind = { observedGeneration: 0, conditions: [{ type: 'Ready', status: true }] }
    expect(isReady(summarize(thing(behind), { nowMs }))).toBe(false)
    const mixed = {
      conditions: [
        { type: 'Ready', status: 'maybe' },
        { type: 'Ready', status: 'Unknown', message: 'who knows' },
      ],
    }
    expect(summarize(thing(mixed), { nowMs })).toMatchObject({ error: true, message: ['who knows'] })
  })

  test('a summary of its own may say yes in several words', () => {
    expect(summarize(thing({ summary: { error: 'Yes' } }), { nowMs }).error).toBe(true)
    expect(summarize(thing({ summary: { transitioning: 't', error: 'no' } }), { nowMs })).toMatchObject({
      transitioning: true,
      error: false,
    })
  })

  test('a disruption budget is ready before its controller has seen it', () => {
    expect(isReady(summarize(thing({}, {}, { apiVersion: 'policy/v1', kind: 'PodDisruptionBudget' }), { nowMs }))).toBe(true)
  })

  test('conditions that are ignored do not count, others do', () => {
    const object = thing({ conditions: [{ type: 'Ready', status: 'False', message: 'warming up' }] })
    expect(isReady(summarize(object, { nowMs, ignore: [{ type: 'Ready', status: 'False' }] }))).toBe(true)
    expect(isReady(summarize(object, { nowMs, ignore: [{ type: 'Ready', status: 'Unknown' }] }))).toBe(false)
  })

  test('a pod may be unschedulable for a quarter of a minute', () => {
    const pod = (created: string) => ({
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name: 'x', creationTimestamp: created },
      status: { phase: 'Pending', conditions: [{ type: 'PodScheduled', status: 'False', reason: 'Unschedulable' }] },
    })
    expect(summarize(pod('2025-12-31T23:59:50Z'), { nowMs }).message).toContain('Pod has not been scheduled')
    expect(summarize(pod('2025-12-31T23:59:00Z'), { nowMs }).message).toContain('Pod could not be scheduled')
  })

  test('error conditions of a kind can be added and replaced', () => {
    const errors = withErrorMappings(
      '[{"gvk":"example.com/v1, Kind=Thing","conditionMappings":[{"type":"Odd","status":["True"]}]},{"gvk":"apps/v1, Kind=Deployment","conditionMappings":[{"type":"Progressing"}]}]',
    )
    expect(summarize(thing({ conditions: [{ type: 'Odd', status: 'True', message: 'odd' }] }), { nowMs, errors }).error).toBe(true)
    const deployment = thing(
      { conditions: [{ type: 'Progressing', status: 'False', message: 'slow' }] },
      { replicas: 0 },
      { apiVersion: 'apps/v1', kind: 'Deployment' },
    )
    expect(summarize(deployment, { nowMs, errors }).error).toBe(false)
    expect(summarize(deployment, { nowMs }).error).toBe(true)
  })
})
