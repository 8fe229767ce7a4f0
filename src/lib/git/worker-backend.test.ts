import { randomUUID } from 'node:crypto'
import { access, mkdir } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, describe, expect, test } from 'vitest'
import { describeGitBackend } from './git-backend.contract.ts'
import { DEFAULT_GIT_LIMITS } from './types.ts'
import { createGitWorkerBackend, type GitWorkerBackend, type GitWorkerOptions } from './worker-backend.ts'

describeGitBackend('isomorphic in a worker', () => {
  const backend = createGitWorkerBackend()
  return { backend, close: () => backend.close() }
})

// A worker that does what the name of the repository says.
const script = `
import { mkdirSync } from 'node:fs'
import { parentPort, threadId } from 'node:worker_threads'
parentPort.on('message', ({ id, job, cancel }) => {
  if (cancel) return parentPort.postMessage({ id, cancelled: true })
  const { url } = job.remote
  if (job.into && url.endsWith('/exit')) mkdirSync(job.into)
  if (url.endsWith('/crash')) throw new Error('made to crash')
  if (url.endsWith('/exit')) process.exit(3)
  if (url.endsWith('/loop')) for (;;);
  if (url.endsWith('/never')) return
  setTimeout(() => parentPort.postMessage({ id, value: String(threadId) }), 20)
})`
const workerEntry = new URL(`data:text/javascript,${encodeURIComponent(script)}`)

/** A thread needs a while to start on a busy machine. */
const PATIENCE_MS = 10_000

describe('a git worker', () => {
  const open: GitWorkerBackend[] = []
  afterEach(async () => {
    for (const backend of open.splice(0)) await backend.close()
  })
  function start(options: GitWorkerOptions = {}): GitWorkerBackend {
    const backend = createGitWorkerBackend({ workerEntry, graceMs: PATIENCE_MS, ...options })
    open.push(backend)
    return backend
  }
  const never = new AbortController().signal
  const ask = (backend: GitWorkerBackend, name: string, { signal = never, timeoutMs = PATIENCE_MS } = {}): Promise<string> =>
    backend.resolve({ url: `https://git.example/${name}`, timeoutMs }, { branch: 'main' }, signal)

  test('serves all jobs from one thread', async () => {
    const backend = start()
    const threads = await Promise.all(Array.from({ length: 40 }, () => ask(backend, 'ok')))
    expect(new Set(threads).size).toBe(1)
  })

  test.each(['crash', 'exit'])('that dies (%s) fails only the job which kills it', async (how) => {
    const backend = start()
    const jobs = [ask(backend, 'ok'), ask(backend, how), ask(backend, 'ok'), ...Array.from({ length: 6 }, () => ask(backend, 'ok'))]
    const results = await Promise.allSettled(jobs)
    expect(results.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', ...Array.from({ length: 7 }, () => 'fulfilled')])
    expect(results[1]).toMatchObject({
      reason: { kind: 'other', message: expect.stringContaining('https://git.example/crash'.replace('crash', how)) },
    })
    expect(await ask(backend, 'ok')).toMatch(/^\d+$/)
  })

  test('that does not answer is replaced, and the job that blocked it fails', async () => {
    const backend = start({ graceMs: 2_000 }) // also for the new thread
    const [blocked, other] = await Promise.allSettled([ask(backend, 'loop', { timeoutMs: 200 }), ask(backend, 'ok')])
    expect(blocked).toMatchObject({ reason: { kind: 'timeout' } })
    expect(other.status).toBe('fulfilled')
  })

  test('has a place for a repository while the server of others does not get on', async () => {
    const backend = start()
    const stop = new AbortController()
    const fetch = (url: string, signal: AbortSignal): Promise<void> =>
      backend.fetch({ url }, 'a'.repeat(40), join(tmpdir(), randomUUID()), { limits: DEFAULT_GIT_LIMITS }, signal)
    const stuck = Promise.allSettled(Array.from({ length: 12 }, () => fetch('https://slow.example/never', stop.signal)))
    await fetch('https://git.example/ok', never)
    stop.abort(new Error('gave up'))
    await stuck
  })

  test('leaves no half folder when it dies', async () => {
    const backend = start()
    const into = join(tmpdir(), randomUUID())
    await expect(
      backend.fetch({ url: 'https://git.example/exit' }, 'a'.repeat(40), into, { limits: DEFAULT_GIT_LIMITS }, never),
    ).rejects.toThrow(/ended unexpectedly/)
    await expect(access(into)).rejects.toThrow(/ENOENT/)
  })

  test('is not asked to fetch into a folder that exists', async () => {
    const into = join(tmpdir(), randomUUID())
    await mkdir(into)
    await expect(
      start().fetch({ url: 'https://git.example/exit' }, 'a'.repeat(40), into, { limits: DEFAULT_GIT_LIMITS }, never),
    ).rejects.toThrow(/exists already/)
    await access(into)
  })

  test('drops a job whose caller gave up, under way or waiting', async () => {
    const backend = start()
    const stop = new AbortController()
    const jobs = Array.from({ length: 30 }, () => ask(backend, 'never', { signal: stop.signal }))
    const results = Promise.allSettled(jobs)
    setTimeout(() => stop.abort(new Error('gave up')), 50)
    for (const result of await results) expect(result).toMatchObject({ reason: { message: 'gave up' } })
    expect(await ask(backend, 'ok')).toMatch(/^\d+$/)
  })

  test('that is closed takes no jobs, and fails those under way', async () => {
    const backend = start()
    const job = ask(backend, 'never')
    await Promise.all([expect(job).rejects.toThrow(/ended unexpectedly/), backend.close()])
    await expect(ask(backend, 'ok')).rejects.toThrow(/ended unexpectedly/)
  })

  test('whose module is missing fails the jobs', async () => {
    await expect(ask(start({ workerEntry: new URL('./missing.ts', import.meta.url) }), 'ok')).rejects.toThrow(/ended unexpectedly/)
  })
})
