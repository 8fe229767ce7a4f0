// `fleet apply -o -` of a repository with many bundles: wall time, CPU time and peak memory of the built command, from outside.
//   node bench/apply.ts [RUNS] [BUNDLES] [FILES]
import { spawn } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

const [runs = 5, bundles = 200, files = 20] = process.argv.slice(2).map(Number)
const FLEET = join(import.meta.dirname, '..', 'dist', 'fleet')
/** Of the clock in /proc/PID/stat, on every Linux that Node runs on. */
const TICKS_PER_SECOND = 100
const SAMPLE_MS = 5

interface Sample {
  readonly wallMs: number
  readonly cpuMs: number
  readonly peakMiB: number
  readonly bytes: number
}

/** Folders with a fleet.yaml (templated values, two targets) and Deployments and ConfigMaps of 1–2 KB. */
function writeRepository(root: string): void {
  for (let bundle = 0; bundle < bundles; bundle++) {
    const folder = join(root, `app-${bundle}`)
    mkdirSync(folder, { recursive: true })
    writeFileSync(
      join(folder, 'fleet.yaml'),
      `defaultNamespace: app-${bundle}\nhelm:\n  releaseName: app-${bundle}\n  values:\n    replicas: 2\n    zone: '\${ .ClusterLabels.zone }'\ntargetCustomizations:\n- name: prod\n  clusterSelector: {matchLabels: {env: prod}}\n  helm: {values: {replicas: 5}}\n`,
    )
    for (let file = 0; file < files - 1; file++) {
      const data = Array.from({ length: 30 }, (_, line) => `  key-${line}: "value ${line} of file ${file} of bundle ${bundle}"`).join('\n')
      writeFileSync(
        join(folder, `config-${file}.yaml`),
        `apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: config-${file}\ndata:\n${data}\n`,
      )
    }
  }
}

/** Peak memory and CPU so far; undefined once the process is gone. */
function usage(pid: number): { cpuMs: number; peakMiB: number } | undefined {
  try {
    const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? []
    const peakKiB = Number(/VmHWM:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1])
    if (!peakKiB) return undefined
    return { cpuMs: ((Number(fields[11]) + Number(fields[12])) * 1000) / TICKS_PER_SECOND, peakMiB: peakKiB / 1024 }
  } catch {
    return undefined
  }
}

async function measure(root: string): Promise<Sample> {
  const started = performance.now()
  const child = spawn(process.execPath, [FLEET, 'apply', '-o', '-', 'bench', '.'], { cwd: root, stdio: ['ignore', 'pipe', 'inherit'] })
  let [bytes, last] = [0, { cpuMs: 0, peakMiB: 0 }]
  child.stdout.on('data', (chunk: Buffer) => {
    bytes += chunk.length
  })
  const sampler = setInterval(() => {
    last = usage(child.pid ?? 0) ?? last
  }, SAMPLE_MS)
  const code = await new Promise((resolve) => child.once('close', resolve))
  clearInterval(sampler)
  if (code !== 0) throw new Error(`fleet apply ended with ${code}`)
  return { wallMs: performance.now() - started, ...last, bytes }
}

function spread(values: readonly number[]): string {
  const sorted = [...values].sort((a, b) => a - b).map(Math.round)
  return `${sorted[Math.floor(sorted.length / 2)]} (${sorted[0]}–${sorted.at(-1)})`
}

const print = (line: string) => process.stdout.write(`${line}\n`)

const root = mkdtempSync(join(tmpdir(), 'fleet-bench-apply-'))
try {
  writeRepository(root)
  const samples: Sample[] = []
  for (let run = 0; run < runs; run++) samples.push(await measure(root))
  print(`fleet apply -o - of ${bundles} bundles of ${files} files, ${runs} runs, ${samples[0]?.bytes} bytes printed`)
  print(`wall ms ${spread(samples.map(({ wallMs }) => wallMs))}`)
  print(`CPU ms ${spread(samples.map(({ cpuMs }) => cpuMs))}`)
  print(`peak MiB ${spread(samples.map(({ peakMiB }) => peakMiB))}`)
} finally {
  rmSync(root, { recursive: true, force: true })
}
