// Rendering with the real programs: what helm and kubectl make of a bundle, and what of it becomes a release.
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { BundleDeploymentOptions } from '../../api/bundle-deployment-options.ts'
import { createSlots } from '../../lib/exec/slots.ts'
import { createHelm } from '../../lib/helm/helm.ts'
import { createClient, type KubeClient } from '../../lib/kube/client.ts'
import { loadConnection } from '../../lib/kube/connection.ts'
import type { KubeObject } from '../../lib/kube/types.ts'
import { testCluster, uniqueNamespace } from '../../testing/cluster.ts'
import { type RenderTools, renderBundle } from './render.ts'

let client: KubeClient
let kubeconfig: string
let root: string
let tools: RenderTools

beforeAll(async () => {
  const { bin, kubeconfig: path } = testCluster('downstream')
  root = await mkdtemp(join(tmpdir(), 'render-'))
  const connection = await loadConnection({ kubeconfig: path })
  client = createClient(connection)
  kubeconfig = join(root, 'kubeconfig')
  await writeFile(kubeconfig, connection.toKubeconfig(), { mode: 0o600 })
  const helm = createHelm({ binary: join(bin, 'helm'), home: join(root, 'home'), env: {}, concurrency: 2 })
  tools = { helm, kustomize: { binary: join(bin, 'kubectl'), home: root, slots: createSlots(2) } }
})
afterAll(async () => {
  await client.close()
  await rm(root, { recursive: true, force: true })
})

async function render(
  texts: Record<string, string>,
  options: BundleDeploymentOptions = {},
  release: { upgrade?: boolean; namespace?: string } = {},
) {
  const dir = await mkdtemp(join(root, 'work-'))
  const input = {
    files: Object.entries(texts).map(([name, text]) => ({ name, content: Buffer.from(text) })),
    options,
    values: (options.helm?.values ?? {}) as Record<string, unknown>,
    release: { name: 'demo', namespace: release.namespace ?? 'default', upgrade: release.upgrade ?? false },
    ownChart: { name: 'demo', version: 'v0.0.0+s-1' },
    stamp: { labels: { set: 'x' }, annotations: { id: 'y' } },
  }
  return renderBundle(tools, input, { client, kubeconfig }, dir)
}

const CHART = 'apiVersion: v2\nname: web\nversion: 1.2.3\n'
const configMap = (name: string, data = '{}') => `apiVersion: v1\nkind: ConfigMap\nmetadata: {name: "${name}"}\ndata: ${data}\n`
const dataOf = (object: KubeObject | undefined) => (object as { data?: Record<string, string> } | undefined)?.data
const names = (objects: readonly KubeObject[]) => objects.map(({ metadata }) => metadata.name)
const definition = (group: string, scope = 'Namespaced') =>
  JSON.stringify({
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: `gadgets.${group}` },
    spec: {
      group,
      scope,
      names: { kind: 'Gadget', plural: 'gadgets' },
      versions: [{ name: 'v1', served: true, storage: true, schema: { openAPIV3Schema: { type: 'object' } } }],
    },
  })

describe('plain manifests', () => {
  test('are not rendered, those below templates are', async () => {
    const { manifests, chart, style } = await render({
      'a.yaml': configMap('a', '{k: "{{ .Release.Name }}"}'),
      'templates/b.yaml': configMap('b', '{k: "{{ .Release.Name }}"}'),
    })
    expect(manifests.map(dataOf)).toEqual([{ k: 'demo' }, { k: '{{ .Release.Name }}' }])
    expect(manifests[0]?.metadata).toMatchObject({ labels: { set: 'x' }, annotations: { id: 'y' } })
    expect([chart.name, chart.version, style]).toEqual(['demo', 'v0.0.0+s-1', {}])
  })

  test('of built-in kinds are patched by the keys of their lists', async () => {
    const web = (image: string, extra = '') =>
      `apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: "y"}\nspec: {template: {spec: {containers: [{name: web, image: ${image}}${extra}]}}}\n`
    const { manifests } = await render(
      { 'web.yaml': web('one', ', {name: "n", image: side}'), 'overlays/dev/web_patch.yaml': web('two') },
      { yaml: { overlays: ['dev'] } },
    )
    expect(manifests).toMatchObject([
      {
        metadata: { name: 'y' },
        spec: {
          template: {
            spec: {
              containers: [
                { name: 'web', image: 'two' },
                { name: 'n', image: 'side' },
              ],
            },
          },
        },
      },
    ])
  })
})

describe('a chart', () => {
  test('gives objects, hooks, definitions and its own metadata', async () => {
    const hook = configMap('hook').replace('metadata: {', 'metadata: {annotations: {helm.sh/hook: pre-install}, ')
    const group = `${uniqueNamespace('a')}.example.org`
    const files = {
      'Chart.yaml': CHART,
      'values.yaml': 'k: default\n',
      'templates/a.yaml': configMap('a', '{k: "{{ .Values.k }}"}'),
      'templates/h.yaml': hook,
      'crds/g.yaml': `${definition(group)}\n---\n${definition(`b${group}`)}`,
    }
    const result = await render(files, { helm: { values: { k: 'given' } } })
    expect(result.manifests.map(dataOf)).toEqual([{ k: 'given' }])
    expect(names(result.hooks)).toEqual(['hook'])
    expect(result.hooks[0]?.metadata.labels).toEqual({ set: 'x' })
    expect(result.definitions).toContain(`gadgets.${group}`)
    expect(result.definitions).toContain(`gadgets.b${group}`)
    expect(result).toMatchObject({ chart: { name: 'web', version: '1.2.3' }, defaults: 'k: default\n', style: { chart: '.' } })
  })

  test('that looks at the cluster sees it, its own definitions included', async () => {
    const group = `${uniqueNamespace('look')}.example.org`
    const template = configMap(
      'a',
      `{own: "{{ .Capabilities.APIVersions.Has "${group}/v1/Gadget" }}", old: "{{ .Capabilities.APIVersions.Has "policy/v1beta1" }}", ns: "{{ (lookup "v1" "Namespace" "" "default").metadata.name }}"}`,
    )
    const { manifests } = await render({
      'Chart.yaml': CHART,
      'templates/a.yaml': template,
      'templates/g.yaml': `apiVersion: ${group}/v1\nkind: Gadget\nmetadata: {name: g}\n`,
      'crds/g.yaml': definition(group),
    })
    expect(dataOf(manifests.find(({ kind }) => kind === 'ConfigMap'))).toEqual({ own: 'true', old: 'false', ns: 'default' })
  })

  test('that asks for the revision gets the next one', async () => {
    const files = { 'Chart.yaml': CHART, 'templates/a.yaml': configMap('a', '{r: "{{ .Release.Revision }} {{ .Release.IsUpgrade }}"}') }
    expect((await render(files)).manifests.map(dataOf)).toEqual([{ r: '1 false' }])
    const namespace = uniqueNamespace('revision')
    await client.create({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace } })
    const chart = join(root, `chart-${namespace}`)
    await rm(chart, { recursive: true, force: true })
    const { writeFiles } = await import('./files.ts')
    await writeFiles(chart, [
      { name: 'Chart.yaml', content: Buffer.from(CHART) },
      { name: 'templates/a.yaml', content: Buffer.from(configMap('a')) },
    ])
    await tools.helm.upgrade({ release: 'demo', namespace, kubeconfig, chart, serverSide: true, maxHistory: 2 })
    expect((await render(files, {}, { upgrade: true, namespace })).manifests.map(dataOf)).toEqual([{ r: '2 true' }])
  })

  test.each([
    ['broken-yaml', { 'templates/a.yaml': 'a: [\n' }],
    ['template', { 'templates/a.yaml': '{{ required "colour must be given" .Values.colour }}' }],
    ['kube-version', { 'Chart.yaml': `${CHART}kubeVersion: "< 1.10.0"\n`, 'templates/a.yaml': configMap('a') }],
    ['values-schema', { 'values.schema.json': '{"required": ["x"]}', 'templates/a.yaml': configMap('a') }],
  ] as const)('that cannot be rendered says why: %s', async (kind, files) => {
    await expect(render({ 'Chart.yaml': CHART, ...files })).rejects.toMatchObject({ kind })
  })
})

describe('a forced namespace', () => {
  test('knows the scope of kinds that the bundle itself defines', async () => {
    const group = `${uniqueNamespace('scope')}.example.org`
    const gadget = `apiVersion: ${group}/v1\nkind: Gadget\nmetadata: {name: g}\n`
    const files = { 'Chart.yaml': CHART, 'templates/g.yaml': gadget, 'crds/g.yaml': definition(group) }
    expect((await render(files, { namespace: 'here' })).manifests[0]?.metadata.namespace).toBe('here')
    await expect(render({ ...files, 'crds/g.yaml': definition(group, 'Cluster') }, { namespace: 'here' })).rejects.toMatchObject({
      problem: 'cluster-scoped',
    })
    await expect(render({ 'g.yaml': gadget }, { namespace: 'here' })).rejects.toThrow(
      `no matches for kind "Gadget" in version "${group}/v1"`,
    )
  })
})

describe('a chart with a .helmignore', () => {
  test('is complete: what the archive of a chart holds is not chosen again', async () => {
    const { manifests } = await render({
      'Chart.yaml': CHART,
      '.helmignore': 'templates/b.yaml\nconf\n',
      'templates/a.yaml': configMap('a', '{file: {{ .Files.Get "conf/x" | quote }}}'),
      'templates/b.yaml': configMap('b'),
      'conf/x': 'text',
    })
    expect(names(manifests)).toEqual(['a', 'b'])
    expect(dataOf(manifests[0])).toEqual({ file: 'text' })
  })
})

describe('a chart that', () => {
  test('is a library renders nothing', async () => {
    const { manifests, chart } = await render({
      'Chart.yaml': `${CHART}type: library\n`,
      'templates/_a.tpl': '{{ define "x" }}y{{ end }}',
      'templates/b.yaml': configMap('b'),
    })
    expect(manifests).toEqual([])
    expect(chart).toMatchObject({ name: 'web', version: '1.2.3', type: 'application' })
  })

  test('lacks a dependency is rendered without it', async () => {
    const dependencies = ['one', 'missing'].map((name) => `- {name: ${name}, version: 1.0.0, repository: "", condition: ${name}.enabled}\n`)
    const { manifests } = await render({
      'Chart.yaml': `${CHART}dependencies:\n${dependencies.join('')}`,
      'templates/a.yaml': configMap('a'),
      'charts/one/Chart.yaml': 'apiVersion: v2\nname: one\nversion: 1.0.0\n',
      'charts/one/templates/b.yaml': configMap('b'),
    })
    expect(names(manifests).sort()).toEqual(['a', 'b'])
  })
})

describe('a kustomization', () => {
  test('may name the output of a chart that renders nothing', async () => {
    const { manifests } = await render({
      'Chart.yaml': CHART,
      'templates/a.yaml': '{{ if .Values.on }}nothing{{ end }}',
      'kustomization.yaml': 'resources: [fleet-manifests.yaml, b.yaml]\n',
      'b.yaml': configMap('b'),
    })
    expect(names(manifests)).toEqual(['b'])
  })

  test('changes the output of the chart beside it', async () => {
    const files = {
      'Chart.yaml': CHART,
      'templates/a.yaml': configMap('a'),
      'kustomization.yaml': 'namePrefix: pre-\nresources: [b.yaml]\n',
      'b.yaml': configMap('b'),
    }
    expect(names((await render(files)).manifests).sort()).toEqual(['pre-a', 'pre-b'])
  })

  test('neither downloads nor leaves its root', async () => {
    await expect(render({ 'kustomization.yaml': 'resources: ["https://example.invalid/a.yaml"]\n' })).rejects.toThrow(
      /^kustomization\.yaml refers to https:\/\/example\.invalid\/a\.yaml: agents do not download/,
    )
    await expect(
      render({ 'app/kustomization.yaml': 'resources: [../outside.yaml]\n', 'outside.yaml': configMap('x') }, { kustomize: { dir: 'app' } }),
    ).rejects.toThrow(/security/)
    await expect(render({ 'kustomization.yaml': 'resources: [/etc/passwd]\n' })).rejects.toThrow()
  })

  test('does not download for those that it builds upon, and takes no notice of others', async () => {
    const files = {
      'dev/kustomization.yaml': 'resources: [../base/]\nnamePrefix: dev-\n',
      'base/kustomization.yml': 'resources: [a.yaml]\n',
      'base/a.yaml': configMap('a'),
      'other/kustomization.yaml': 'resources: ["https://example.invalid/a.yaml"]\n',
      'broken/kustomization.yaml': 'resources: [\n',
    }
    const options = { kustomize: { dir: 'dev' } }
    expect(names((await render(files, options)).manifests)).toEqual(['dev-a'])
    const remote = { ...files, 'base/kustomization.yml': 'resources: [a.yaml, ../other]\n' }
    await expect(render(remote, options)).rejects.toThrow(/^other\/kustomization\.yaml refers to https:\/\/example\.invalid\/a\.yaml/)
  })
})
