// What the last good readings of GitRepos were made from. All together they take a bounded part of the memory: the one that was not looked at for the longest goes
// first, and then has to be read again. A restart forgets them all.
import type { ReadTrace } from './read-trace.ts'

/** A good reading. */
export interface ReadRecord {
  /** Everything but the commit that decided what was read, as one text. */
  readonly inputs: string
  readonly trace: ReadTrace
  /** What the publisher says of the state it left behind. */
  readonly left: string
}

export interface ReadRecords {
  find(key: string): ReadRecord | undefined
  keep(key: string, record: ReadRecord): void
  forget(key: string): void
  /** Of all records. */
  readonly bytes: number
}

const MAX_BYTES = 64 * 2 ** 20

export function createReadRecords(maxBytes = MAX_BYTES): ReadRecords {
  const records = new Map<string, ReadRecord>()
  let bytes = 0

  function forget(key: string): void {
    const record = records.get(key)
    if (!record) return
    records.delete(key)
    bytes -= sizeOf(key, record)
  }

  return {
    find(key) {
      const record = records.get(key)
      if (!record) return undefined
      records.delete(key)
      records.set(key, record)
      return record
    },
    keep(key, record) {
      forget(key)
      records.set(key, record)
      bytes += sizeOf(key, record)
      for (const [oldest] of records) {
        if (bytes <= maxBytes) return
        forget(oldest)
      }
    },
    forget,
    get bytes() {
      return bytes
    },
  }
}

/** Texts at two bytes a letter. */
function sizeOf(key: string, { inputs, trace, left }: ReadRecord): number {
  return trace.questions.byteLength + 2 * (key.length + inputs.length + trace.answers.length + left.length)
}
