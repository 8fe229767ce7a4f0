import { expect, test } from 'vitest'
import { dumpOptions } from './options.ts'

const FLAGS = {
  'dump-path': 'x.tgz',
  namespace: undefined as string | undefined,
  'default-namespace': 'fleet-local',
  'all-namespaces': false,
  gitrepo: undefined,
  bundle: undefined,
  helmop: undefined,
  'with-secrets': false,
  'with-secrets-metadata': false,
  'with-content': false,
  'with-content-metadata': false,
  'fetch-limit': 500,
}

test('without wishes it is the default workspace, without secrets and contents', () => {
  expect(dumpOptions(FLAGS)).toEqual({
    path: 'x.tgz',
    namespace: 'fleet-local',
    only: undefined,
    secrets: 'none',
    contents: 'none',
    fetchLimit: 500,
  })
})

test('-A is all workspaces, even where the environment names one', () => {
  expect(dumpOptions({ ...FLAGS, 'all-namespaces': true, 'default-namespace': 'cattle-fleet-system' }).namespace).toBeUndefined()
})

test('filters and shares', () => {
  expect(dumpOptions({ ...FLAGS, namespace: 'ws', helmop: 'a', 'with-secrets-metadata': true, 'with-content': true })).toMatchObject({
    namespace: 'ws',
    only: { kind: 'helmop', name: 'a' },
    secrets: 'metadata',
    contents: 'all',
  })
})

test.each([
  [{ 'with-secrets': true, 'with-secrets-metadata': true }, '--with-secrets and --with-secrets-metadata'],
  [{ 'with-content': true, 'with-content-metadata': true }, '--with-content and --with-content-metadata'],
  [{ 'all-namespaces': true, namespace: 'x' }, '--namespace and --all-namespaces'],
  [{ namespace: 'x', gitrepo: 'a', helmop: 'b' }, '--gitrepo and --helmop'],
  [{ bundle: 'a' }, '--bundle needs --namespace'],
  [{ 'all-namespaces': true, gitrepo: 'a' }, '--gitrepo needs --namespace'],
  [{ 'dump-path': undefined }, '--dump-path'],
])('%j is refused', (flags, message) => {
  expect(() => dumpOptions({ ...FLAGS, ...flags } as typeof FLAGS)).toThrow(message)
})
