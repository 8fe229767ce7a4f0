// What a bundle can have wrong with it by the time it reaches a cluster. Each mistake is named in the status of its deployment; the agent goes on, and a bundle
// without mistakes that comes along at the same time is deployed as if nothing was.
import { randomBytes } from 'node:crypto'
import { beforeAll, describe, expect, test } from 'vitest'
import type { KubeClient } from '../../lib/kube/client.ts'
import type { KubeObject } from '../../lib/kube/types.ts'
import { type TestBundle, useAgent } from '../agent-scene.ts'
import { uniqueNamespace } from '../cluster.ts'
import { eventually } from '../eventually.ts'
import { CONFIG_MAP, createNamespace } from '../kube.ts'

type ConditionType = Parameters<typeof scene.refused>[1]

const scene = useAgent()
beforeAll(() => scene.start())

const map = (name: string, data: Record<string, string> = { k: 'v' }) => ({ ...CONFIG_MAP, metadata: { name }, data })
const chart = { 'Chart.yaml': 'apiVersion: v2\nname: demo\nversion: 1.0.0\n' }
const GROUP = 'bad-input.example.com'
/** What fails is tried again after pauses as long as all that went before. */
const NEXT_TRY_MS = 120_000

/** Deploys a bundle with a mistake and one without; resolves when the mistake is named and the other one is ready. */
async function mistaken(name: string, bundle: TestBundle, type: ConditionType, message: RegExp): Promise<void> {
  const beside = uniqueNamespace('beside')
  const { pid } = scene
  await Promise.all([scene.deploy(name, bundle), scene.deploy(beside, { files: { 'a.json': map('fine') } })])
  await Promise.all([scene.refused(name, type, message), scene.ready(beside)])
  expect(scene.isRunning && scene.pid === pid, 'the agent was not restarted').toBe(true)
}

/** An account in the agent's namespace that may do this in one namespace. */
async function account(namespace: string, rules: readonly object[]): Promise<string> {
  const name = uniqueNamespace('account')
  const group = 'rbac.authorization.k8s.io'
  const subjects = [{ kind: 'ServiceAccount', name, namespace: scene.agentNamespace }]
  const objects = [
    { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name, namespace: scene.agentNamespace } },
    { apiVersion: `${group}/v1`, kind: 'Role', metadata: { name, namespace }, rules },
    {
      apiVersion: `${group}/v1`,
      kind: 'RoleBinding',
      metadata: { name, namespace },
      roleRef: { apiGroup: group, kind: 'Role', name },
      subjects,
    },
  ]
  for (const object of objects) await scene.down.create(object as KubeObject)
  return name
}

/** Files whose YAML repeats itself again and again. */
function laughs(levels: number): string {
  const lines = Array.from({ length: levels }, (_, level) => `  l${level + 1}: &l${level + 1} [${Array(10).fill(`*l${level}`).join(', ')}]`)
  return `apiVersion: v1\nkind: ConfigMap\nmetadata: {name: laughs}\ndata:\n  l0: &l0 [ha]\n${lines.join('\n')}\n`
}

const SIMPLE: readonly (readonly [string, TestBundle, ConditionType, RegExp])[] = [
  ['broken YAML', { files: { 'a.yaml': 'kind: [ConfigMap\n' } }, 'Installed', /a\.yaml is no valid YAML/],
  [
    'broken YAML in a kustomization',
    { files: { 'kustomization.yaml': 'resources: [\n' } },
    'Installed',
    /kustomization\.yaml is no valid YAML/,
  ],
  ['a broken template', { files: { ...chart, 'templates/a.yaml': 'kind: {{ .Values.x \n' } }, 'Deployed', /templates\/a\.yaml/],
  ['a template that makes broken YAML', { files: { ...chart, 'templates/a.yaml': 'kind: [{{ 1 }}\n' } }, 'Installed', /YAML parse error/],
  ['something that is no object', { files: { 'a.yaml': '- one\n- two\n' } }, 'Deployed', /a\.yaml holds something that is no object/],
  [
    'a map with itself in it',
    { files: { 'a.yaml': 'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\ndata: &d {self: *d}\n' } },
    'Installed',
    /a\.yaml.*(alias|anchor)/,
  ],
  ['aliases that multiply', { files: { 'a.yaml': laughs(12) } }, 'Installed', /a\.yaml.*more than/],
  [
    'a kind that nobody knows',
    { files: { 'a.json': { ...map('a'), apiVersion: `${GROUP}/v1`, kind: 'Nothing' } } },
    'Deployed',
    /no matches for kind "Nothing"/,
  ],
  ['an object without a name', { files: { 'a.json': { ...CONFIG_MAP, metadata: {} } } }, 'Deployed', /name/],
  ['a field that does not exist', { files: { 'a.json': { ...map('a'), dada: {} } } }, 'Installed', /dada/],
  ['a name that cannot be', { files: { 'a.json': map('NO_NAME') } }, 'Deployed', /NO_NAME/],
  [
    'an object that is too large',
    { files: { 'a.json': map('a', { k: 'x'.repeat(1_100_000) }) } },
    'Deployed',
    /Too long|too large|may not be more/i,
  ],
  ['files that compress badly', { resources: random(2) }, 'Deployed', /too large|Too long/i],
  [
    'an account that does not exist',
    { files: { 'a.json': map('a') }, options: { serviceAccount: 'nobody' } },
    'Deployed',
    /service account.*nobody.*not found/,
  ],
  [
    'values that are missing',
    { files: { 'a.json': map('a') }, options: { helm: { valuesFrom: [{ configMapKeyRef: { name: 'none' } }] } } },
    'Deployed',
    /none/,
  ],
]

/** Config maps of half a megabyte each. */
function random(count: number) {
  return Array.from({ length: count }, (_, index) => {
    const object = { ...CONFIG_MAP, metadata: { name: `random-${index}` }, binaryData: { bytes: randomBytes(480_000).toString('base64') } }
    return { name: `${index}.json`, content: JSON.stringify(object) }
  })
}

describe.concurrent('a bundle with', () => {
  test.each(SIMPLE)('%s', async (_, bundle, type, message) => {
    await mistaken(uniqueNamespace('bad'), bundle, type, message)
  })

  test('an object twice is deployed once', async () => {
    const name = uniqueNamespace('twice')
    await scene.deploy(name, { files: { 'a.json': map('a', { from: 'first' }), 'b.json': map('a', { from: 'last' }) } })
    await scene.ready(name)
    expect(await scene.down.get({ ...CONFIG_MAP, name: 'a', namespace: name })).toMatchObject({ data: { from: 'last' } })
  })

  test('a kind whose definition is missing becomes ready when it comes', async () => {
    const name = uniqueNamespace('late')
    const kind = `Late${name.slice(-6)}`
    const plural = `${kind.toLowerCase()}s`
    const object = { apiVersion: `${GROUP}/v1`, kind, metadata: { name: 'one' }, spec: { text: 'x' } }
    await mistaken(name, { files: { 'a.json': object, 'b.json': map('beside') } }, 'Deployed', new RegExp(`no matches for kind "${kind}"`))
    const schema = { type: 'object', 'x-kubernetes-preserve-unknown-fields': true }
    await scene.down.create({
      apiVersion: 'apiextensions.k8s.io/v1',
      kind: 'CustomResourceDefinition',
      metadata: { name: `${plural}.${GROUP}` },
      spec: {
        group: GROUP,
        scope: 'Namespaced',
        names: { kind, plural },
        versions: [{ name: 'v1', served: true, storage: true, schema: { openAPIV3Schema: schema } }],
      },
    } as KubeObject)
    await scene.ready(name, NEXT_TRY_MS)
  })

  test('a kind that its account may not touch', async () => {
    const name = await createNamespace(scene.down, 'limited')
    const serviceAccount = await account(name, [{ apiGroups: [''], resources: ['configmaps', 'secrets'], verbs: ['*'] }])
    const files = { 'a.json': map('a'), 'b.json': { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name: 'b' } } }
    await mistaken(name, { files, options: { serviceAccount } }, 'Deployed', /serviceaccounts.*forbidden/)
  })

  test('a field that cannot be changed', async () => {
    const name = uniqueNamespace('fixed')
    const fixed = (text: string): TestBundle => ({ files: { 'a.json': { ...map('a', { text }), immutable: true } } })
    await scene.deploy(name, fixed('one'))
    await scene.ready(name)
    await mistaken(name, fixed('two'), 'Installed', /immutable/)
    expect(await scene.down.get({ ...CONFIG_MAP, name: 'a', namespace: name })).toMatchObject({ data: { text: 'one' } })
    await scene.deploy(name, fixed('one'))
    await scene.ready(name)
  })

  test('a chart whose hook fails', async () => {
    const name = uniqueNamespace('hook')
    await Promise.all([
      mistaken(name, { files: { ...chart, 'templates/a.json': JSON.stringify(HOOK) } }, 'Installed', /pre-install.*hook/),
      failPods(scene.down, name),
    ])
  })

  test('a namespace that is being deleted is deployed when it is gone', async () => {
    const name = await createNamespace(scene.down, 'leaving')
    const last = { ...CONFIG_MAP, name: 'last', namespace: name }
    await scene.down.create({ ...CONFIG_MAP, metadata: { name: 'last', namespace: name, finalizers: [`${GROUP}/wait`] } })
    await scene.down.delete({ apiVersion: 'v1', kind: 'Namespace', name })
    await mistaken(name, { files: { 'a.json': map('a') } }, 'Deployed', /being terminated/)
    await scene.down.patch(last, { metadata: { finalizers: null } }, { type: 'merge' })
    await scene.ready(name, NEXT_TRY_MS)
  })
})

test('a record of somebody else that cannot be read keeps no bundle from being removed', async () => {
  const name = uniqueNamespace('removed')
  const namespace = await createNamespace(scene.down, 'foreign')
  const labels = { owner: 'helm', name: 'broken', status: 'deployed', version: '1' }
  const metadata = { name: 'sh.helm.release.v1.broken.v1', namespace, labels }
  const secret = { apiVersion: 'v1', kind: 'Secret', metadata, type: 'helm.sh/release.v1', stringData: { release: 'no release' } }
  await scene.down.create(secret as KubeObject)
  await scene.deploy(name, { files: { 'a.json': map('a') } })
  await scene.ready(name)
  await scene.remove(name)
  await eventually(async () => expect(await scene.down.find({ ...CONFIG_MAP, name: 'a', namespace: name })).toBeUndefined())
  expect(await scene.down.find({ apiVersion: 'v1', kind: 'Secret', name: metadata.name, namespace })).toBeDefined()
})

const HOOK = {
  apiVersion: 'batch/v1',
  kind: 'Job',
  metadata: { name: 'hook', annotations: { 'helm.sh/hook': 'pre-install' } },
  spec: {
    backoffLimit: 0,
    template: { spec: { restartPolicy: 'Never', containers: [{ name: 'main', image: 'none' }] } },
  },
}

/** Plays the node: the first pod in a namespace fails. */
async function failPods(client: KubeClient, namespace: string): Promise<void> {
  const pod = await eventually(async () => {
    const [first] = (await client.list<KubeObject>({ apiVersion: 'v1', kind: 'Pod' }, { namespace })).items
    if (!first) throw new Error('no pod')
    return first
  })
  const ref = { apiVersion: 'v1', kind: 'Pod', name: pod.metadata.name, namespace }
  await client.patch(ref, { status: { phase: 'Failed' } }, { type: 'merge', subresource: 'status' })
}
