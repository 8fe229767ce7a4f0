// The part that runs apart: opens the stage, takes the steps, says how long each took, and what is to be seen when one fails.
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { logTail } from '../../../src/devcluster/host-process.ts'
import { run } from '../run.ts'
import { openStage, type Stage, type StageOptions, SYSTEM_NAMESPACE } from './stage.ts'
import { STEPS } from './steps.ts'

/** @returns whether all steps passed */
export async function runInner(options: StageOptions): Promise<boolean> {
  const started = Date.now()
  let stage: Stage | undefined
  const timed = timerUntil(started + options.limitMs)
  try {
    stage = await timed('three clusters with real nodes, images imported', () => openStage(options))
    const opened = stage
    for (const step of STEPS) await timed(step.name, () => step.run(opened))
    return true
  } catch (error) {
    console.error(error instanceof Error ? error.message : error)
    await explain(options)
    return false
  } finally {
    console.log(`clusters and steps: ${((Date.now() - started) / 1000).toFixed(0)} s`)
    await stage?.close()
  }
}

type Timed = <T>(name: string, action: () => Promise<T>) => Promise<T>

// Each action takes as long as it takes, but none goes on after the end.
function timerUntil(end: number): Timed {
  return async (name, action) => {
    const started = Date.now()
    const line = (state: string, more = '') => console.log(`${state} ${name} (${((Date.now() - started) / 1000).toFixed(1)} s)${more}`)
    const over = new AbortController()
    const late = pause(Math.max(0, end - started), undefined, { signal: over.signal }).then(() => {
      throw new Error(`${name}: the time for all steps is over`)
    })
    try {
      const result = await Promise.race([action(), late])
      line('ok    ', typeof result === 'string' ? `: ${result}` : '')
      return result
    } catch (error) {
      line('FAILED')
      throw error
    } finally {
      late.catch(() => undefined)
      over.abort()
    }
  }
}

// What somebody would look at first: pods, events, the ends of logs.
async function explain({ dir, programs }: StageOptions): Promise<void> {
  for (const cluster of ['hub', 'paris', 'rome']) {
    for (const args of [
      ['get', 'pods', '-A', '-o', 'wide'],
      ['get', 'events', '-A', '--sort-by=.lastTimestamp'],
    ]) {
      const { output } = await run(join(programs.controlPlane, 'kubectl'), [...args, '--kubeconfig', join(dir, cluster, 'kubeconfig')], {
        timeoutMs: 10_000,
      })
      console.error(`== ${cluster}: ${args.slice(0, 2).join(' ')}\n${tail(output, 25)}`)
    }
    for (const log of ['namespaces', 'containerd', 'kubelet'])
      console.error(`== ${cluster}: ${log}\n${logTail(join(dir, cluster, `${log}.log`), 12)}`)
    for (const file of podLogs(join(dir, cluster, 'pods'))) console.error(`== ${cluster}: ${file}\n${tail(readFileSync(file, 'utf8'), 12)}`)
  }
}

function podLogs(dir: string): string[] {
  try {
    const files = readdirSync(dir, { recursive: true, encoding: 'utf8' })
    return files.filter((file) => file.endsWith('.log') && file.includes(SYSTEM_NAMESPACE.slice(0, 12))).map((file) => join(dir, file))
  } catch {
    // no pod has run
    return []
  }
}

function tail(text: string, lines: number): string {
  return text.trimEnd().split('\n').slice(-lines).join('\n')
}
