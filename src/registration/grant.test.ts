import { expect, test } from 'vitest'
import { clusterNamespace, registeredClusterName } from '../api/names.ts'
import { credentialName, grantedRights, isReplacedBy, newCluster, tokenOf } from './grant.ts'
import { cluster, registration, token } from './objects.testing.ts'

const request = registration({ clientID: 'id', clientRandom: 'random' })
const grant = {
  request,
  cluster: cluster(),
  clusterNamespace: clusterNamespace('ws', 'one'),
  token: undefined,
  systemNamespace: 'cattle-fleet-system',
}
const kinds = (objects: readonly { kind: string; metadata: { name: string } }[]) =>
  objects.map(({ kind, metadata }) => `${kind} ${metadata.name}`)

test('a new cluster is named after the client; labels can be ignored altogether', () => {
  const name = registeredClusterName('id')
  const asked = registration({ clientID: 'id', clientRandom: 'r', clusterLabels: { env: 'prod' } })
  expect(newCluster(asked, false)).toMatchObject({
    metadata: { name, labels: { env: 'prod', 'fleet.cattle.io/cluster': name } },
    spec: { clientID: 'id' },
  })
  expect(newCluster(asked, true).metadata.labels).toEqual({ 'fleet.cattle.io/cluster': name })
})

test('a registration replaces earlier ones of the same client with another random', () => {
  const later = registration({ clientID: 'id', clientRandom: 'new' }, { name: 'request-b', creationTimestamp: '2026-01-01T00:00:01Z' })
  expect(isReplacedBy(request, later)).toBe(true)
  expect(isReplacedBy(later, request)).toBe(false)
  expect(isReplacedBy(request, request)).toBe(false)
  expect(isReplacedBy({ ...request, spec: { clientID: 'other', clientRandom: 'random' } }, later)).toBe(false)
  expect(isReplacedBy({ ...request, spec: later.spec }, later)).toBe(false)
})

test('without a token nobody may read the credential', () => {
  expect(kinds(grantedRights(grant))).toEqual([
    'ServiceAccount request-a-request-uid',
    'Role request-a',
    'RoleBinding request-a',
    'RoleBinding request-a',
    'ClusterRoleBinding request-a-content',
  ])
})

test('the token of a user may read the one credential it asked for, by a role of the registration', () => {
  const [role, binding] = grantedRights({ ...grant, token: token() }).slice(-2)
  expect(role).toMatchObject({
    metadata: { name: 'request-a-creds', namespace: 'cattle-fleet-clusters-system' },
    rules: [{ verbs: ['get'], resourceNames: [credentialName(request)] }],
  })
  expect(binding).toMatchObject({ subjects: [{ name: 'join-token-uid', namespace: 'ws' }] })
})

test('the token of an import has one role for all its registrations', () => {
  const [role] = grantedRights({ ...grant, token: token({}, { name: 'import-token-one' }) }).slice(-2)
  expect(role?.metadata.name).toBe('import-token-one-token-uid-creds')
})

test('an agent that names no token has that of the import of its cluster', () => {
  const [join, imported] = [token(), token({}, { name: 'import-token-one' })]
  const tokens = {
    get: (name: string, namespace?: string) =>
      [join, imported].find(({ metadata }) => `${metadata.namespace}/${metadata.name}` === `${namespace}/${name}`),
  }
  const naming = (name: string) => registration({}, { labels: { 'fleet.cattle.io/registration-token': name } })
  expect(tokenOf(tokens, naming('join'), cluster())).toBe(join)
  expect(tokenOf(tokens, request, cluster())).toBe(imported)
  expect(tokenOf(tokens, naming('long-gone'), cluster())).toBe(imported)
  expect(tokenOf(tokens, request, cluster({}, {}, { name: 'two' }))).toBeUndefined()
})
