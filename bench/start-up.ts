// Start-up and idle memory of the built programs: time from exec to the first list call an API server sees, and resident memory once idle.
//   node bench/start-up.ts [RUNS]
// A stub answers on loopback in place of an API server: what is measured is the program, not the server.
import { spawn } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'

const PROGRAMS = ['fleet-controller', 'fleet-agent'] as const
const IDLE_MS = 8_000
const FIRST_LIST_LIMIT_MS = 20_000
const runs = Number(process.argv[2] ?? 5)
const dist = join(import.meta.dirname, '..', 'dist')

interface Sample {
  readonly firstListMs: number
  readonly rssMiB: number
}

/** The kinds the programs ask for, as discovery documents and empty lists; watches stay open. */
function answer(request: IncomingMessage, response: ServerResponse, port: number, onList: () => void): void {
  const url = new URL(request.url ?? '/', 'http://stub')
  const json = (body: unknown) => response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(body))
  if (url.pathname === '/version') return void json({ major: '1', minor: '36', gitVersion: 'v1.36.3' })
  if (url.pathname === '/api/v1') return void json(resources('v1', ['Secret', 'ConfigMap', 'Namespace', 'ServiceAccount', 'Pod']))
  if (/^\/apis\/[^/]+\/v[^/]+$/.test(url.pathname)) return void json(resources(url.pathname.slice('/apis/'.length), FLEET_KINDS))
  if (url.searchParams.get('watch')) return void response.writeHead(200, { 'content-type': 'application/json' }).flushHeaders()
  if (request.method === 'GET' && url.pathname.endsWith('/secrets/fleet-agent')) return void json(agentSecret(port))
  if (request.method === 'GET' && /\/(secrets|configmaps|leases)\/[^/]+$/.test(url.pathname))
    return void response.writeHead(404).end('{"kind":"Status","status":"Failure","reason":"NotFound","code":404}')
  if (request.method !== 'GET')
    return void response.writeHead(201, { 'content-type': 'application/json' }).end('{"metadata":{"name":"x","resourceVersion":"1"}}')
  onList()
  json({ kind: 'List', apiVersion: 'v1', metadata: { resourceVersion: '1' }, items: [] })
}

const FLEET_KINDS = [
  'GitRepo',
  'HelmOp',
  'Bundle',
  'BundleDeployment',
  'BundleNamespaceMapping',
  'Cluster',
  'ClusterGroup',
  'Content',
  'Policy',
  'GitRepoRestriction',
  'ImageScan',
  'Schedule',
  'ClusterRegistration',
  'ClusterRegistrationToken',
  'Lease',
  'Event',
]

function resources(groupVersion: string, kinds: readonly string[]): object {
  const plural = (kind: string) => (kind === 'Policy' ? 'policies' : `${kind.toLowerCase()}s`)
  const clusterScoped = new Set(['Content', 'Namespace'])
  return {
    kind: 'APIResourceList',
    groupVersion,
    resources: kinds.map((kind) => ({
      name: plural(kind),
      kind,
      namespaced: !clusterScoped.has(kind),
      verbs: ['get', 'list', 'watch', 'create', 'update', 'patch', 'delete'],
    })),
  }
}

function agentSecret(port: number): object {
  const data = {
    kubeconfig: kubeconfig(port, 'cluster-ns'),
    deploymentNamespace: 'cluster-ns',
    clusterNamespace: 'fleet-default',
    clusterName: 'one',
  }
  return {
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { name: 'fleet-agent', namespace: 'cattle-fleet-system', uid: 'u', resourceVersion: '1' },
    data: Object.fromEntries(Object.entries(data).map(([key, value]) => [key, Buffer.from(value).toString('base64')])),
  }
}

function kubeconfig(port: number, namespace?: string): string {
  const context = { cluster: 'c', user: 'u', ...(namespace ? { namespace } : {}) }
  return JSON.stringify({
    apiVersion: 'v1',
    kind: 'Config',
    'current-context': 'c',
    clusters: [{ name: 'c', cluster: { server: `http://127.0.0.1:${port}` } }],
    users: [{ name: 'u', user: { token: 't' } }],
    contexts: [{ name: 'c', context }],
  })
}

async function measure(program: string): Promise<Sample> {
  const dir = mkdtempSync(join(tmpdir(), 'start-up-'))
  let port = 0
  let started = 0
  let first: ((ms: number) => void) | undefined
  const firstList = new Promise<number>((resolve) => {
    first = resolve
  })
  const server = createServer((request, response) => answer(request, response, port, () => first?.(performance.now() - started)))
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  port = (server.address() as AddressInfo).port
  const file = join(dir, 'kubeconfig')
  writeFileSync(file, kubeconfig(port))
  started = performance.now()
  const child = spawn(process.execPath, [join(dist, program), ...(program === 'fleet-controller' ? ['--leader-elect=false'] : [])], {
    stdio: 'ignore',
    env: {
      PATH: process.env.PATH,
      HOME: dir,
      KUBECONFIG: file,
      NAMESPACE: 'cattle-fleet-system',
      FLEET_METRICS_BIND_ADDRESS: '127.0.0.1:0',
      FLEET_HEALTHPROBE_BIND_ADDRESS: '127.0.0.1:0',
      FLEET_AGENT_METRICS_BIND_ADDRESS: '127.0.0.1:0',
      FLEET_AGENT_PROBE_BIND_ADDRESS: '127.0.0.1:0',
    },
  })
  try {
    const firstListMs = await Promise.race([firstList, pause(FIRST_LIST_LIMIT_MS).then(() => Number.NaN)])
    await pause(IDLE_MS)
    const rss = /VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${child.pid}/status`, 'utf8'))
    return { firstListMs, rssMiB: Number(rss?.[1]) / 1024 }
  } finally {
    child.kill('SIGKILL')
    server.closeAllConnections()
    server.close()
    rmSync(dir, { recursive: true, force: true })
  }
}

function median(values: readonly number[]): number {
  return [...values].sort((left, right) => left - right)[Math.floor(values.length / 2)] ?? Number.NaN
}

for (const program of PROGRAMS) {
  const samples: Sample[] = []
  for (let index = 0; index < runs; index++) samples.push(await measure(program))
  const times = samples.map(({ firstListMs }) => firstListMs)
  process.stdout.write(
    `${program}: first list after ${median(times).toFixed(0)} ms (${Math.min(...times).toFixed(0)}–${Math.max(...times).toFixed(0)}), idle ${median(samples.map(({ rssMiB }) => rssMiB)).toFixed(0)} MiB, ${runs} runs\n`,
  )
}
