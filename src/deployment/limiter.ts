/** Runs at most so many at a time, the others wait in the order in which they came. */
export type Limiter = <T>(work: () => Promise<T>) => Promise<T>

/**
 * A limiter that several callers share.
 *
 *     const limited = createLimiter(16)
 *     await Promise.all(objects.map((object) => limited(() => client.create(object))))
 */
export function createLimiter(limit: number): Limiter {
  const waiting: (() => void)[] = []
  let head = 0
  let running = 0

  function release(): void {
    running--
    const next = waiting[head]
    if (!next) return
    head++
    if (head > 1_024 && head * 2 > waiting.length) {
      waiting.splice(0, head)
      head = 0
    }
    next()
  }

  function acquire(): Promise<void> {
    if (running < limit) {
      running++
      return Promise.resolve()
    }
    return new Promise((resolve) => {
      waiting.push(() => {
        running++
        resolve()
      })
    })
  }

  return async (work) => {
    await acquire()
    try {
      return await work()
    } finally {
      release()
    }
  }
}
