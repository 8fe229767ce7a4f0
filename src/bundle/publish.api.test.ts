import { createHash, randomBytes } from 'node:crypto'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import type { Bundle } from '../api/bundle.ts'
import type { GitRepo } from '../api/git-repo.ts'
import type { ImageScan } from '../api/image-scan.ts'
import { BUNDLE, GIT_REPO, IMAGE_SCAN } from '../api/kinds.ts'
import { BUNDLE_VALUES_SECRET } from '../api/labels.ts'
import { TerminalError, WaitingError } from '../lib/controller/errors.ts'
import { silentLogger } from '../lib/controller/log.ts'
import { marshalGoJson } from '../lib/json/go-json.ts'
import type { KubeClient } from '../lib/kube/client.ts'
import { createInformerFactory, type Informer, type InformerFactory } from '../lib/kube/informer.ts'
import type { KubeObject } from '../lib/kube/types.ts'
import { testCluster } from '../testing/cluster.ts'
import { type FaultProxy, startFaultProxy } from '../testing/fault-proxy.ts'
import { clientOf, createNamespace, eventually } from '../testing/kube.ts'
import { type BundlePublisher, createPublisher, type PublishOutcome, publishedBundles, publishedScans } from './publish.ts'
import type { DigestedValues } from './store.ts'
import { configMap, makeFolder, type Tree } from './testing/folder.ts'

interface Secret extends KubeObject {
  type?: string
  data?: Record<string, string>
}

const SECRET = { apiVersion: 'v1', kind: 'Secret' } as const

let client: KubeClient
let watched: KubeClient
let proxy: FaultProxy
let factory: InformerFactory
let bundles: Informer<Bundle>
let secrets: Informer<DigestedValues>
let scans: Informer<ImageScan>
let publisher: BundlePublisher
let namespace: string

beforeAll(async () => {
  const { url, ca, token, kubeconfig } = testCluster('hub')
  watched = await clientOf(kubeconfig)
  proxy = await startFaultProxy({ target: { url, ca, token } })
  client = await clientOf(proxy.kubeconfig)
  factory = createInformerFactory(watched, { log: silentLogger })
  bundles = factory.informer(publishedBundles)
  scans = factory.informer(publishedScans)
  secrets = factory.informer<DigestedValues>({ type: SECRET, fieldSelector: `type=${BUNDLE_VALUES_SECRET}`, project: digested })
  factory.start(new AbortController().signal)
  await factory.waitSynced()
})

afterAll(async () => {
  await factory?.stop()
  await client?.close()
  await proxy?.stop()
  await watched?.close()
})

beforeEach(async () => {
  proxy.resume()
  namespace = await createNamespace(watched, 'publish')
  publisher = createPublisher({ client, bundles, valuesSecrets: secrets, scans, log: silentLogger })
})

function digested({ data, ...secret }: Secret): DigestedValues {
  return {
    ...secret,
    digest: createHash('sha256')
      .update(marshalGoJson(data ?? {}))
      .digest('hex'),
  }
}

function gitRepo(spec: Partial<GitRepo['spec']> = {}, name = 'repo'): GitRepo {
  return { ...GIT_REPO, metadata: { name, namespace }, spec: { repo: 'url', ...spec } }
}

async function publish(tree: Tree, commit = 'c1', repo = gitRepo()): Promise<PublishOutcome> {
  await using folder = await makeFolder(tree)
  return await publisher.publish(repo, { commit, root: folder.root }, new AbortController().signal)
}

function stored(name: string): Promise<Bundle | undefined> {
  return watched.find<Bundle>({ ...BUNDLE, name, namespace })
}

function storedSecret(name: string): Promise<Secret | undefined> {
  return watched.find<Secret>({ ...SECRET, name, namespace })
}

/** The caches have what the API server has. */
async function caughtUp(): Promise<void> {
  const expected = async (type: typeof BUNDLE | typeof SECRET | typeof IMAGE_SCAN, options = {}) =>
    (await watched.list(type, { namespace, ...options })).items.map(({ metadata }) => `${metadata.name} ${metadata.resourceVersion}`).sort()
  const cached = (informer: Informer<KubeObject>) =>
    informer
      .list(namespace)
      .map(({ metadata }) => `${metadata.name} ${metadata.resourceVersion}`)
      .sort()
  await eventually('caches catch up', async () => {
    const pairs = [
      [await expected(BUNDLE), cached(bundles)],
      [await expected(SECRET, { fieldSelector: `type=${BUNDLE_VALUES_SECRET}` }), cached(secrets)],
      [await expected(IMAGE_SCAN), cached(scans)],
    ]
    return pairs.every(([server, cache]) => JSON.stringify(server) === JSON.stringify(cache))
  })
}

function requests(): string[] {
  return proxy.seen
    .filter(({ path }) => path.includes(namespace))
    .map(({ method, path }) => `${method} ${path.split('?')[0]?.split('/').slice(-2).join('/')}`)
}

const VALUES = {
  'fleet.yaml': 'helm: {values: {size: 1}}\ntargetCustomizations: [{name: big, clusterName: c, helm: {values: {size: 9}}}]',
  'cm.yaml': configMap('a'),
}

describe('publish', () => {
  test('makes bundles of the folders, with labels, targets and restrictions', async () => {
    const repo = {
      ...gitRepo({ targets: [{ name: 'all', clusterSelector: {} }], paused: true }),
      metadata: { name: 'repo', namespace, labels: { team: 'red' } },
    }
    expect(await publish({ 'a/cm.yaml': configMap('a'), 'b/fleet.yaml': 'oops: 1', 'b/cm.yaml': '' }, 'c1', repo)).toEqual({
      bundles: 2,
      names: ['repo', 'repo-b'],
      created: 2,
      updated: 0,
      deleted: 0,
      warnings: ['b/fleet.yaml: the key oops is unknown and has no effect: check its spelling'],
    })
    const bundle = await stored('repo-b')
    expect(bundle?.metadata.labels).toEqual({ team: 'red', 'fleet.cattle.io/repo-name': 'repo', 'fleet.cattle.io/commit': 'c1' })
    expect(bundle?.spec).toMatchObject({
      paused: true,
      targets: [{ name: 'all', clusterSelector: {} }],
      targetRestrictions: [{ name: 'all', clusterSelector: {} }],
    })
  })

  test('asks for nothing when nothing has changed', async () => {
    const tree = {
      ...VALUES,
      'logo.bin': Buffer.from([0xff, 0xfe]),
      'x/fleet.yaml': 'imageScans: [{image: i, tagName: t, interval: 5m, policy: {semver: {range: "*"}}}]',
      'x/cm.yaml': '',
    }
    await publish(tree)
    await caughtUp()
    proxy.forget()
    expect(await publish(tree)).toMatchObject({ created: 0, updated: 0, deleted: 0, bundles: 2 })
    expect(requests()).toEqual([])
    await publish(tree, 'c2')
    expect(requests().sort()).toEqual(['PUT bundles/repo', 'PUT bundles/repo-x', 'PUT imagescans/imagescan-repo-x-0'])
  })

  test('replaces spec, labels and annotations completely', async () => {
    await publish({ 'fleet.yaml': 'labels: {one: "1"}\nannotations: {note: a}\nserviceAccount: sa', 'cm.yaml': '' })
    await watched.patch(
      { ...BUNDLE, name: 'repo', namespace },
      { metadata: { labels: { foreign: 'x' }, finalizers: ['example.com/f'] }, spec: { paused: true } },
      { type: 'merge' },
    )
    await caughtUp()
    const before = await stored('repo')
    await publish({ 'fleet.yaml': 'labels: {two: "2"}', 'cm.yaml': '' }, 'c2')
    const after = await stored('repo')
    expect(after?.metadata).toMatchObject({ uid: before?.metadata.uid, finalizers: ['example.com/f'] })
    expect(after?.metadata.labels).toEqual({ two: '2', 'fleet.cattle.io/repo-name': 'repo', 'fleet.cattle.io/commit': 'c2' })
    expect([after?.metadata.annotations, after?.spec.serviceAccount, after?.spec.paused]).toEqual([undefined, undefined, undefined])
    await watched.patch({ ...BUNDLE, name: 'repo', namespace }, { metadata: { finalizers: null } }, { type: 'merge' })
  })

  test('keeps what a cache does not know yet, and overcomes a stale one', async () => {
    const blind = createPublisher({
      client,
      bundles: { get: () => undefined, by: () => [] },
      valuesSecrets: { get: () => undefined },
      log: silentLogger,
    })
    await using folder = await makeFolder(VALUES)
    const signal = new AbortController().signal
    await blind.publish(gitRepo(), { commit: 'c1', root: folder.root }, signal)
    await blind.publish(gitRepo(), { commit: 'c2', root: folder.root }, signal)
    expect((await stored('repo'))?.metadata.labels?.['fleet.cattle.io/commit']).toBe('c2')
    await using later = await makeFolder({ 'other/cm.yaml': '' })
    expect(await blind.publish(gitRepo({ paths: ['other'] }), { commit: 'c3', root: later.root }, signal)).toMatchObject({
      names: ['repo-other'],
      deleted: 1,
    })
    expect(await stored('repo')).toBeUndefined()
  })
})

describe('values', () => {
  test('move to a secret that the bundle owns, and go with it', async () => {
    await publish(VALUES)
    const [bundle, secret] = [await stored('repo'), await storedSecret('repo')]
    expect(secret?.type).toBe(BUNDLE_VALUES_SECRET)
    expect(Object.entries(secret?.data ?? {}).map(([key, value]) => [key, Buffer.from(value, 'base64').toString()])).toEqual([
      ['big', '{"size":9}'],
      ['values.yaml', '{"size":1}'],
    ])
    expect(secret?.metadata.ownerReferences).toMatchObject([
      { kind: 'Bundle', uid: bundle?.metadata.uid, controller: true, blockOwnerDeletion: true },
    ])
    expect(secret?.metadata.labels).toEqual({ 'fleet.cattle.io/repo-name': 'repo' })
    expect(bundle?.spec.helm).toEqual({})
    expect(bundle?.spec.valuesHash).toMatch(/^[0-9a-f]{64}$/)
    await caughtUp()
    await publish({ 'cm.yaml': '' }, 'c2')
    expect(await storedSecret('repo')).toBeUndefined()
    expect((await stored('repo'))?.spec.valuesHash).toBeUndefined()
  })

  test('a secret that is missing or has been changed is repaired', async () => {
    await publish(VALUES)
    await watched.patch({ ...SECRET, name: 'repo', namespace }, { data: { big: 'e30=' } }, { type: 'merge' })
    await caughtUp()
    await publish(VALUES)
    expect(Buffer.from((await storedSecret('repo'))?.data?.big ?? '', 'base64').toString()).toBe('{"size":9}')
    await watched.delete({ ...SECRET, name: 'repo', namespace })
    await caughtUp()
    await publish(VALUES)
    expect(await storedSecret('repo')).toBeDefined()
  })

  test('what was interrupted between bundle and secret is completed by the next run', async () => {
    proxy.fail({ match: ({ method, path }) => method === 'POST' && path.includes(`${namespace}/secrets`), status: 403 })
    await expect(publish(VALUES)).rejects.toThrow()
    expect([await stored('repo'), await storedSecret('repo')]).toEqual([expect.anything(), undefined])
    await caughtUp()
    await publish(VALUES)
    await caughtUp()
    proxy.fail({ match: ({ method, path }) => method === 'PUT' && path.includes(`${namespace}/bundles`), status: 403 })
    await expect(publish({ 'cm.yaml': '' }, 'c2')).rejects.toThrow()
    expect(await storedSecret('repo')).toBeUndefined()
    await caughtUp()
    await publish({ 'cm.yaml': '' }, 'c2')
    expect((await stored('repo'))?.spec.valuesHash).toBeUndefined()
  })

  test('a secret of somebody else is not touched', async () => {
    await watched.create<Secret>({ ...SECRET, metadata: { name: 'repo', namespace }, data: { mine: 'eA==' } })
    await expect(publish(VALUES)).rejects.toThrow(/belongs to somebody else/)
    expect((await storedSecret('repo'))?.data).toEqual({ mine: 'eA==' })
  })
})

describe('pruning', () => {
  test('removes what the commit no longer has, and nothing of others', async () => {
    await publish({ 'a/fleet.yaml': '', 'a/cm.yaml': '', 'b/fleet.yaml': '', 'b/cm.yaml': '' })
    await publish({ 'cm.yaml': '' }, 'c1', gitRepo({}, 'other'))
    await watched.create<Bundle>({ ...BUNDLE, metadata: { name: 'by-hand', namespace }, spec: {} })
    await caughtUp()
    expect(await publish({ 'b/fleet.yaml': '', 'b/cm.yaml': '' }, 'c2')).toMatchObject({ deleted: 1, updated: 1 })
    expect(await stored('repo-a')).toBeUndefined()
    for (const name of ['repo-b', 'other', 'by-hand']) expect(await stored(name)).toBeDefined()
  })

  test('a folder that moves: the new bundle is there first and knows what it takes over, for as long as it has it', async () => {
    const shared = configMap('shared')
    await publish({ 'old/fleet.yaml': '', 'old/cm.yaml': shared, 'old/own.yaml': configMap('own') })
    await caughtUp()
    proxy.forget()
    const moved = { 'new/fleet.yaml': '', 'new/cm.yaml': shared, 'new/own.yaml': configMap('renamed') }
    await publish(moved, 'c2')
    expect(requests()).toEqual([`POST ${namespace}/bundles`, 'DELETE bundles/repo-old'])
    expect((await stored('repo-new'))?.spec.overwrites).toEqual([{ kind: 'ConfigMap', name: 'shared' }])
    await caughtUp()
    proxy.forget()
    await publish(moved, 'c2')
    expect(requests()).toEqual([])
    await publish({ ...moved, 'new/cm.yaml': configMap('another') }, 'c3')
    expect((await stored('repo-new'))?.spec.overwrites).toBeUndefined()
  })

  test('nothing is written or removed when anything is broken, or nothing is there', async () => {
    await publish({ 'gone/fleet.yaml': '', 'gone/cm.yaml': '' })
    await caughtUp()
    proxy.forget()
    await expect(publish({ 'a/fleet.yaml': '', 'a/cm.yaml': '', 'b/fleet.yaml': 'paused: [' }, 'c2')).rejects.toThrow(/^b\/fleet\.yaml:/)
    await expect(publish({ 'x.txt': '' }, 'c2')).rejects.toThrow('no resource found at the following paths to deploy: [.]')
    expect(requests()).toEqual([])
    expect(await stored('repo-gone')).toBeDefined()
  })
})

describe('refusals', () => {
  test('names of other GitRepos and of HelmOps, before anything is written', async () => {
    await publish({ 'cm.yaml': '' }, 'c1', gitRepo({}, 'other'))
    await watched.create<Bundle>({ ...BUNDLE, metadata: { name: 'op', namespace }, spec: { helmOpOptions: {} } })
    await caughtUp()
    proxy.forget()
    const tree = {
      'a/fleet.yaml': 'name: other',
      'a/cm.yaml': '',
      'b/fleet.yaml': 'name: op',
      'b/cm.yaml': '',
      'c/fleet.yaml': '',
      'c/cm.yaml': '',
    }
    await expect(publish(tree)).rejects.toThrow(
      new TerminalError(
        'the bundle op belongs to the HelmOp op: set another name in fleet.yaml\nthe bundle other belongs to the GitRepo other: set another name in fleet.yaml',
      ),
    )
    expect(requests()).toEqual([])
  })

  test('a bundle that is being deleted is waited for', async () => {
    await watched.create<Bundle>({
      ...BUNDLE,
      metadata: { name: 'repo', namespace, finalizers: ['example.com/hold'] },
      spec: { serviceAccount: 'old' },
    })
    await watched.delete({ ...BUNDLE, name: 'repo', namespace })
    await caughtUp()
    await expect(publish({ 'cm.yaml': '' })).rejects.toThrow(WaitingError)
    expect((await stored('repo'))?.spec.serviceAccount).toBe('old')
    await watched.patch({ ...BUNDLE, name: 'repo', namespace }, { metadata: { finalizers: null } }, { type: 'merge' })
  })

  test('what the API server refuses for good is told to the user', async () => {
    await expect(publish({ 'fleet.yaml': 'targetCustomizationMode: Sometimes', 'cm.yaml': '' })).rejects.toThrow(
      /^the bundle repo is refused: .*targetCustomizationMode/,
    )
    const incompressible = randomBytes(5_000_000)
    await expect(publish({ 'noise.bin': incompressible, 'cm.yaml': '' })).rejects.toThrow(
      /^the bundle repo is larger than the API server takes/,
    )
  })
})

describe('image scans', () => {
  const fleet = (image: string) => ({
    'fleet.yaml': `labels: {a: b}\nimageScans: [{image: ${image}, tagName: app, interval: 5m, policy: {semver: {range: "*"}}}]`,
    'cm.yaml': '',
  })
  const scan = () => watched.find<ImageScan>({ ...IMAGE_SCAN, name: 'imagescan-repo-0', namespace })

  test('follow fleet.yaml', async () => {
    await publish(fleet('one'))
    expect(await scan()).toMatchObject({
      metadata: { labels: { a: 'b', 'fleet.cattle.io/repo-name': 'repo' } },
      spec: { gitrepoName: 'repo', image: 'one', interval: '5m0s' },
    })
    await caughtUp()
    await publish(fleet('two'))
    expect((await scan())?.spec.image).toBe('two')
    await caughtUp()
    await publish({ 'cm.yaml': '' })
    expect(await scan()).toBeUndefined()
  })
})

describe('remove', () => {
  test('deletes bundles and scans of the GitRepo, and says how many are left', async () => {
    await publish({
      'a/fleet.yaml': 'imageScans: [{image: i, tagName: t, policy: {}}]',
      'a/cm.yaml': '',
      'b/fleet.yaml': '',
      'b/cm.yaml': '',
    })
    await publish({ 'cm.yaml': '' }, 'c1', gitRepo({}, 'other'))
    expect(await publisher.remove(gitRepo())).toEqual({ remaining: 2 })
    await caughtUp()
    expect(await publisher.remove(gitRepo())).toEqual({ remaining: 0 })
    expect((await watched.list(BUNDLE, { namespace })).items.map(({ metadata }) => metadata.name)).toEqual(['other'])
    expect((await watched.list(IMAGE_SCAN, { namespace })).items).toEqual([])
  })
})
