/** Keys by the time they are due, earliest first; each key at most once. Times are milliseconds of a clock. */
export interface DelayHeap {
  readonly size: number
  /** Due time of the earliest key. */
  nextAt(): number | undefined
  /** Adds a key, or moves it forward if it is there with a later time; an earlier time stays. */
  add(key: string, at: number): void
  /** Takes the key out; false if it was not there. */
  remove(key: string): boolean
  /** Takes out the earliest key if it is due at `now`. */
  popDue(now: number): string | undefined
  clear(): void
}

interface Entry {
  readonly key: string
  at: number
  index: number
}

/** An empty heap: every operation costs O(log n) at most, nothing is left behind by moves and removals. */
export function createDelayHeap(): DelayHeap {
  const entries = new Map<string, Entry>()
  const heap: Entry[] = []

  function put(entry: Entry, index: number): void {
    heap[index] = entry
    entry.index = index
  }

  function siftUp(entry: Entry): void {
    let index = entry.index
    while (index > 0) {
      const parent = heap[(index - 1) >> 1]!
      if (parent.at <= entry.at) break
      put(parent, index)
      index = (index - 1) >> 1
    }
    put(entry, index)
  }

  function siftDown(entry: Entry): void {
    let index = entry.index
    for (let child = earlierChild(index); child && child.at < entry.at; child = earlierChild(index)) {
      const next = child.index
      put(child, index)
      index = next
    }
    put(entry, index)
  }

  function earlierChild(index: number): Entry | undefined {
    const left = heap[2 * index + 1]
    const right = heap[2 * index + 2]
    return right && left && right.at < left.at ? right : left
  }

  function remove(entry: Entry): void {
    entries.delete(entry.key)
    const last = heap.pop()!
    if (last === entry) return
    put(last, entry.index)
    siftUp(last)
    siftDown(last)
  }

  return {
    get size() {
      return heap.length
    },
    nextAt: () => heap[0]?.at,
    add(key, at) {
      const known = entries.get(key)
      if (known && known.at <= at) return
      const entry = known ?? { key, at, index: heap.length }
      entry.at = at
      if (!known) entries.set(key, entry)
      put(entry, entry.index)
      siftUp(entry)
    },
    remove(key) {
      const entry = entries.get(key)
      if (entry) remove(entry)
      return entry !== undefined
    },
    popDue(now) {
      const first = heap[0]
      if (!first || first.at > now) return undefined
      remove(first)
      return first.key
    },
    clear() {
      entries.clear()
      heap.length = 0
    },
  }
}
