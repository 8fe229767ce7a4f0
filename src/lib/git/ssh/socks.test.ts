// Whatever answers at a SOCKS proxy's address: the way is open, or an error says what is wrong.

import type { Socket } from 'node:net'
import { Duplex } from 'node:stream'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { GitError } from '../errors.ts'
import type { SshProxy } from './proxy.ts'
import { toProxyError } from './proxy-errors.ts'
import { askSocksProxy } from './socks.ts'

const PROXY: SshProxy = { kind: 'socks5', host: 'p', port: 1, tls: {}, shown: 'socks5://p:1', repo: 'ssh://git.example/r' }
const WITH_PASSWORD: SshProxy = { ...PROXY, credentials: { username: 'me', password: 'CANARY' } }
const ADDRESS = { user: 'git', host: 'git.example', port: 22, path: '/r' }
const GREETING = 'SSH-2.0-x\r\n'
const never = new AbortController().signal

/** A socket on which these bytes come in pieces of these sizes, then the end. */
function socketWith(bytes: Uint8Array, sizes: readonly number[]): Socket & { written: Buffer[] } {
  const written: Buffer[] = []
  let at = 0
  let next = 0
  const duplex = new Duplex({
    read() {
      if (at >= bytes.length) return void this.push(null)
      const size = sizes[next++] ?? bytes.length
      this.push(Buffer.from(bytes.subarray(at, at + size)))
      at += size
    },
    write(chunk, _encoding, done) {
      written.push(chunk as Buffer)
      done()
    },
  })
  return Object.assign(duplex, { written }) as unknown as Socket & { written: Buffer[] }
}

const sizes = fc.array(fc.integer({ min: 1, max: 6 }), { maxLength: 40 })
const granted = fc.oneof(
  fc.constant([5, 0, 0, 1, 10, 0, 0, 1, 0, 22]),
  fc.constant([5, 0, 0, 4, ...Array<number>(16).fill(1), 0, 22]),
  fc.uint8Array({ maxLength: 255 }).map((name) => [5, 0, 0, 3, name.length, ...name, 0, 22]),
)

describe('a SOCKS proxy', () => {
  test('that lets us through leaves what comes next to ssh', async () => {
    await fc.assert(
      fc.asyncProperty(granted, fc.boolean(), sizes, async (reply, asks, cuts) => {
        const bytes = [5, asks ? 2 : 0, ...(asks ? [1, 0] : []), ...reply, ...Buffer.from(GREETING)]
        const socket = socketWith(Uint8Array.from(bytes), cuts)
        await askSocksProxy(socket, ADDRESS, asks ? WITH_PASSWORD : PROXY, never)
        let rest = ''
        for await (const chunk of socket) rest += String(chunk)
        expect(rest).toBe(GREETING)
        expect(Buffer.concat(socket.written).includes('CANARY')).toBe(asks)
      }),
    )
  })

  test('that says anything else is an error that shows no password', async () => {
    const almost = fc.tuple(granted, fc.nat(12), fc.nat(255)).map(([reply, at, value]) => {
      const bytes = Uint8Array.from([5, 2, 1, 0, ...reply])
      bytes[at % bytes.length] = value
      return bytes.subarray(0, bytes.length - 1)
    })
    await fc.assert(
      fc.asyncProperty(fc.oneof(fc.uint8Array({ maxLength: 40 }), almost), sizes, async (bytes, cuts) => {
        const outcome = await askSocksProxy(socketWith(bytes, cuts), ADDRESS, WITH_PASSWORD, never).catch((error: unknown) =>
          toProxyError(error, WITH_PASSWORD),
        )
        if (outcome === undefined) return // it happened to be right
        expect(outcome).toBeInstanceOf(GitError)
        expect(outcome.message).toMatch(/^(?!.*CANARY).*socks5:\/\/p:1/)
      }),
      { numRuns: 1_000 },
    )
  })

  test.each([
    ['a name that is too long', { ...ADDRESS, host: 'x'.repeat(256) }, PROXY],
    ['a password that is too long', ADDRESS, { ...PROXY, credentials: { username: 'me', password: 'x'.repeat(256) } }],
    ['no password', ADDRESS, { ...PROXY, credentials: { username: 'me', password: '' } }],
  ])('is not asked with %s', async (_what, address, proxy) => {
    const socket = socketWith(Uint8Array.from([5, proxy.credentials ? 2 : 0, 1, 0, 5, 0, 0, 1, 0, 0, 0, 0, 0, 0]), [])
    await expect(askSocksProxy(socket, address, proxy, never)).rejects.toThrow(/longer than 255 bytes|is empty/)
  })
})
