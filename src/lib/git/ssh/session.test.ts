// The list of refs as it comes from a server: in pieces of any size, cut off, or no list at all.
import { PassThrough } from 'node:stream'
import fc from 'fast-check'
import type { ClientChannel } from 'ssh2'
import { describe, expect, test } from 'vitest'
import { GitError } from '../errors.ts'
import type { SshConnection } from './connection.ts'
import { SessionEndedError } from './errors.ts'
import { createSession } from './session.ts'

const MAX_BYTES = 100_000
const line = (text: string): Buffer => Buffer.from(`${(Buffer.byteLength(text) + 4).toString(16).padStart(4, '0')}${text}`)
const FLUSH = Buffer.from('0000')
const list = fc
  .array(fc.string({ minLength: 1, maxLength: 60 }), { maxLength: 20 })
  .map((lines) => Buffer.concat([...lines.map(line), FLUSH]))
const cuts = fc.array(fc.integer({ min: 1, max: 40 }), { maxLength: 60 })

const connection: Pick<SshConnection, 'whileOpen'> = { whileOpen: (work) => work }

/** A command that sends these bytes in pieces of these sizes, the rest in one, and ends. */
function commandThatSends(bytes: Buffer, sizes: readonly number[]): ClientChannel {
  const channel = Object.assign(new PassThrough(), { stderr: new PassThrough() })
  let at = 0
  for (const size of sizes) {
    if (at >= bytes.length) break
    channel.write(bytes.subarray(at, at + size))
    at += size
  }
  channel.end(bytes.subarray(at))
  channel.emit('exit', 0)
  return channel as unknown as ClientChannel
}

function listed(bytes: Buffer, sizes: readonly number[]): Promise<Buffer> {
  const options = { url: 'ssh://git@git.example/repo', idleMs: 5_000, maxBytes: MAX_BYTES }
  return createSession(connection as SshConnection, commandThatSends(bytes, sizes), options).advertisement()
}

describe('what a server lists', () => {
  test('is read up to its end and no further, in whatever pieces it comes', async () => {
    await fc.assert(
      fc.asyncProperty(list, fc.uint8Array({ maxLength: 30 }), cuts, async (bytes, more, sizes) => {
        expect(await listed(Buffer.concat([bytes, more]), sizes)).toEqual(bytes)
      }),
    )
  })

  test('that ends too early is an error', async () => {
    await fc.assert(
      fc.asyncProperty(list, fc.nat(), cuts, async (bytes, cut, sizes) => {
        await expect(listed(bytes.subarray(0, cut % bytes.length), sizes)).rejects.toBeInstanceOf(SessionEndedError)
      }),
    )
  })

  test('of any bytes is a list or an error that says so', async () => {
    const almost = fc.tuple(list, fc.nat(), fc.nat(255)).map(([bytes, at, value]) => {
      const changed = Buffer.from(bytes)
      changed[at % changed.length] = value
      return changed
    })
    await fc.assert(
      fc.asyncProperty(fc.oneof(almost, fc.uint8Array({ maxLength: 200 }).map(Buffer.from)), cuts, async (bytes, sizes) => {
        const outcome = await listed(bytes, sizes).catch((error: unknown) => error)
        if (outcome instanceof Buffer) expect(bytes.subarray(0, outcome.length)).toEqual(outcome)
        else expect(outcome instanceof GitError || outcome instanceof SessionEndedError).toBe(true)
      }),
      { numRuns: 500 },
    )
  })

  test('without end is cut off', async () => {
    const endless = Buffer.concat(Array.from({ length: 3_000 }, () => line('x'.repeat(60))))
    await expect(listed(endless, Array(300).fill(1_000))).rejects.toMatchObject({ kind: 'too-large' })
  })
})
