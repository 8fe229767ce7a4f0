import { tmpdir } from 'node:os'
import { gzipSync } from 'node:zlib'
import { expect, test } from 'vitest'
import { encodeContent } from '../api/content-id.ts'
import { parseYaml } from '../lib/yaml/parse.ts'
import { withPlainVersion } from './deploy/kube-version.ts'
import { run } from './testing/run.ts'

const cwd = tmpdir()
const clusterRole = 'apiVersion: rbac.authorization.k8s.io/v1\nkind: ClusterRole\nmetadata: {name: r}\n'
const map = 'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: m}\n'

function input(files: Record<string, string>, options: object): string {
  const { id, json, sha256 } = encodeContent(Object.entries(files).map(([name, content]) => ({ name, content })))
  const content = {
    apiVersion: 'fleet.cattle.io/v1alpha1',
    kind: 'Content',
    metadata: { name: id },
    content: gzipSync(json).toString('base64'),
    sha256sum: sha256,
  }
  const deployment = {
    apiVersion: content.apiVersion,
    kind: 'BundleDeployment',
    metadata: { name: 'app' },
    spec: { deploymentID: `${id}:1`, options },
  }
  return [deployment, content].map((object) => JSON.stringify(object)).join('\n---\n')
}

test('a dry run prints a list of objects with their marks', async () => {
  const { code, stdout, stderr } = await run(['deploy', '--dry-run', '-i', '-'], {
    cwd,
    input: input({ 'm.yaml': map }, { namespace: 'ns' }),
  })
  expect([code, stderr]).toEqual([0, ''])
  expect(parseYaml(stdout)).toMatchObject([
    { kind: 'ConfigMap', metadata: { name: 'm', namespace: 'ns', annotations: { 'objectset.rio.cattle.io/id': 'default-app' } } },
  ])
})

test('what agents would refuse, or not do, is warned of', async () => {
  const options = { namespace: 'ns', yaml: { overlays: ['typo'] }, helm: { valuesFrom: [{ secretKeyRef: { name: 's' } }] } }
  const { code, stderr } = await run(['deploy', '-d', '-i', '-'], { cwd, input: input({ 'r.yaml': clusterRole }, options) })
  expect(code).toBe(0)
  expect(stderr).toMatch(/overlay typo has no files[\s\S]*ClusterRole r lives in no namespace[\s\S]*valuesFrom is left out/)
})

test.each([
  ['{}', /holds something that is no object/],
  ['apiVersion: v1\nkind: ConfigMap\n', /holds no BundleDeployment/],
  ['a: [', /-:1:\d+: /],
])('%j is refused', async (text, message) => {
  const { code, stderr } = await run(['deploy', '-d', '-i', '-'], { cwd, input: text })
  expect(code).toBe(1)
  expect(stderr).toMatch(message)
})

test('charts see the version as it was given', () => {
  const [template, whole, other] = withPlainVersion([
    {
      name: 'a/templates/x.yaml',
      content: Buffer.from('KubeVersion {{ .Capabilities.KubeVersion.Version | quote }}{{ semver $.Capabilities.KubeVersion.GitVersion }}'),
    },
    {
      name: 'templates/whole.yaml',
      content: Buffer.from(
        '{{ .Capabilities.KubeVersion }}{{- $.Capabilities.KubeVersion | quote -}}{{ with .Capabilities.KubeVersion }}{{ $v := .Capabilities.KubeVersion }}{{ .Capabilities.KubeVersion | toJson }}',
      ),
    },
    { name: 'values.yaml', content: Buffer.from('{{ .Capabilities.KubeVersion.Version }}') },
  ])
  expect(String(template?.content)).toBe(
    'KubeVersion {{ (trimPrefix "v" .Capabilities.KubeVersion.Version) | quote }}{{ semver (trimPrefix "v" $.Capabilities.KubeVersion.GitVersion) }}',
  )
  expect(String(whole?.content)).toBe(
    '{{ (trimPrefix "v" .Capabilities.KubeVersion.Version) }}{{- (trimPrefix "v" $.Capabilities.KubeVersion.Version) | quote -}}{{ with .Capabilities.KubeVersion }}{{ $v := .Capabilities.KubeVersion }}{{ .Capabilities.KubeVersion | toJson }}',
  )
  expect(String(other?.content)).toBe('{{ .Capabilities.KubeVersion.Version }}')
})

test.each([
  ['1', 0],
  ['1.31', 0],
  ['v1.31.2-gke.100+build', 0],
  ['', 0],
  ['new', 2],
])('--kube-version %j', async (version, expected) => {
  const { code } = await run(['deploy', '-d', '-i', '-', '--kube-version', version], { cwd, input: input({ 'm.yaml': map }, {}) })
  expect(code).toBe(expected)
})
