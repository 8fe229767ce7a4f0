import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import type { BundleDeployment, BundleDeploymentSpec } from '../api/bundle-deployment.ts'
import type { HelmOptions } from '../api/bundle-deployment-options.ts'
import { BUNDLE_DEPLOYMENT } from '../api/kinds.ts'
import { type ChartDownloader, createChartDownloader } from '../lib/charts/downloads.ts'
import { ChartError } from '../lib/charts/errors.ts'
import { TerminalError, WaitingError } from '../lib/controller/errors.ts'
import type { KubeClient } from '../lib/kube/client.ts'
import { type ChartServer, startChartServer } from '../testing/chart-server.ts'
import { createFakeClock, type FakeClock } from '../testing/fake-clock.ts'
import { type ChartDownloads, createChartDownloads } from './chart-download.ts'
import { detectStyle } from './render/style.ts'

const USER = { username: 'me', password: 'canary-2718' }
const signal = new AbortController().signal
let dir: string
let server: ChartServer
let guarded: ChartServer
let downloader: ChartDownloader
let secrets: Record<string, Record<string, string>>
let clock: FakeClock
let charts: ChartDownloads

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'chart-download-'))
  server = await startChartServer()
  guarded = await startChartServer({ auth: USER })
  downloader = createChartDownloader({ helm: 'helm', tempDir: dir })
  for (const version of ['1.0.0', '1.1.0']) await server.publish('stable', 'hello', version, { 'values.yaml': 'a: 1\n' })
  await guarded.publish('stable', 'hello', '1.0.0')
})
afterAll(async () => {
  await downloader.close()
  await Promise.all([server.stop(), guarded.stop()])
  await rm(dir, { recursive: true, force: true })
})

beforeEach(() => {
  clock = createFakeClock()
  secrets = {}
  server.seen.length = 0
  const find = async ({ name, namespace }: { name: string; namespace?: string }) => {
    const data = namespace === 'cluster-one' ? secrets[name] : undefined
    const encoded = Object.entries(data ?? {}).map(([key, text]) => [key, Buffer.from(text).toString('base64')])
    return data && { apiVersion: 'v1', kind: 'Secret', metadata: { name }, data: Object.fromEntries(encoded) }
  }
  charts = createChartDownloads({ hub: { find: find as KubeClient['find'] }, downloader, clock })
})

function deployment(helm: HelmOptions, spec: Partial<BundleDeploymentSpec> = {}): BundleDeployment {
  return {
    ...BUNDLE_DEPLOYMENT,
    metadata: { name: 'hello', namespace: 'cluster-one' },
    spec: { deploymentID: ':1', helmChartOptions: {}, ...spec, options: { helm, ...spec.options } },
  }
}
const stable = (version = '1.0.0') => ({ repo: server.repository('stable'), chart: 'hello', version })
const archives = () => server.seen.filter(({ path }) => path.endsWith('.tgz')).length

describe('a chart', () => {
  test('is found by rendering where it lies', async () => {
    const files = await charts.files(deployment(stable()), signal)
    const style = detectStyle(
      files.map(({ name }) => name),
      { helm: stable() },
    )
    expect(style.chart).toMatch(/^\.chart\/[0-9a-f]{64}\/hello$/)
    expect(files.find(({ name }) => name === `${style.chart}/values.yaml`)?.content.toString()).toBe('a: 1\n')
  })

  test('that several deployments want is downloaded once', async () => {
    const all = await Promise.all([1, 2, 3].map((id) => charts.files(deployment(stable(), { deploymentID: `:${id}` }), signal)))
    expect(all.map((files) => files.length)).toEqual([2, 2, 2])
    await charts.files(deployment(stable()), signal)
    expect(archives()).toBe(1)
    await charts.files(deployment(stable('1.1.0')), signal)
    expect(archives()).toBe(2)
  })

  test('is downloaded anew when that is asked for', async () => {
    await charts.files(deployment(stable()), signal)
    await charts.files(deployment(stable(), { options: { forceSyncGeneration: 1 } }), signal)
    expect(archives()).toBe(2)
  })

  test('behind an address is kept for a short time only', async () => {
    const helm = { chart: `${server.repository('stable')}/hello-1.0.0.tgz` }
    await charts.files(deployment(helm), signal)
    await charts.files(deployment(helm), signal)
    expect(archives()).toBe(1)
    await clock.advance(61_000)
    await charts.files(deployment(helm), signal)
    expect(archives()).toBe(2)
  })

  test('that nobody waits for any more is there for the next try', async () => {
    const { promise, resolve } = Promise.withResolvers<void>()
    server.handle('/slow.tgz', async (_request, response) => {
      await promise
      response.writeHead(302, { location: `${server.repository('stable')}/hello-1.0.0.tgz` }).end()
    })
    const one = deployment({ chart: `${server.url}/slow.tgz` })
    const stop = new AbortController()
    const first = charts.files(one, stop.signal)
    stop.abort(new Error('overtaken'))
    await expect(first).rejects.toThrow('overtaken')
    resolve()
    expect(await charts.files(one, signal)).toHaveLength(2)
    expect(server.seen.filter(({ path }) => path === '/slow.tgz').length).toBeLessThanOrEqual(1)
  })
})

describe('what goes wrong', () => {
  test('is named, and tried again if it may pass', async () => {
    const missing = charts.files(deployment(stable('9.9.9')), signal)
    await expect(missing).rejects.toThrow(/^chart hello 9\.9\.9 of http:\/\/127.*no version 9\.9\.9/)
    await expect(missing).rejects.toBeInstanceOf(ChartError)
    await server.publish('stable', 'hello', '9.9.9')
    expect(await charts.files(deployment(stable('9.9.9')), signal)).toHaveLength(1)
    const git = charts.files(deployment({ chart: 'git::https://git.example/a' }), signal)
    await expect(git).rejects.toThrow(/only GitRepos can have charts from there/)
    await expect(git).rejects.toBeInstanceOf(TerminalError)
  })

  test('with a secret is told without what is in it', async () => {
    const helm = { repo: guarded.repository('stable'), chart: 'hello', version: '1.0.0' }
    const own = deployment(helm, { helmChartOptions: { helmOpSecretName: 'pull' } })
    await expect(charts.files(own, signal)).rejects.toThrow(/the secret pull .* is missing in namespace cluster-one/)
    await expect(charts.files(own, signal)).rejects.toBeInstanceOf(WaitingError)
    secrets.pull = { username: 'me' }
    await expect(charts.files(own, signal)).rejects.toThrow(/has a username and no password/)
    secrets.pull = { ...USER, password: 'canary-wrong' }
    const error = await charts.files(own, signal).catch((reason: Error) => reason.message)
    expect(error).toMatch(/401/)
    expect(error).not.toContain('canary')
    secrets.pull = USER
    expect(await charts.files(own, signal)).toHaveLength(1)
    await expect(charts.files(deployment(helm), signal)).rejects.toThrow(/401/) // what others were given is not for everybody
  })

  test('credentials do not follow an archive to another server', async () => {
    await guarded.publish('elsewhere', 'hello', '1.0.0', {}, { url: await server.publish('other', 'hello', '1.0.0'), digest: '' })
    secrets.pull = USER
    server.seen.length = 0
    const helm = { repo: guarded.repository('elsewhere'), chart: 'hello', version: '1.0.0' }
    expect(await charts.files(deployment(helm, { helmChartOptions: { helmOpSecretName: 'pull' } }), signal)).toHaveLength(1)
    expect(server.seen.map(({ authorization }) => authorization)).toEqual([undefined])
  })
})
