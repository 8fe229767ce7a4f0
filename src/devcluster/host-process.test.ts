import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { HostProcess, HostProcesses } from './host-process.ts'
import { createHostProcesses, logTail } from './host-process.ts'
import { isAlive } from './leftovers.ts'

let dir = ''
let processes: HostProcesses
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'host-process-'))
  processes = createHostProcesses()
})
afterEach(async () => {
  await processes.close()
  rmSync(dir, { recursive: true })
})

function start(script: string, env: Record<string, string> = {}): HostProcess {
  return processes.start({
    name: 'test',
    command: ['/bin/sh', '-c', script],
    logFile: join(dir, 'log'),
    env: { PATH: '/usr/bin:/bin', ...env },
  })
}

async function waitForLog(child: HostProcess, text: string): Promise<void> {
  await expect.poll(() => logTail(child.logFile, 10), { timeout: 15_000 }).toContain(text)
}

describe('a host process', () => {
  it('has its own environment, logs both streams and tells its exit code', async () => {
    const child = start('echo "out $X"; echo err >&2; exit 3', { X: '1' })
    expect(await child.exited).toEqual({ code: 3 })
    expect(child.exit).toEqual({ code: 3 })
    expect(readFileSync(join(dir, 'log'), 'utf8')).toBe('out 1\nerr\n')
  })

  it('ends with 128 + the number of its signal', async () => {
    const child = start('echo up; sleep 60')
    await waitForLog(child, 'up')
    child.kill('SIGKILL')
    expect(await child.exited).toEqual({ code: 137, signal: 'SIGKILL' })
  })

  it('may end well on SIGTERM', async () => {
    const child = start('trap "echo bye; exit 0" TERM; echo up; while :; do sleep 0.05; done')
    await waitForLog(child, 'up')
    expect(await child.stop(15_000)).toEqual({ code: 0 })
    expect(logTail(child.logFile, 1)).toBe('bye')
  })

  it('is killed after its grace', async () => {
    const child = start('trap "" TERM; echo up; while :; do sleep 0.05; done')
    await waitForLog(child, 'up')
    expect(await child.stop(100)).toMatchObject({ code: 137 })
  })

  it('takes what it started with it', async () => {
    const child = start('sleep 60 & echo "child $!"')
    await child.exited
    const pid = Number(logTail(child.logFile, 1).replace('child ', ''))
    await expect.poll(() => isAlive(pid), { timeout: 15_000 }).toBe(false)
  })

  it('ends with 127 when there is no such program', async () => {
    const child = processes.start({ name: 'x', command: ['/no/such/program'], logFile: join(dir, 'log'), env: { PATH: '/bin:/usr/bin' } })
    expect((await child.exited).code).toBe(127)
  })
})

describe('close', () => {
  it('kills all and lets nothing start', async () => {
    const child = start('sleep 60')
    expect(processes.pids()).toEqual([child.pid])
    await processes.close()
    expect(child.exit?.signal).toBe('SIGKILL')
    expect(() => start('true')).toThrow('everything is being stopped')
  })
})
