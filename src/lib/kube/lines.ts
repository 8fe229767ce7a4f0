// Cuts a stream of bytes into lines, keeping no more than one unfinished line.
import { ConnectionError } from './errors.ts'

const NEWLINE = 0x0a

export interface LineSplitter {
  /** The lines that this piece completes, without line ends; empty ones are left out. Throws ConnectionError TOO_LARGE. */
  push(chunk: Buffer): string[]
  /** Bytes of the unfinished line. */
  readonly pending: number
}

/** A splitter that refuses lines of more than `maxBytes`. */
export function createLineSplitter(maxBytes: number): LineSplitter {
  let parts: Buffer[] = []
  let pending = 0

  function keep(part: Buffer): void {
    if (part.length === 0) return
    pending += part.length
    if (pending > maxBytes) throw new ConnectionError(`a line of more than ${maxBytes} bytes came in a watch`, 'TOO_LARGE')
    parts.push(part)
  }

  function take(): string {
    const line = parts.length === 1 ? parts[0]!.toString('utf8') : Buffer.concat(parts).toString('utf8')
    parts = []
    pending = 0
    return line
  }

  return {
    get pending() {
      return pending
    },
    push(chunk) {
      const lines: string[] = []
      let start = 0
      for (let end = chunk.indexOf(NEWLINE); end >= 0; end = chunk.indexOf(NEWLINE, start)) {
        keep(chunk.subarray(start, end))
        if (pending > 0) lines.push(take())
        start = end + 1
      }
      keep(chunk.subarray(start))
      return lines
    },
  }
}
