// Debian's Prometheus on 127.0.0.1: what scrapes and evaluates in production does it here, too.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createHostProcesses, logTail } from '../devcluster/host-process.ts'
import { freePorts } from '../devcluster/ports.ts'
import { eventually } from './eventually.ts'
import { findProgram } from './find-program.ts'

/** The program; undefined if it, or promtool, is not installed: then tests skip. */
export const PROMETHEUS_PROGRAM = findProgram('promtool') && findProgram('prometheus')

export interface PrometheusOptions {
  /** Job → `host:port` of a program. */
  readonly targets: Readonly<Record<string, string>>
  /** Texts of rule files. */
  readonly rules: readonly string[]
}

/** A series and its newest value. */
export interface Sample {
  readonly metric: Readonly<Record<string, string>>
  readonly value: readonly [time: number, value: string]
}

export interface Prometheus {
  /** Asks the HTTP API, and returns `data` of the answer. Throws what Prometheus refuses. */
  api<T>(path: string, parameters?: Readonly<Record<string, string>>): Promise<T>
  /** The vector that an expression gives now. */
  query(expr: string): Promise<readonly Sample[]>
  stop(): Promise<void>
}

const REQUEST_MS = 10_000

/** Starts Prometheus, which scrapes and evaluates each second, and waits until it is ready. */
export async function startPrometheus({ targets, rules }: PrometheusOptions): Promise<Prometheus> {
  const dir = mkdtempSync(join(tmpdir(), 'prometheus-test-'))
  const processes = createHostProcesses()
  const [port] = await freePorts(1)
  const files = rules.map((text, index) => {
    const file = join(dir, `${index}.rules.yaml`)
    writeFileSync(file, text)
    return file
  })
  const config = {
    global: { scrape_interval: '1s', scrape_timeout: '1s', evaluation_interval: '1s' },
    rule_files: files,
    scrape_configs: Object.entries(targets).map(([job, target]) => ({
      job_name: job,
      honor_labels: true,
      static_configs: [{ targets: [target] }],
    })),
  }
  const configFile = join(dir, 'prometheus.yaml')
  writeFileSync(configFile, JSON.stringify(config))
  mkdirSync(join(dir, 'data'))
  const child = processes.start({
    name: 'prometheus',
    command: [
      PROMETHEUS_PROGRAM ?? '',
      `--config.file=${configFile}`,
      `--storage.tsdb.path=${join(dir, 'data')}`,
      `--web.listen-address=127.0.0.1:${port}`,
    ],
    logFile: join(dir, 'prometheus.log'),
    cwd: dir,
  })

  async function api<T>(path: string, parameters: Readonly<Record<string, string>> = {}): Promise<T> {
    const url = `http://127.0.0.1:${port}/api/v1/${path}?${new URLSearchParams(parameters)}`
    const response = await fetch(url, { signal: AbortSignal.timeout(REQUEST_MS) })
    const answer = (await response.json()) as { status: string; error?: string; data: T }
    if (answer.status !== 'success') throw new Error(`${path} ${JSON.stringify(parameters)}: ${answer.error}`)
    return answer.data
  }

  async function stop(): Promise<void> {
    await processes.close()
    rmSync(dir, { recursive: true, force: true, maxRetries: 3 })
  }

  try {
    await eventually(
      async () => {
        if (child.exit) throw new Error(`prometheus ended: ${logTail(child.logFile, 10)}`)
        await api('status/runtimeinfo')
      },
      { what: 'prometheus is ready', timeoutMs: 30_000 },
    )
  } catch (error) {
    await stop()
    throw error
  }
  return { api, query: async (expr) => (await api<{ result: Sample[] }>('query', { query: expr })).result, stop }
}
