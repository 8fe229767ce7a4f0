// A chart in a repository becomes running objects, follows its repository, and survives what goes wrong with it.
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { BundleDeployment } from '../../api/bundle-deployment.ts'
import type { HelmOp, HelmOpSpec } from '../../api/helm-op.ts'
import { BUNDLE, BUNDLE_DEPLOYMENT, FLEET_API_VERSION, HELM_OP } from '../../api/kinds.ts'
import { HELM_OPS_SECRET } from '../../api/labels.ts'
import { WORKSPACE } from '../../devcluster/fleet-objects.ts'
import type { KubeObject, ObjectRef } from '../../lib/kube/types.ts'
import { type ChartServer, startChartServer } from '../chart-server.ts'
import { consistently, eventually } from '../eventually.ts'
import { configMapRef, useFleet } from '../fleet.ts'

type ConfigMap = KubeObject & { data?: Record<string, string> }

const encode = (text: string): string => Buffer.from(text).toString('base64')

const USER = { username: 'puller', password: 'chart-canary-3141' }
const fleet = useFleet()
let charts: ChartServer
let guarded: ChartServer
let encrypted: ChartServer
beforeAll(async () => {
  ;[charts, guarded, encrypted] = await Promise.all([startChartServer(), startChartServer({ auth: USER }), startChartServer({ tls: true })])
})
afterAll(() => Promise.all([charts, guarded, encrypted].map((server) => server?.stop())))

const TEMPLATE =
  'apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: {{ .Release.Name }}\ndata:\n  version: {{ .Chart.Version }}\n  text: {{ .Values.text | quote }}\n'
const FILES = { 'values.yaml': 'text: chart\n', 'templates/cm.yaml': TEMPLATE }

function publish(server: ChartServer, repository: string, version: string): Promise<string> {
  return server.publish(repository, 'hello', version, FILES)
}

function refOf(name: string): ObjectRef {
  return { ...HELM_OP, name, namespace: WORKSPACE }
}

async function apply(name: string, { helm, ...spec }: Partial<HelmOpSpec>): Promise<void> {
  const full = { defaultNamespace: name, targets: [{ clusterSelector: {} }], helm: { releaseName: name, ...helm }, ...spec }
  const object = { apiVersion: FLEET_API_VERSION, kind: 'HelmOp', metadata: { name, namespace: WORKSPACE }, spec: full } as KubeObject
  await fleet.hub.apply(object, { fieldManager: 'story', force: true })
}

/** Waits until a version runs on the member cluster and the hub says so. */
function runs(name: string, version: string, text = 'chart'): Promise<void> {
  return eventually(
    async () => {
      const { status } = await fleet.hub.get<HelmOp>(refOf(name))
      const found = (await fleet.down.find<ConfigMap>(configMapRef(name, name)))?.data
      expect({ found, version: status?.version, state: status?.display?.readyBundleDeployments }, JSON.stringify(status)).toEqual({
        found: { version, text },
        version,
        state: '1/1',
      })
    },
    { what: `${name} ${version}`, timeoutMs: 90_000 },
  )
}

async function applySecret(name: string, values: Record<string, string>, namespace = WORKSPACE): Promise<void> {
  const data = Object.fromEntries(Object.entries(values).map(([key, value]) => [key, encode(value)]))
  const secret = { apiVersion: 'v1', kind: 'Secret', metadata: { name, namespace }, data }
  await fleet.hub.apply(secret as KubeObject, { fieldManager: 'story', force: true })
}

async function deploymentOf(name: string): Promise<BundleDeployment | undefined> {
  const { items } = await fleet.hub.list<BundleDeployment>(BUNDLE_DEPLOYMENT, { labelSelector: `fleet.cattle.io/fleet-helm-name=${name}` })
  return items[0]
}

describe('a HelmOp', () => {
  test('is deployed, and a new version of its chart rolls out within its polling interval', async () => {
    await publish(charts, 'moving', '1.0.0')
    await apply('moving', {
      helm: { repo: charts.repository('moving'), chart: 'hello', version: '1.x', values: { text: 'mine' } },
      pollingInterval: '2s',
    })
    await runs('moving', '1.0.0', 'mine')
    await publish(charts, 'moving', '2.0.0')
    await publish(charts, 'moving', '1.1.0')
    const published = Date.now()
    await eventually(async () => {
      expect((await fleet.hub.get<HelmOp>(refOf('moving'))).status?.version).toBe('1.1.0')
    })
    expect(Date.now() - published).toBeLessThan(12_000) // an interval, and the work of a busy machine; a question that failed waits 15 s
    await runs('moving', '1.1.0', 'mine')

    await fleet.hub.delete(refOf('moving'))
    await fleet.gone(fleet.hub, refOf('moving'))
    await fleet.gone(fleet.hub, { ...BUNDLE, name: 'moving', namespace: WORKSPACE })
    await fleet.gone(fleet.down, configMapRef('moving', 'moving'))
  })

  test('loses nothing while its repository is down', async () => {
    await publish(charts, 'flaky', '1.0.0')
    await apply('flaky', { helm: { repo: charts.repository('flaky'), chart: 'hello', version: '1.x' }, pollingInterval: '2s' })
    await runs('flaky', '1.0.0')
    charts.handle('/flaky/index.yaml', (_request, response) => void response.writeHead(503).end())
    await fleet.condition(refOf('flaky'), 'Polled', 'False', /503/)
    await fleet.condition(refOf('flaky'), 'Stalled', 'True', /503/)
    await runs('flaky', '1.0.0')
    // other changes are carried out all the same, with the chart that the agent has
    const isArchive = (path: string): boolean => path.endsWith('.tgz')
    const downloads = charts.seen.filter(({ path }) => isArchive(path)).length
    await apply('flaky', {
      helm: { repo: charts.repository('flaky'), chart: 'hello', version: '1.x', values: { text: 'changed' } },
      pollingInterval: '2s',
    })
    await runs('flaky', '1.0.0', 'changed')
    expect(charts.seen.filter(({ path }) => isArchive(path))).toHaveLength(downloads)
    await publish(charts, 'flaky', '1.2.0')
    await runs('flaky', '1.2.0', 'changed')
    await fleet.condition(refOf('flaky'), 'Polled', 'True')
    await fleet.condition(refOf('flaky'), 'Stalled', 'False')
  })

  test('waits for an archive that its cluster cannot get, says so, and keeps what runs', async () => {
    await publish(charts, 'half', '1.0.0')
    await apply('half', { helm: { repo: charts.repository('half'), chart: 'hello', version: '1.0.0' } })
    await runs('half', '1.0.0')
    await publish(charts, 'half', '1.1.0')
    const down = { status: 503 }
    charts.handle('/half/hello-1.1.0.tgz', (_request, response) => void response.writeHead(down.status).end())
    await apply('half', { helm: { repo: charts.repository('half'), chart: 'hello', version: '1.1.0' } })
    await eventually(async () => {
      const deployment = await deploymentOf('half')
      const deployed = deployment?.status?.conditions?.find(({ type }) => type === 'Deployed')
      expect(deployed).toMatchObject({ status: 'False', message: expect.stringMatching(/chart hello 1\.1\.0 of .*error code 503/) })
    })
    expect((await fleet.down.get<ConfigMap>(configMapRef('half', 'half'))).data?.version).toBe('1.0.0')
    await publish(charts, 'half', '1.1.0')
    await runs('half', '1.1.0')
  })

  test('gets into a private repository with its secret, in every cluster', async () => {
    await publish(guarded, 'private', '1.0.0')
    const secret = (password: string) => applySecret('pull', { username: USER.username, password })
    const helm = { repo: guarded.repository('private'), chart: 'hello', version: '1.x' }
    await secret('wrong')
    await apply('private', { helm, helmSecretName: 'pull' })
    await fleet.condition(refOf('private'), 'Accepted', 'False', /401/)
    await secret(USER.password)
    await runs('private', '1.0.0')
    const namespace = (await deploymentOf('private'))?.metadata.namespace ?? ''
    const copy = { apiVersion: 'v1', kind: 'Secret', name: 'pull', namespace }
    expect(await fleet.hub.get(copy)).toMatchObject({ type: HELM_OPS_SECRET })
    await secret('rotated-canary-2718')
    await eventually(async () => expect(await fleet.hub.get(copy)).toMatchObject({ data: { password: encode('rotated-canary-2718') } }))
    expect(fleet.logs()).not.toContain(USER.password)
    expect(JSON.stringify([await fleet.hub.get(refOf('private')), await deploymentOf('private')])).not.toContain(USER.password)
    await fleet.hub.delete(refOf('private'))
    await fleet.gone(fleet.down, configMapRef('private', 'private'))
    await fleet.gone(fleet.hub, copy)
  })

  test('comes from a registry, in the version that fits, without TLS if its secret says so', async () => {
    const registry = await charts.push('oci', 'hello', '1.0.0', FILES)
    await charts.push('oci', 'hello', '1.4.0', FILES)
    await charts.push('oci', 'hello', '2.0.0', FILES)
    await applySecret('plain', { basicHTTP: 'true' })
    await apply('registry', { helm: { repo: registry, version: '^1.0' }, helmSecretName: 'plain' })
    await runs('registry', '1.4.0')
  })

  test('follows its registry, and loses nothing while that is down', async () => {
    const repo = await charts.push('followed', 'hello', '1.0.0', FILES)
    await applySecret('plain', { basicHTTP: 'true' })
    await apply('followed', { helm: { repo, version: '>=1.0.0' }, helmSecretName: 'plain', pollingInterval: '2s' })
    await runs('followed', '1.0.0')
    charts.handle('/v2/followed/hello/tags/list', (_request, response) => void response.writeHead(503).end())
    await fleet.condition(
      refOf('followed'),
      'Polled',
      'False',
      /could not get a chart version: the registry answers for .*\/followed\/hello with status 503/,
    )
    await fleet.condition(refOf('followed'), 'Accepted', 'True')
    await runs('followed', '1.0.0')
    await charts.push('followed', 'hello', '20240101', FILES) // no version of a chart, however high
    await charts.push('followed', 'hello', '1.1.0', FILES)
    await runs('followed', '1.1.0')
    await fleet.condition(refOf('followed'), 'Polled', 'True')
  })

  test('trusts on the hub and in clusters what Rancher trusts', async () => {
    await publish(encrypted, 'trusted', '1.0.0')
    await apply('trusted', { helm: { repo: encrypted.repository('trusted'), chart: 'hello', version: '1.0.0' } })
    await fleet.condition(refOf('trusted'), 'Accepted', 'False', /unknown authority .*; add the authority to cacerts of the secret$/)
    const namespace = 'cattle-system'
    await fleet.hub.apply({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace } }, { fieldManager: 'story' })
    await applySecret('tls-ca', { 'cacerts.pem': encrypted.ca }, namespace)
    await runs('trusted', '1.0.0')
    await fleet.hub.delete({ apiVersion: 'v1', kind: 'Secret', name: 'tls-ca', namespace })
    await eventually(async () => expect((await deploymentOf('trusted'))?.spec.helmChartOptions?.helmOpCABundle).toBeUndefined())
    await runs('trusted', '1.0.0')
  })

  test('comes from an archive, or an artifact that a reference names by tag or digest', async () => {
    await apply('archive', { helm: { chart: await publish(charts, 'archives', '1.3.0') } })
    const repo = await charts.push('artifacts', 'hello', '1.3.0', FILES)
    const answer = await fetch(`${charts.url}/v2/artifacts/hello/manifests/1.3.0`, { method: 'HEAD' })
    await applySecret('plain', { basicHTTP: 'true' })
    await apply('tagged', { helm: { repo: `${repo}:1.3.0` }, helmSecretName: 'plain' })
    await apply('digested', { helm: { repo: `${repo}@${answer.headers.get('docker-content-digest')}` }, helmSecretName: 'plain' })
    for (const name of ['archive', 'tagged', 'digested'])
      await eventually(async () => expect((await fleet.down.find<ConfigMap>(configMapRef(name, name)))?.data?.version).toBe('1.3.0'), {
        what: name,
        timeoutMs: 60_000,
      })
  })

  test.each<[string, (name: string) => NonNullable<HelmOpSpec['helm']>, RegExp]>([
    ['an unknown chart', () => ({ repo: charts.repository('good'), chart: 'nobody' }), /has no chart nobody/],
    ['a range without match', () => ({ repo: charts.repository('good'), chart: 'hello', version: '~9.0' }), /no version that fits "~9.0"/],
    ['no range at all', () => ({ repo: charts.repository('good'), chart: 'hello', version: 'newest' }), /no version and no range/],
    ['a repository that is none', () => ({ repo: charts.url, chart: 'hello' }), /404/],
    ['a certificate that nobody knows', () => ({ repo: encrypted.repository('good'), chart: 'hello' }), /certificate/],
    [
      'a registry that nobody knows',
      () => ({ repo: encrypted.url.replace('https:', 'oci:'), chart: '' }),
      /is no reference: write host\/path/,
    ],
    [
      'a registry with a certificate that nobody knows',
      () => ({ repo: `${encrypted.url.replace('https:', 'oci:')}/good/hello`, chart: '' }),
      /the certificate of the registry of .*\/good\/hello is signed by an unknown authority .*cacerts/,
    ],
    [
      'a registry that is down',
      () => ({ repo: 'oci://127.0.0.1:1/good/hello', chart: '' }),
      /127\.0\.0\.1:1\/good\/hello cannot be reached/,
    ],
    [
      'an archive without address',
      () => ({ repo: '', chart: 'hello-1.0.0.tgz' }),
      /^helm options invalid: tarball chart hello-1\.0\.0\.tgz/,
    ],
  ])('that is changed to %s says what is wrong, and keeps what runs', async (what, helm, message) => {
    const name = `bad-${what.replaceAll(' ', '-')}`
    await publish(charts, 'good', '1.0.0')
    await apply(name, { helm: { repo: charts.repository('good'), chart: 'hello', version: '1.0.0' } })
    await runs(name, '1.0.0')
    await fleet.hub.patch(refOf(name), { spec: { helm: { version: null, ...helm(name) } } }, { type: 'merge' })
    await fleet.condition(refOf(name), 'Accepted', 'False', message)
    await fleet.condition(refOf(name), 'Stalled', 'True', message)
    await consistently(async () => expect((await fleet.down.get<ConfigMap>(configMapRef(name, name))).data?.version).toBe('1.0.0'))
    await apply(name, { helm: { repo: charts.repository('good'), chart: 'hello', version: '1.0.0' } })
    await fleet.condition(refOf(name), 'Accepted', 'True')
    await runs(name, '1.0.0')
  })
})
