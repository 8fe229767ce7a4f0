import { expect, test } from 'vitest'
import type { GitRepo, GitRepoSpec } from '../api/git-repo.ts'
import { FLEET_API_VERSION } from '../api/kinds.ts'
import { namespaceToDelete, removeEverything } from './finalize.ts'

const repo = (spec: Partial<GitRepoSpec>): GitRepo => ({
  apiVersion: FLEET_API_VERSION,
  kind: 'GitRepo',
  metadata: { name: 'repo', namespace: 'ws' },
  spec: { repo: 'https://git.example/a', ...spec },
})

test.each<[Partial<GitRepoSpec>, string | undefined]>([
  [{ targetNamespace: 'team', deleteNamespace: true }, 'team'],
  [{ targetNamespace: 'team' }, undefined],
  [{ targetNamespace: 'team', deleteNamespace: true, keepResources: true }, undefined],
  [{ deleteNamespace: true }, undefined],
  ...[
    'default',
    'kube-system',
    'kube-anything',
    'fleet-local',
    'fleet-default',
    'cattle-fleet-system',
    'cattle-fleet-clusters-system',
    'hub-system',
    'ws',
  ].map((name): [Partial<GitRepoSpec>, undefined] => [{ targetNamespace: name, deleteNamespace: true }, undefined]),
])('with %j the namespace %s goes', (spec, name) => {
  expect(namespaceToDelete(repo(spec), 'hub-system')).toBe(name)
})

test('the namespace goes after the last bundle, and need not be there', async () => {
  const deleted: unknown[] = []
  let remaining = 2
  const deps = {
    systemNamespace: 'hub-system',
    publisher: { remove: async () => ({ remaining }) },
    client: {
      delete: async (ref: unknown) => {
        deleted.push(ref)
        return false
      },
    },
  }
  const gitRepo = repo({ targetNamespace: 'team', deleteNamespace: true })
  expect([await removeEverything(deps, gitRepo), deleted]).toEqual([2, []])
  remaining = 0
  expect([await removeEverything(deps, gitRepo), deleted]).toEqual([0, [{ apiVersion: 'v1', kind: 'Namespace', name: 'team' }]])
})
