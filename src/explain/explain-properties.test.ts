// Whatever the objects look like, there is an answer; and it is `ok` exactly when everything is deployed and ready.
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { CLUSTER_REGISTRATION, SCHEDULE } from '../api/kinds.ts'
import { HELM_OP_LABEL } from '../api/labels.ts'
import { explain } from './explain.ts'
import { bundle, cluster, condition, deployment, gitRepo, helmOp, hub, ID, NOW, OLD_ID } from './objects.testing.ts'
import { BUNDLE, DEPLOYMENT, ON_ONE, ONE, OP, REPO } from './situations.testing.ts'
import type { ExplainObjects } from './types.ts'

const SUBJECTS = [BUNDLE, DEPLOYMENT, ON_ONE, ONE, OP, REPO, { ...REPO, cluster: 'two' }, { ...DEPLOYMENT, namespace: 'ws' }]

const version = fc.constantFrom(ID, OLD_ID)
const fate = fc.record({ current: version, staged: version, applied: version, ready: fc.boolean(), nonModified: fc.boolean() })

test('ok means that every deployment is applied and ready, and the other way round', () => {
  fc.assert(
    fc.property(fc.array(fate, { minLength: 1, maxLength: 8 }), (fates) => {
      const names = fates.map((_, index) => `c${index}`)
      const bundleDeployments = fates.map(({ current, staged, applied, ready, nonModified }, index) =>
        deployment(
          names[index] ?? '',
          { deploymentID: current, stagedDeploymentID: staged },
          { appliedDeploymentID: applied, ready, nonModified },
        ),
      )
      const objects = hub({ clusters: names.map((name) => cluster(name)), bundleDeployments, contents: undefined })
      const isWell = fates.every(
        ({ current, staged, applied, ready, nonModified }) => current === staged && applied === current && ready && nonModified,
      )
      for (const subject of [BUNDLE, REPO]) {
        const { verdict, blocking } = explain(subject, objects, NOW)
        expect(verdict === 'ok').toBe(isWell)
        expect(blocking === undefined).toBe(isWell)
      }
    }),
  )
})

/** A hub with something of everything. */
function everything(): ExplainObjects {
  const troubled = deployment(
    'one',
    {
      deploymentID: OLD_ID,
      offSchedule: true,
      dependsOn: [{ name: 'base', selector: { matchLabels: { a: 'b' } } }],
      correctDrift: { enabled: true },
    },
    {
      ready: false,
      nonModified: false,
      nonReadyStatus: [{ kind: 'Deployment', apiVersion: 'apps/v1', name: 'web', summary: { error: true, message: ['x'] } }],
      modifiedStatus: [{ kind: 'ConfigMap', apiVersion: 'v1', name: 'c', patch: '{}' }],
      conditions: [condition('Deployed', 'False', 'x'), condition('Installed', 'False', 'x'), condition('Ready', 'False', 'x')],
    },
  )
  const strategy = {
    maxUnavailable: 1,
    partitions: [
      { name: 'p', clusterName: 'one' },
      { name: 'q', clusterSelector: {} },
    ],
  }
  const summary = { ready: 1, desiredReady: 2, nonReadyResources: [{ name: 'ws/one', bundleState: 'ErrApplied', message: 'x' }] }
  return hub({
    gitRepos: [gitRepo({}, { conditions: [condition('GitPolling', 'False', 'x'), condition('Stalled', 'False')] })],
    helmOps: [helmOp({}, { conditions: [condition('Accepted', 'False', 'x')] })],
    bundles: [
      bundle(
        { rolloutStrategy: strategy },
        {
          summary,
          partitions: [
            { name: 'p', unavailable: 2, summary },
            { name: 'q', summary },
          ],
        },
      ),
      { ...bundle({}, {}, { [HELM_OP_LABEL]: 'op' }), metadata: { name: 'chart', namespace: 'ws', labels: { [HELM_OP_LABEL]: 'op' } } },
    ],
    bundleDeployments: [troubled, deployment('two', {}, { conditions: [condition('Deployed', 'True')] })],
    clusters: [cluster('one', { clientID: 'i' }, { agent: {}, conditions: [condition('Imported', 'False', 'x')] }), cluster('two')],
    registrations: [
      { ...CLUSTER_REGISTRATION, metadata: { name: 'r', namespace: 'ws' }, spec: { clientID: 'i' }, status: { granted: true } },
    ],
    schedules: [
      { ...SCHEDULE, metadata: { name: 's', namespace: 'ws' }, spec: {}, status: { nextStartTime: 'x', matchingClusters: ['one'] } },
    ],
    namespaces: [{ metadata: { name: 'ws', labels: {} } }],
  })
}

/** The value with fields taken away or made null; `next` decides, one number a field. */
function damaged(value: unknown, next: () => number): unknown {
  if (typeof value !== 'object' || value === null || value instanceof Set) return value
  if (Array.isArray(value)) return value.map((item) => (next() === 0 ? null : damaged(item, next)))
  const kept = Object.entries(value).flatMap(([key, field]): [string, unknown][] => {
    const fortune = next()
    if (fortune === 0) return []
    return [[key, fortune === 1 ? null : damaged(field, next)]]
  })
  return Object.fromEntries(kept)
}

test('objects may lack any field, and any may be null', () => {
  fc.assert(
    fc.property(fc.infiniteStream(fc.nat(25)), (fortunes) => {
      const objects = damaged(everything(), () => fortunes.next().value ?? 0) as ExplainObjects
      for (const subject of SUBJECTS) {
        const { verdict, links, blocking } = explain(subject, objects, NOW)
        expect(verdict === 'ok').toBe(blocking === undefined)
        expect(links.length).toBeGreaterThan(0)
        for (const { message } of links) expect(message).not.toMatch(/undefined|null|\[object/)
      }
    }),
    { numRuns: 200 },
  )
})

test('the order of the objects makes no difference', () => {
  const objects = everything()
  const turned = {
    ...objects,
    clusters: objects.clusters?.toReversed(),
    bundleDeployments: objects.bundleDeployments?.toReversed(),
    bundles: objects.bundles?.toReversed(),
  }
  for (const subject of SUBJECTS) expect(explain(subject, turned, NOW)).toEqual(explain(subject, objects, NOW))
})
