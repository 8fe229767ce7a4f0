// A server whose HEAD names no branch does not list it, and the git library then gives up a fetch that has nothing to do with HEAD.
import type { Transport } from './http.ts'

/** A transport whose lists of refs always have a HEAD. */
export function withHead({ request }: Transport): Transport {
  return {
    async request(wanted) {
      const answer = await request(wanted)
      if (!wanted.url.includes('/info/refs?')) return answer
      const chunks: Uint8Array[] = []
      for await (const chunk of answer.body) chunks.push(chunk)
      return { ...answer, body: once(addHead(Buffer.concat(chunks))) }
    },
  }
}

/**
 * A list of refs (protocol 1) with a HEAD at its end if it had none, naming what the first ref names: nothing that was not offered.
 * Anything else is returned as it is.
 */
export function addHead(list: Buffer): Buffer {
  let first: string | undefined
  let at = 0
  while (at + 4 <= list.length) {
    const length = Number.parseInt(list.toString('latin1', at, at + 4), 16)
    if (Number.isNaN(length) || (length > 0 && length < 4)) return list
    if (length === 0 && first !== undefined) return insert(list, at, `${first} HEAD\n`)
    const ref = /^([0-9a-f]{40}) ([^\0\n]*)/.exec(list.toString('latin1', at + 4, at + Math.max(length, 4)))
    if (ref?.[2] === 'HEAD' || ref?.[2] === 'capabilities^{}') return list
    first ??= ref?.[1]
    at += Math.max(length, 4)
  }
  return list
}

function insert(list: Buffer, at: number, line: string): Buffer {
  const packet = `${(line.length + 4).toString(16).padStart(4, '0')}${line}`
  return Buffer.concat([list.subarray(0, at), Buffer.from(packet), list.subarray(at)])
}

async function* once(bytes: Buffer): AsyncGenerator<Uint8Array> {
  yield bytes
}
