// Bundles that are small on the way and enormous when unpacked, many at a time: they are refused by name, in bounded memory, and hold nobody up for long.
import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { gzipSync } from 'node:zlib'
import { beforeAll, describe, expect, test } from 'vitest'
import type { BundleResource } from '../../api/bundle.ts'
import type { KubeObject } from '../../lib/kube/types.ts'
import { useAgent } from '../agent-scene.ts'
import { packFiles } from '../chart-server.ts'
import { uniqueNamespace } from '../cluster.ts'
import { eventually } from '../eventually.ts'
import { CONFIG_MAP } from '../kube.ts'

const MIB = 2 ** 20
/** How many bombs of each sort go off at a time. */
const MANY = 6
const map = (name: string, text = 'v') => ({ ...CONFIG_MAP, metadata: { name }, data: { text } })

/** Zeros, packed: gzip files may follow each other and count as one. */
function bomb(mebibytes: number): Buffer {
  const part = gzipSync(Buffer.alloc(64 * MIB))
  return Buffer.concat(Array.from({ length: mebibytes / 64 }, () => part))
}

/** Largest resident size of a process so far, in MiB. */
function peakOf(pid: number): number {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8')
  return Number(/^VmHWM:\s+(\d+) kB/m.exec(status)?.[1]) / 1024
}

function largeMaps(count: number): Record<string, object> {
  return Object.fromEntries(Array.from({ length: count }, (_, index) => [`map-${index}.json`, map(`map-${index}`, 'x'.repeat(800_000))]))
}

describe('bombs', () => {
  const scene = useAgent()
  beforeAll(async () => {
    scene.start()
    await scene.deploy('before', { files: { 'a.json': map('a') }, options: { defaultNamespace: scene.clusterNamespace } })
    await scene.ready('before')
  })

  /** Deploys many of them and one bundle without a mistake. */
  async function goOff(resources: (index: number) => readonly BundleResource[], message: RegExp): Promise<void> {
    const names = Array.from({ length: MANY }, () => uniqueNamespace('bomb'))
    const beside = uniqueNamespace('beside')
    const all = names.map((name, index) => scene.deploy(name, { resources: [...resources(index), { name: 'n.txt', content: name }] }))
    await Promise.all([...all, scene.deploy(beside, { files: { 'a.json': map('fine') } })])
    await Promise.all([scene.ready(beside), ...names.map((name) => scene.refused(name, 'Deployed', message))])
  }

  test.skipIf(process.platform !== 'linux')('of all sorts are refused in bounded memory', async () => {
    const { pid } = scene
    const packed = bomb(4096).toString('base64')
    await goOff(() => [{ name: 'zeros.yaml', content: packed, encoding: 'base64+gz' }], /zeros\.yaml: more than \d+ bytes when unpacked/)
    const tgz = await packFiles({ 'sub/Chart.yaml': 'apiVersion: v2\nname: sub\nversion: 1.0.0\n', 'sub/zeros': '\0'.repeat(200 * MIB) })
    const archive = { name: 'charts/sub-1.0.0.tgz', content: tgz.toString('base64'), encoding: 'base64' }
    const chart = { name: 'Chart.yaml', content: 'apiVersion: v2\nname: demo\nversion: 1.0.0\n' }
    await goOff(() => [chart, { name: 'templates/a.yaml', content: JSON.stringify(map('a')) }, archive], /larger than|exceeds|maximum/)
    expect(scene.pid).toBe(pid)
    expect(scene.isRunning).toBe(true)
    expect(peakOf(pid)).toBeLessThan(600)
  })

  test('a content that is one', async () => {
    const packed = bomb(1024)
    const name = `s-${createHash('sha256').update(scene.clusterNamespace).digest('hex')}`.slice(0, 63)
    await scene.content(name, packed)
    await scene.deploy('content-bomb', { spec: { deploymentID: `${name}:x` } })
    await scene.refused('content-bomb', 'Deployed', /more than \d+ bytes when unpacked/)
    expect(scene.isRunning).toBe(true)
  })
})

describe('much', () => {
  const scene = useAgent()
  beforeAll(() => scene.start())

  test('objects of ten megabytes are deployed, others meanwhile', async () => {
    const [name, beside] = [uniqueNamespace('large'), uniqueNamespace('beside')]
    await scene.deploy(name, { files: largeMaps(12) })
    await scene.deploy(beside, { files: { 'a.json': map('fine') } })
    await scene.ready(beside)
    await scene.ready(name, 120_000)
    await scene.remove(name)
    await eventually(async () => expect((await maps(name)).filter((map) => map.startsWith('map-'))).toEqual([]), { timeoutMs: 120_000 })
  })

  test('objects of 50 MB are refused before anything is written', async () => {
    const [name, beside] = [uniqueNamespace('larger'), uniqueNamespace('beside')]
    await scene.deploy(name, { files: largeMaps(62) })
    await scene.deploy(beside, { files: { 'a.json': map('fine') } })
    await scene.refused(name, 'Deployed', /more than 12 MiB.*split the bundle/)
    await scene.ready(beside)
    expect(await maps(name)).toEqual([])
    expect(scene.isRunning).toBe(true)
  })

  const maps = async (namespace: string): Promise<string[]> =>
    (await scene.down.list<KubeObject>(CONFIG_MAP, { namespace, metadataOnly: true })).items.map(({ metadata }) => metadata.name)
})
