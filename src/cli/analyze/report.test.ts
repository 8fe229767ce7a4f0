import { expect, test } from 'vitest'
import type { Diagnostics, Snapshot } from '../monitor/snapshot.ts'
import { details } from './details.ts'
import { issueSections } from './issue-sections.ts'
import { issues } from './issues.ts'
import { type Paint, table } from './layout.ts'
import { allChanges, allSummaries, comparison } from './report.ts'
import { summary } from './summary.ts'

const plainly: Paint = (_, text) => text
const coloured: Paint = (colour, text) => `<${colour}>${text}</>`
const ready = { ready: true }
const bundle = (name: string, sizeBytes = 2_048) => ({ namespace: 'ws', name, uid: name, generation: 1, sizeBytes, ...ready })
const repo = (name: string) => ({ namespace: 'ws', name, generation: 2, observedGeneration: 1, ...ready })
const stuck = {
  namespace: 'c',
  name: 'late',
  uid: 'x',
  generation: 1,
  ready: false,
  waitingForValues: false,
  deploymentID: 'new',
  appliedDeploymentID: 'old',
}
const early: Snapshot = { timestamp: '2026-01-01T10:00:00Z', bundles: [bundle('one'), bundle('same')], diagnostics: {} }
const late: Snapshot = {
  timestamp: '2026-01-01T11:00:00Z',
  bundles: [bundle('one', 409_600), bundle('same'), bundle('two')],
  diagnostics: { stuckBundleDeployments: [stuck] },
}
const text = (lines: readonly string[]) => lines.join('\n')

test('columns are as wide as their widest cell, whatever colours follow', () => {
  expect(
    table([
      ['a', '1', '<b>'],
      ['long', '22'],
    ]),
  ).toEqual(['a     1  <b>', 'long  22'])
})

test('a summary counts objects, sizes and troubles', () => {
  const told = text(summary(late, plainly))
  expect(told).toMatch(/Bundles:\s+3\s+\(Total Size: 404KB\)/)
  expect(told).toMatch(/Stuck Resources:\s+1\s+⚠/)
  expect(told).toMatch(/Target Matching:\s+0\s+✓/)
  expect(told).not.toContain('Deletion Timestamps')
  expect(text(summary({ timestamp: 'x' }, plainly))).not.toContain('DIAGNOSTICS')
})

test('issues are only those there are', () => {
  const told = text(issues(late, plainly))
  expect(told).toContain('✗ Stuck BundleDeployments (1)\n  • c/late\n    DeploymentID: new != AppliedDeploymentID: old')
  expect(told).not.toContain('Large Bundles')
  expect(text(issues(early, plainly))).toContain('✓ No issues detected!')
  expect(text(issues({ timestamp: 'x' }, plainly))).toContain('✓ No issues')
})

test('every kind of trouble that is a list has its section', () => {
  const other = {
    namespace: 'ws',
    name: 'any',
    uid: 'u',
    generation: 1,
    type: 't',
    kind: 'Bundle',
    finalizers: ['a', 'b'],
    finalizerCount: 2,
    clusterCount: 0,
    waitingForValues: false,
    ...ready,
  }
  const kinds: (keyof Diagnostics)[] = [
    'stuckBundleDeployments',
    'gitRepoBundleInconsistencies',
    'invalidSecretOwners',
    'resourcesWithMultipleFinalizers',
    'largeBundles',
    'bundlesWithMissingContent',
    'bundlesWithNoDeployments',
    'gitReposWithNoBundles',
    'clustersWithAgentIssues',
    'clusterGroupsWithNoClusters',
    'bundlesWithMissingGitRepo',
    'bundleDeploymentsWithMissingBundle',
    'gitReposWithCommitMismatch',
    'gitReposWithGenerationMismatch',
    'gitReposUnpolled',
    'bundlesWithGenerationMismatch',
    'bundleDeploymentsWithSyncGenerationMismatch',
  ]
  for (const kind of kinds) {
    const found = issueSections({ timestamp: 'x', diagnostics: { [kind]: [other] } }).filter((section) => section.issues.length > 0)
    expect(found, kind).toHaveLength(1)
    expect(found[0]?.issues[0]?.text, kind).toMatch(/^ws\/any/)
  }
})

test('details of an issue say what is wanted and what is there', () => {
  const told = text(
    issues(
      {
        timestamp: 'x',
        contentIssues: [{ namespace: 'c', name: 'bd', contentName: 's-1', issues: ['content_not_found'] }],
        diagnostics: {
          gitReposWithGenerationMismatch: [repo('r')],
          gitReposUnpolled: [{ ...repo('u'), pollingInterval: 15e9 }],
          clustersWithAgentIssues: [{ namespace: 'ws', name: 'c', ready: false, agentLastSeenAge: '25h0m0s' }],
        },
      },
      plainly,
    ),
  )
  expect(told).toContain('ws/r (gen: 2, observed: 1)')
  expect(told).toContain('ws/u (last polled: never, polling interval: 15s)')
  expect(told).toContain('ws/c (Not Ready) (Last seen: 25h0m0s ago)')
  expect(told).toContain('content_not_found: s-1')
})

test('changes tell counts, troubles and sizes', () => {
  const told = text(allChanges([early, late], plainly))
  expect(told).toContain('Time: 2026-01-01T10:00:00Z → 2026-01-01T11:00:00Z')
  expect(told).toMatch(/Bundles:\s+2 → 3\s+↑/)
  expect(told).toMatch(/Stuck BundleDeployments:\s+0 → 1/)
  expect(told).toContain('ws/one: 2KB → 400KB ⚠ GREW')
  expect(told).not.toContain('ws/same')
  expect(text(allChanges([late, early], plainly))).toContain('✓ SHRUNK')
  expect(() => allChanges([early], plainly)).toThrow('need at least 2 snapshots')
})

test('files are compared in order of time', () => {
  const told = text(comparison({ name: 'b', snapshots: [late] }, { name: 'a', snapshots: [early] }, plainly))
  expect(told).toContain('Before: a (2026-01-01T10:00:00Z)\nAfter:  b (2026-01-01T11:00:00Z)')
})

test('all snapshots are summed up one by one', () => {
  expect(text(allSummaries([early, late], plainly))).toMatch(/Snapshot 1\/2[\s\S]*10:00[\s\S]*Snapshot 2\/2[\s\S]*11:00/)
})

test('the hub itself is told of, and warnings, not other events', () => {
  const event = { namespace: 'ws', involvedKind: 'GitRepo', involvedName: 'r', count: 3, lastTimestamp: 't' }
  const told = text(
    details(
      {
        timestamp: 'x',
        controller: [{ name: 'pod', status: 'Running', restarts: 2 }],
        apiConsistency: { consistent: false, versions: ['2', '1'] },
        recentEvents: [
          { ...event, type: 'Warning', reason: 'Bad', message: 'went\u001b[2J wrong' },
          { ...event, type: 'Normal', reason: 'Good', message: 'fine' },
        ],
      },
      plainly,
    ),
  )
  expect(told).toMatch(/Name:\s+pod[\s\S]*Restarts:\s+2/)
  expect(told).toContain('✗ API inconsistency detected (time travel)\n  Versions seen: 2 1')
  expect(told).toContain('  • [Bad] GitRepo/r: went [2J wrong\n    Last: t (x3)')
  expect(told).not.toContain('Good')
})

test('colours are those of the painter', () => {
  expect(text(issues(early, coloured))).toContain('<green>✓ No issues detected!</>')
})
