// The inside of the git worker thread. isomorphic-git is loaded when this runs and nowhere else.
import { parentPort } from 'node:worker_threads'
import { createDispatchers } from './dispatchers.ts'
import { toGitError } from './error-table.ts'
import { toErrorData } from './errors.ts'
import type { GitBackend } from './types.ts'
import type { GitJob, WorkerAnswer, WorkerRequest, WorkerValue } from './worker-protocol.ts'
import type { GitWriter } from './write/types.ts'
import type { WrittenFiles } from './written-files.ts'

/**
 * Serves the jobs of the main thread, all at once, until it ends this one. To be called in a worker thread; `git-worker-entry.ts` does.
 */
export async function runGitWorker(): Promise<void> {
  const port = parentPort
  if (!port) throw new Error('a git worker runs in a worker thread')
  // A broken answer makes the library reject promises that nobody holds; the job itself ends at its time limit, and others must not suffer.
  process.on('unhandledRejection', () => {})
  const running = new Map<number, AbortController>()
  // Requests that come while the library loads wait in the port.
  const [{ createIsomorphicBackend }, { createPusher }] = await Promise.all([import('./isomorphic.ts'), import('./write/push.ts')])
  const dispatchers = createDispatchers()
  const backend = { ...createIsomorphicBackend(dispatchers), ...createPusher(dispatchers) }

  async function answer(id: number, job: GitJob): Promise<WorkerAnswer> {
    const abort = new AbortController()
    running.set(id, abort)
    try {
      return { id, value: await perform(backend, job, abort.signal) }
    } catch (error) {
      if (abort.signal.aborted) return { id, cancelled: true }
      return { id, error: toErrorData(toGitError(error, job.remote.url)) }
    } finally {
      running.delete(id)
    }
  }

  port.on('message', (request: WorkerRequest) => {
    if ('cancel' in request) running.get(request.id)?.abort()
    else void answer(request.id, request.job).then((done) => port.postMessage(done))
  })
}

async function perform(backend: GitBackend & GitWriter, job: GitJob, signal: AbortSignal): Promise<WorkerValue> {
  if (job.kind === 'resolve') return backend.resolve(job.remote, job.ref, signal)
  if (job.kind === 'push') return backend.push(job.remote, job.change, job.limits, signal)
  let written: WrittenFiles | undefined
  const note = (files: WrittenFiles): void => {
    written = files
  }
  await backend.fetch(job.remote, job.commit, job.into, { ...job.options, onWritten: job.isDescribed ? note : undefined }, signal)
  return written
}
