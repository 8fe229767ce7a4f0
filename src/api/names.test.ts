import { expect, test } from 'vitest'
import { checkVectors } from '../testing/vectors.ts'
import { agentHashes, caHash } from './agent-hashes.ts'
import type { BundleResource } from './bundle.ts'
import type { ClusterSpec } from './cluster.ts'
import { encodeContent } from './content-id.ts'
import type { GitTarget } from './git-repo.ts'
import {
  chartDirectory,
  clusterNamespace,
  gitJobName,
  helmReleaseName,
  hex,
  keyHash,
  limit,
  registrationNamespace,
  registrationSecretName,
  safeConcatName,
  setHash,
  setId,
} from './names.ts'
import { secretHash } from './secret-hash.ts'
import { targetsFile } from './targets-file.ts'

type Input = {
  kind: string
  data: Record<string, string>
  parts: string[]
  targets: GitTarget[]
  resources: BundleResource[]
  spec: ClusterSpec
} & Record<
  | 'text'
  | 'namespace'
  | 'name'
  | 'clientID'
  | 'clientRandom'
  | 'repo'
  | 'commit'
  | 'chart'
  | 'version'
  | 'bundle'
  | 'prefix'
  | 'agentScope',
  string
> & { length: number }

const answers: Record<string, (input: Input) => unknown> = {
  'safe-concat': ({ parts }) => safeConcatName(...parts),
  'key-hash': ({ text }) => keyHash(text),
  hex: ({ text, length }) => hex(text, length),
  limit: ({ text, length }) => limit(text, length),
  'helm-release-name': ({ text }) => helmReleaseName(text),
  'cluster-namespace': ({ namespace, name }) => clusterNamespace(namespace, name),
  'registration-secret': ({ clientID, clientRandom }) => registrationSecretName(clientID, clientRandom),
  'registration-namespace': ({ text }) => registrationNamespace(text),
  'git-job': ({ name, repo, commit }) => gitJobName(name, repo, commit),
  'chart-directory': ({ chart, repo, version }) => chartDirectory(chart, repo, version),
  'set-id': ({ bundle, prefix, agentScope }) => setId(prefix, bundle, agentScope),
  'targets-configmap': ({ name, targets }) => targetsFile(name, targets),
  'secret-hash': ({ data }) => secretHash(data),
  'content-id': ({ resources }) => {
    const { id, sha256, json } = encodeContent(resources)
    return { id, sha256, text: json }
  },
  'status-hash': ({ spec }) => agentHashes(spec),
}

checkVectors('names.json', (input: Input) => answers[input.kind]?.(input))

test('the set of an owner', () => {
  const owner = { kind: 'fleet.cattle.io/v1alpha1, Kind=ClusterRegistrationToken', name: 'token', namespace: 'fleet-default' }
  expect(setHash('cluster-group-token', owner)).not.toBe(setHash('cluster-group-token'))
  expect(setHash('a', { kind: 'b', name: 'c', namespace: 'd' })).toBe(setHash('abcd'))
})

test('the hash of certificates is that of their base64 in quotes', () => {
  expect(caHash(Buffer.from('ca'))).toBe(caHash(new Uint8Array([0x63, 0x61])))
  expect(caHash(Buffer.from('ca'))).toHaveLength(56)
})

test('a path that is nothing but a slash gets the hash of the path itself', () => {
  expect(helmReleaseName('/')).toBe('6666cd76f96956469e7be39d')
})
