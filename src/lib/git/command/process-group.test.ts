import { setTimeout as pause } from 'node:timers/promises'
import { describe, expect, test } from 'vitest'
import { CommandFailedError, runInGroup } from './process-group.ts'

const options = { cwd: '/', env: { PATH: '/usr/bin:/bin' }, memoryKb: 2 ** 22, signal: new AbortController().signal }
const run = (script: string, more: object = {}) => runInGroup('/bin/sh', ['-c', script], { ...options, ...more })

describe('a process group', () => {
  test('gives what was said, and takes input', async () => {
    const { stdout, stderr } = await run('cat; echo aside >&2', { input: 'hello' })
    expect([stdout.toString(), stderr]).toEqual(['hello', 'aside\n'])
  })

  test('gets the environment that is named, and no other', async () => {
    const { stdout } = await run('env', { env: { PATH: '/usr/bin:/bin', ONE: '1' } })
    expect(stdout.toString()).toContain('ONE=1')
    expect(stdout.toString()).not.toContain('HOME=')
  })

  test('fails with the end of what was said', async () => {
    const error = await run('for n in $(seq 9999); do echo line $n >&2; done; exit 3').catch((one: unknown) => one)
    expect(error).toBeInstanceOf(CommandFailedError)
    expect(error).toMatchObject({ exitCode: 3, stderr: expect.stringMatching(/line 9999\n$/) })
    expect((error as CommandFailedError).stderr.length).toBeLessThan(20_000)
  })

  test('ends when it says too much', async () => {
    await expect(run('while true; do echo xxxxxxxxxxxxxxxx; done', { maxOutputBytes: 10_000 })).rejects.toMatchObject({
      stderr: 'it says too much',
    })
  })

  test('ends with all children when it is told to', async () => {
    const stop = new AbortController()
    const done = run('sleep 300 & echo $! >&2; sleep 300', { signal: stop.signal })
    await pause(200)
    stop.abort(new Error('told to'))
    await expect(done).rejects.toThrow('told to')
    await expect(run('true', { signal: stop.signal })).rejects.toThrow('told to')
  })

  test('gets no more memory than it may have', async () => {
    const hungry = 'x=$(head -c 300000000 /dev/zero | tr "\\0" x); echo ${#x}'
    await expect(run(hungry, { memoryKb: 100_000 })).rejects.toBeInstanceOf(CommandFailedError)
  })

  test('that cannot be started fails', async () => {
    await expect(runInGroup('/nonexistent', [], options)).rejects.toMatchObject({ exitCode: 127 })
  })
})
