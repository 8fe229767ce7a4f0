// Objects of a repository on disk, read through one git process that answers questions.
import type { ChildProcessWithoutNullStreams } from 'node:child_process'
import { CommandFailedError, endGroup } from './process-group.ts'

export interface ObjectInfo {
  readonly type: string
  readonly size: number
}

export interface ObjectReader {
  /** Undefined if there is no such object. */
  info(oid: string): Promise<ObjectInfo | undefined>
  /** Undefined if there is none, or it is larger than `maxBytes`. */
  read(oid: string, maxBytes: number): Promise<Buffer | undefined>
  close(): void
}

const MAX_LINE = 1_024
const MAX_STDERR = 4_096

/** `start` runs `git cat-file --batch-command`; it is called with the first question, and again after `close`. */
export function createObjectReader(start: () => ChildProcessWithoutNullStreams): ObjectReader {
  let conversation: Conversation | undefined
  let last: Promise<unknown> = Promise.resolve()

  /** One question at a time. */
  function ask<T>(work: (with_: Conversation) => Promise<T>): Promise<T> {
    const turn = last.then(() => {
      conversation ??= converse(start())
      return work(conversation)
    })
    last = turn.catch(() => {})
    return turn
  }

  async function header(talk: Conversation, question: string): Promise<ObjectInfo | undefined> {
    talk.say(`${question}\n`)
    const line = await talk.line()
    const [, type, size] = /^[0-9a-f]+ ([a-z]+) (\d+)$/.exec(line) ?? []
    return type === undefined ? undefined : { type, size: Number(size) }
  }

  return {
    info: (oid) => ask((talk) => header(talk, `info ${oid}`)),
    read: (oid, maxBytes) =>
      ask(async (talk) => {
        const info = await header(talk, `info ${oid}`)
        if (!info || info.size > maxBytes) return undefined
        await header(talk, `contents ${oid}`)
        const data = await talk.bytes(info.size)
        await talk.bytes(1)
        return data
      }),
    close() {
      conversation?.end()
      conversation = undefined
    },
  }
}

interface Conversation {
  say(text: string): void
  line(): Promise<string>
  bytes(count: number): Promise<Buffer>
  end(): void
}

function converse(child: ChildProcessWithoutNullStreams): Conversation {
  const chunks = child.stdout[Symbol.asyncIterator]() as AsyncIterator<Buffer>
  let rest: Buffer = Buffer.alloc(0)
  let stderr = ''
  child.stderr.on('data', (chunk: Buffer) => {
    stderr = (stderr + chunk.toString('utf8')).slice(-MAX_STDERR)
  })
  const failed = new Promise<never>((_, reject) => child.once('error', reject))
  failed.catch(() => {})

  async function more(): Promise<Buffer> {
    const next = await Promise.race([chunks.next(), failed])
    if (next.done) throw new CommandFailedError(child.exitCode, stderr || 'early EOF')
    return next.value
  }

  return {
    say: (text) => child.stdin.write(text),
    async line() {
      let end = rest.indexOf(10)
      for (; end < 0; end = rest.indexOf(10)) {
        if (rest.byteLength > MAX_LINE) throw new CommandFailedError(null, 'unexpected answer of git')
        rest = Buffer.concat([rest, await more()])
      }
      const line = rest.toString('utf8', 0, end)
      rest = rest.subarray(end + 1)
      return line
    },
    async bytes(count) {
      const parts = [rest]
      let size = rest.byteLength
      for (; size < count; size += parts.at(-1)?.byteLength ?? 0) parts.push(await more())
      const all = parts.length === 1 ? rest : Buffer.concat(parts)
      rest = all.subarray(count)
      return all.subarray(0, count)
    },
    end: () => endGroup(child.pid),
  }
}
