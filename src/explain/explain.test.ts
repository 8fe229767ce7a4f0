import { expect, test } from 'vitest'
import { CLUSTER_GROUP } from '../api/kinds.ts'
import { BUNDLE_NAME_LABEL, HELM_OP_LABEL } from '../api/labels.ts'
import { explain } from './explain.ts'
import { bundle, cluster, condition, deployment, gitRepo, helmOp, hub, NOW, undeployed } from './objects.testing.ts'
import { BUNDLE, DEPLOYMENT, deploying, ON_ONE, ONE, OP, REPO, two } from './situations.testing.ts'
import type { Explanation } from './types.ts'

const one = deployment('one')
const states = ({ links }: Explanation) => links.map(({ name, state }) => `${name} ${state}`)

test('what is deployed and ready is ok, link by link', () => {
  for (const subject of [REPO, BUNDLE, ON_ONE, ONE, DEPLOYMENT]) {
    const explanation = explain(subject, hub(), NOW)
    expect(explanation.verdict).toBe('ok')
    expect(explanation.blocking).toBeUndefined()
    expect(new Set(explanation.links.map(({ state }) => state))).toEqual(new Set(['ok']))
  }
})

test('links behind the one that blocks were not reached', () => {
  const explanation = explain(ON_ONE, deploying(undeployed('one', { waitingForValues: true }), two), NOW)
  expect(states(explanation)).toEqual([
    'source ok',
    'bundle ok',
    'target ok',
    'rollout waiting',
    'agent unknown',
    'apply unknown',
    'health unknown',
  ])
})

test('a subject that does not exist is missing', () => {
  expect(explain({ ...BUNDLE, name: 'none' }, hub(), NOW)).toMatchObject({
    verdict: 'missing',
    blocking: { message: 'bundle ws/none does not exist' },
  })
})

test('fifty clusters become a few groups with examples, the errors first', () => {
  const names = Array.from({ length: 50 }, (_, index) => `c${String(index).padStart(2, '0')}`)
  const broken = condition('Deployed', 'False', 'configmaps is forbidden: no')
  const bundleDeployments = names.map((name, index) => {
    if (index < 3) return undeployed(name, {}, { conditions: [broken] })
    return index < 20 ? undeployed(name) : deployment(name)
  })
  const { blocking, links } = explain(BUNDLE, hub({ clusters: names.map((name) => cluster(name)), bundleDeployments }), NOW)
  expect(blocking?.message).toMatch(
    /^3 of 50 clusters \(ws\/c00, ws\/c01, ws\/c02\): cluster ws\/c00: configmaps is forbidden.* \(and 1 other case\)$/,
  )
  expect(blocking?.groups).toMatchObject([
    { count: 3, total: 50, reason: 'Forbidden' },
    { count: 17, state: 'waiting' },
  ])
  expect(links.at(-1)).toMatchObject({ name: 'health', state: 'ok', message: expect.stringContaining('30 of 50 clusters') })
})

test('several bundles of a GitRepo are told apart', () => {
  const second = { ...bundle(), metadata: { ...bundle().metadata, name: 'other' } }
  const late = undeployed('two')
  const ofSecond = {
    ...late,
    metadata: { ...late.metadata, name: 'other', labels: { ...late.metadata.labels, [BUNDLE_NAME_LABEL]: 'other' } },
  }
  const { blocking } = explain(
    REPO,
    hub({ bundles: [bundle(), second], bundleDeployments: [one, two, deployment('one', {}, {}, 'other'), ofSecond] }),
    NOW,
  )
  expect(blocking).toMatchObject({ name: 'apply', groups: [{ unit: 'deployments', count: 1, total: 4, examples: ['other on ws/two'] }] })
})

test('a deployment is found by the namespace of its bundle and its cluster, too', () => {
  const { verdict, blocking } = explain(
    { kind: 'BundleDeployment', namespace: 'ws', name: 'app', cluster: 'one' },
    deploying(undeployed('one'), two),
    NOW,
  )
  expect(verdict).toBe('waiting')
  expect(blocking?.name).toBe('apply')
  expect(blocking?.groups).toBeUndefined()
})

test('groups and HelmOps are part of it', () => {
  const grouped = bundle({ targets: [{ clusterGroup: 'prod' }] }, {}, { [HELM_OP_LABEL]: 'op' })
  const group = { ...CLUSTER_GROUP, metadata: { name: 'prod', namespace: 'ws' }, spec: { selector: {} } }
  expect(explain(OP, hub({ helmOps: [helmOp({}, { version: '1.2.3' })], bundles: [grouped], clusterGroups: [group] }), NOW).verdict).toBe(
    'ok',
  )
})

test('polling that is switched off is told although all is well', () => {
  const { verdict, links } = explain(REPO, hub({ gitRepos: [gitRepo({ disablePolling: true })] }), NOW)
  expect(verdict).toBe('ok')
  expect(links[0]?.message).toContain('only seen when a webhook tells (last: never)')
})
