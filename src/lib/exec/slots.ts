/** A number of slots: at most so many pieces of work run at a time, the others wait in order. */
export interface Slots {
  /** Runs `work` as soon as a slot is free. Rejects without running it when `signal` is aborted before. */
  run<T>(work: () => Promise<T>, signal?: AbortSignal): Promise<T>
  /** How many wait. */
  readonly waiting: number
}

/** `count` slots (at least one). */
export function createSlots(count: number): Slots {
  const queue: (() => void)[] = []
  let free = Math.max(1, count)

  async function acquire(signal: AbortSignal | undefined): Promise<void> {
    signal?.throwIfAborted()
    if (free > 0) {
      free -= 1
      return
    }
    await new Promise<void>((resolve, reject) => {
      const start = (): void => {
        signal?.removeEventListener('abort', leave)
        resolve()
      }
      const leave = (): void => {
        queue.splice(queue.indexOf(start), 1)
        reject(signal?.reason)
      }
      queue.push(start)
      signal?.addEventListener('abort', leave, { once: true })
    })
  }

  function release(): void {
    const next = queue.shift()
    if (next) next()
    else free += 1
  }

  return {
    async run(work, signal) {
      await acquire(signal)
      try {
        return await work()
      } finally {
        release()
      }
    },
    get waiting() {
      return queue.length
    },
  }
}
