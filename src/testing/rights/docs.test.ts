// docs/guides/rights.md says what the chart and registration grant: `npx vitest run --project unit src/testing/rights -u` writes its tables anew.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import type { Cluster } from '../../api/cluster.ts'
import type { ClusterRegistration } from '../../api/cluster-registration.ts'
import type { ClusterRegistrationToken } from '../../api/cluster-registration-token.ts'
import { CLUSTER, CLUSTER_REGISTRATION, CLUSTER_REGISTRATION_TOKEN } from '../../api/kinds.ts'
import { CONTROLLERS } from '../../config/controller.ts'
import type { KubeObject } from '../../lib/kube/types.ts'
import { bootstrapData } from '../../registration/bootstrap-data.ts'
import { grantedRights } from '../../registration/grant.ts'
import { tokenRights } from '../../registration/token.ts'
import { ROOT } from '../fleet.ts'
import { tableBelow, withTables } from './docs.ts'
import { linesOf, type Rule, readRights, rowsOf, rulesOf } from './table.ts'

const FILE = join(ROOT, 'docs', 'guides', 'rights.md')
const rights = readRights()
const VERBS = ['get', 'list', 'watch', 'create', 'update', 'patch', 'delete']

test('the table of rights has all controllers, known verbs, and a reason for each row', () => {
  expect(Object.keys(rights.controllers).sort()).toEqual([...CONTROLLERS].sort())
  for (const { resources, verbs, why, where, unseen } of [...rights.everybody, ...Object.values(rights.controllers).flat()]) {
    expect(resources.length * verbs.length).toBeGreaterThan(0)
    expect(VERBS.filter((verb) => verbs.includes(verb))).toEqual(verbs)
    expect(why).toMatch(/\S/)
    expect([undefined, 'own']).toContain(where)
    if (typeof unseen === 'object') expect(verbs).toEqual(expect.arrayContaining(Object.keys(unseen)))
    for (const resource of resources) expect(resource).toMatch(/^[a-z]+(\.[a-z.0-9]+)?(\/(status|finalizers))?$/)
  }
})

test.each(CONTROLLERS)('no row of %s repeats another', (name) => {
  const all = rights.controllers[name].flatMap((row) => linesOf([...rulesOf([row], undefined), ...rulesOf([row], 'own')]))
  const given = all.filter((line, index) => all.indexOf(line) !== index)
  expect(given).toEqual([])
})

test('the guide shows it', async () => {
  await expect(withTables(readFileSync(FILE, 'utf8'), rights)).toMatchFileSnapshot(FILE)
})

/** `verb resource` of the rows of a table with columns where, resources, verbs. */
function documented(heading: string): string[] {
  const rows = tableBelow(readFileSync(FILE, 'utf8'), heading)
  expect(rows.length).toBeGreaterThan(0)
  const lines = rows.flatMap(([, resources = '', verbs = '']) =>
    resources.split(', ').flatMap((resource) => verbs.split(', ').map((verb) => `${verb} ${resource.split(' ')[0]}`)),
  )
  return lines.sort()
}

function granted(objects: readonly KubeObject[]): string[] {
  const rules = objects.flatMap((object) => (object as { rules?: readonly Rule[] }).rules ?? [])
  return linesOf(rules.map(({ resourceNames: _, ...rule }) => rule)).map((line) => line.replace(/\.fleet\.cattle\.io/, ''))
}

describe('the guide says what is granted to', () => {
  const metadata = { name: 'one', namespace: 'ws', uid: 'uid' }
  const token = { ...CLUSTER_REGISTRATION_TOKEN, metadata, spec: {} } as ClusterRegistrationToken
  const request = { ...CLUSTER_REGISTRATION, metadata, spec: { clientID: 'a', clientRandom: 'b' } } as ClusterRegistration
  const cluster = { ...CLUSTER, metadata, spec: {} } as Cluster
  const grant = { request, cluster, clusterNamespace: 'cluster-ws', systemNamespace: 'system' }
  const credential = grantedRights({ ...grant, token }).filter(({ metadata: { name } }) => name.includes('creds'))

  test('a registration token', () => {
    expect(documented('## A registration token')).toEqual(granted([...tokenRights(token), ...credential]))
  })

  test('an agent', () => {
    expect(documented('## An agent on the hub')).toEqual(
      granted([...grantedRights({ ...grant, token: undefined }), ...bootstrapData('system')]),
    )
  })

  test('nobody more than registration has itself', () => {
    const rows = rowsOf(rights, ['registration'])
    const own = new Set(granted([{ ...CLUSTER, metadata, rules: rulesOf(rows, undefined) } as KubeObject]))
    const passedOn = granted([...tokenRights(token), ...grantedRights({ ...grant, token }), ...bootstrapData('system')])
    expect(passedOn.filter((line) => !own.has(line))).toEqual([])
  })
})
