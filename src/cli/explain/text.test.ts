import { tmpdir } from 'node:os'
import { expect, test } from 'vitest'
import type { Explanation } from '../../explain/types.ts'
import { run } from '../testing/run.ts'
import { explanationText } from './text.ts'

const NOW = Date.UTC(2026, 0, 2, 12)
const plainPaint = (_: string, text: string) => text

const EXPLANATION: Explanation = {
  subject: { kind: 'Bundle', namespace: 'ws', name: 'app' },
  verdict: 'blocked',
  blocking: {
    name: 'apply',
    state: 'blocked',
    reason: 'Forbidden',
    message: '2 of 3 clusters (ws/a, ws/b): cluster ws/a: no\u001b[31m',
    since: '2026-01-02T09:00:00Z',
    nextTry: '2026-01-02T12:00:15Z',
  },
  links: [
    { name: 'source', state: 'ok', message: 'made by hand' },
    {
      name: 'apply',
      state: 'blocked',
      message: '…',
      groups: [
        { state: 'blocked', reason: 'Forbidden', message: 'no', count: 2, total: 3, unit: 'clusters', examples: ['ws/a', 'ws/b'] },
        { state: 'waiting', reason: 'WaitApplied', message: 'later', count: 1, total: 3, unit: 'clusters', examples: ['ws/c'] },
      ],
    },
    { name: 'health', state: 'unknown', message: 'not reached' },
  ],
}

test('the link that blocks comes first, then all of them', () => {
  expect(explanationText(EXPLANATION, NOW, plainPaint)).toEqual([
    'bundle ws/app: blocked at apply',
    '  what      2 of 3 clusters (ws/a, ws/b): cluster ws/a: no [31m',
    '  reason    Forbidden',
    '  since     2026-01-02T09:00:00Z (3h ago)',
    '  next try  2026-01-02T12:00:15Z (in 15s)',
    '',
    '✓ source  made by hand',
    '✗ apply   2 of 3 clusters (ws/a, ws/b): no',
    '          … 1 of 3 clusters (ws/c): later',
    '? health  not reached',
  ])
})

test('what is well needs no details', () => {
  const well: Explanation = { subject: { ...EXPLANATION.subject, cluster: 'a' }, verdict: 'ok', links: [] }
  expect(explanationText(well, NOW, plainPaint)).toEqual(['bundle ws/app on cluster a: ok, everything is deployed and ready', ''])
})

test.each([
  [['explain', 'pod', 'x'], 'pod cannot be explained: choose one of gitrepo, helmop, bundle, bundledeployment, cluster'],
  [['explain', 'bundle', 'a/b/c'], 'a/b/c: write NAME or NAMESPACE/NAME'],
  [['explain', 'bundle'], "missing required argument 'NAME'"],
])('%j is refused', async (args, message) => {
  const { code, stderr } = await run(args, { cwd: tmpdir() })
  expect(code).toBe(2)
  expect(stderr).toContain(message)
})
