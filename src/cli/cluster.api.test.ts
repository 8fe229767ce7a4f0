// The commands that talk to a cluster, against a real one.
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest'
import type { Bundle } from '../api/bundle.ts'
import { encodeContent } from '../api/content-id.ts'
import type { ImageScan } from '../api/image-scan.ts'
import { BUNDLE, IMAGE_SCAN } from '../api/kinds.ts'
import { configMap } from '../bundle/testing/folder.ts'
import { createClient, type KubeClient } from '../lib/kube/client.ts'
import { loadConnection } from '../lib/kube/connection.ts'
import { parseYaml, parseYamlDocuments } from '../lib/yaml/parse.ts'
import { testCluster, uniqueNamespace } from '../testing/cluster.ts'
import { run } from './testing/run.ts'

const cluster = testCluster('hub')
const NAMESPACE = { apiVersion: 'v1', kind: 'Namespace' }
let client: KubeClient
let cwd: string
const namespace = uniqueNamespace('cli')

beforeAll(async () => {
  client = createClient(await loadConnection({ kubeconfig: cluster.kubeconfig }))
  cwd = await mkdtemp(join(tmpdir(), 'fleet-cli-'))
  await client.create({ ...NAMESPACE, metadata: { name: namespace } })
})
afterAll(async () => {
  await client.delete({ ...NAMESPACE, name: namespace })
  await client.close()
  await rm(cwd, { recursive: true, force: true })
})

const fleet = (args: readonly string[], input = '') =>
  run([...args, '--kubeconfig', cluster.kubeconfig], { cwd, input, env: { PATH: cluster.bin } })

function deployment(name: string, files: Record<string, string>, options: object): string {
  const { id, json, sha256 } = encodeContent(Object.entries(files).map(([file, content]) => ({ name: file, content })))
  const { apiVersion } = BUNDLE
  return [
    { apiVersion, kind: 'BundleDeployment', metadata: { name, namespace: 'none' }, spec: { deploymentID: `${id}:1`, options } },
    { apiVersion, kind: 'Content', metadata: { name: id }, content: gzipSync(json).toString('base64'), sha256sum: sha256 },
  ]
    .map((object) => JSON.stringify(object))
    .join('\n---\n')
}

test('deploy installs a release, and upgrades it', async () => {
  const chart = {
    'Chart.yaml': 'apiVersion: v2\nname: c\nversion: 0.1.0\n',
    'templates/m.yaml': configMap('m').replace('k: v', 'k: {{ .Values.v | quote }}'),
  }
  const release = uniqueNamespace('app')
  for (const v of ['one', 'two']) {
    const input = deployment(release, chart, { helm: { values: { v } } })
    const { code, stdout, stderr } = await fleet(['deploy', '-i', '-', '-n', namespace], input)
    expect(stderr).toBe('')
    expect(code).toBe(0)
    expect(parseYaml(stdout)).toMatchObject([{ kind: 'ConfigMap', metadata: { name: 'm' }, data: { k: v } }])
    const stored = await client.get({ apiVersion: 'v1', kind: 'ConfigMap', namespace, name: 'm' })
    expect(stored).toMatchObject({ data: { k: v }, metadata: { annotations: { 'objectset.rio.cattle.io/id': `default-${release}` } } })
  }
  const releases = await client.list({ apiVersion: 'v1', kind: 'Secret' }, { namespace, labelSelector: `owner=helm,name=${release}` })
  expect(releases.items.map(({ metadata }) => metadata.labels?.version).sort()).toEqual(['1', '2'])
})

test('apply changes nothing the second time, and tells what it did', async () => {
  await writeFile(join(cwd, 'x.yaml'), configMap('x'))
  const args = ['apply', '-n', namespace, '-l', 'fleet.cattle.io/repo-name=twice', 'twice']
  expect((await fleet(args)).stdout).toBe(`bundle ${namespace}/twice created\n`)
  const { metadata } = await client.get<Bundle>({ ...BUNDLE, namespace, name: 'twice' })
  expect((await fleet(args)).stdout).toBe(`bundle ${namespace}/twice unchanged\n`)
  expect((await client.get<Bundle>({ ...BUNDLE, namespace, name: 'twice' })).metadata.resourceVersion).toBe(metadata.resourceVersion)
})

test('apply finds the image scans that it wrote without a label, and leaves those of other GitRepos alone', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'fleet-scans-'))
  onTestFinished(() => rm(folder, { recursive: true, force: true }))
  const scans = (tag: string) => `imageScans: [{image: example/app, tagName: ${tag}, interval: 5m, policy: {semver: {range: "*"}}}]\n`
  const apply = async (tag: string, ...args: string[]) => {
    await writeFile(join(folder, 'fleet.yaml'), scans(tag))
    await writeFile(join(folder, 'x.yaml'), configMap('x'))
    const flags = ['--kubeconfig', cluster.kubeconfig, '-n', namespace, '--imagescan-enabled', ...args]
    return run(['apply', ...flags, 'scanned'], { cwd: folder, env: { PATH: cluster.bin } })
  }
  expect((await apply('one')).code).toBe(0)
  expect(await apply('two')).toMatchObject({ code: 0, stderr: '' })
  const ref = { ...IMAGE_SCAN, namespace, name: 'imagescan-scanned-0' }
  expect(await client.get<ImageScan>(ref)).toMatchObject({ spec: { tagName: 'two', gitrepoName: 'scanned' } })
  await client.patch(ref, { spec: { gitrepoName: 'other' } }, { type: 'merge' })
  expect((await apply('three')).stderr).toContain('the image scan imagescan-scanned-0 belongs to the GitRepo other')
  expect(await client.get<ImageScan>(ref)).toMatchObject({ spec: { tagName: 'two' } })
})

test('target takes a bundle of the cluster, and finds its values in their secret', async () => {
  await writeFile(join(cwd, 'fleet.yaml'), 'helm: {values: {size: 3}}\ntargets: [{clusterSelector: {}}]\n')
  expect((await fleet(['apply', '-n', namespace, 'valued'])).code).toBe(0)
  const stored = await client.get<Bundle>({ ...BUNDLE, namespace, name: 'valued' })
  expect(stored.spec.helm?.values).toBeUndefined()
  const { apiVersion } = BUNDLE
  const ref = { apiVersion, kind: 'Cluster', name: 'one', namespace }
  await client.create({ apiVersion, kind: 'Cluster', metadata: { name: 'one', namespace }, spec: {} } as never)
  await client.patch(ref, { status: { namespace: 'cluster-one' } }, { type: 'merge', subresource: 'status' })
  const { stdout } = await fleet(['target', '-b', '-'], JSON.stringify(stored))
  expect(parseYamlDocuments(stdout)).toMatchObject([
    { kind: 'Content' },
    {
      kind: 'BundleDeployment',
      metadata: { name: 'valued', namespace: 'cluster-one' },
      spec: { options: { helm: { values: { size: 3 } } } },
    },
  ])
})
