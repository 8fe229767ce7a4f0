import { generateKeyPairSync } from 'node:crypto'
import fc from 'fast-check'
import ssh2 from 'ssh2'
import { describe, expect, test } from 'vitest'
import { startCpuTimer } from '../../testing/cpu-time.ts'
import { checkVectors } from '../../testing/vectors.ts'
import { judgeHostKey, knownTypes, nameOf, parseKnownHosts } from './known-hosts.ts'
import { PROVIDER_KEYS } from './known-hosts-providers.ts'

const NOW = 1_700_000_000_000

/** As other tools do: nothing known of the host and a broken file is an error. */
function verdict(text: string, dialled: string, line: string): string {
  const [, host = '', port = ''] = /^\[?(.*?)\]?:(\d+)$/.exec(dialled) ?? []
  const known = parseKnownHosts(text)
  const { kind } = judgeHostKey(known, { host, port: Number(port), key: keyOf(line), now: NOW })
  if (kind === 'unknown' && known.faults.length > 0) throw new Error(known.faults[0]?.problem)
  return kind
}
const keyOf = (line: string): Buffer => Buffer.from(line.split(' ')[1] ?? '', 'base64')
const newKey = (): string => ssh2.utils.generateKeyPairSync('ed25519').public

checkVectors<{ host: string; key: string; knownHosts: string }, string>('known-hosts.json', ({ host, key, knownHosts }) =>
  verdict(knownHosts, host, key),
)

describe('known hosts', () => {
  const [a, b, c] = [newKey(), newKey(), newKey()]

  test.each<[string, string, string]>([
    ['names in any case', `Git.Example.COM ${a}`, 'accepted'],
    ['a key that is revoked for other hosts', `@revoked other.example.com ${a}\ngit.example.com ${a}`, 'accepted'],
    ['a key that is revoked for all', `git.example.com ${a}\n@revoked * ${a}`, 'revoked'],
    ['a plain key where an authority is known', `@cert-authority git.example.com ${a}`, 'mismatch'],
    ['a bad line beside good ones', `git.example.com nonsense\n@nope x y z\ngit.example.com ${a}`, 'accepted'],
    ['a bad line beside one with another key', `broken\ngit.example.com ${b}`, 'mismatch'],
    ['a line that would revoke something, and is broken', `git.example.com ${a}\n@revoked git.example.com ssh-ed25519 !!!`, 'unsafe'],
    ['a broken line that revokes for other hosts', `git.example.com ${a}\n@revoked web.example.com ssh-ed25519 !!!`, 'accepted'],
    ['a type that is not that of the key', `git.example.com ssh-rsa ${a.split(' ')[1]}\nweb.example.com ${a}`, 'error'],
    ['a negation without port', `*.example.com,!git.example.com ${a}`, 'unknown'],
    ['Windows line ends and a comment', `git.example.com ${a} me@there\r\n`, 'accepted'],
    ['another key of another type', `git.example.com ${rsaKey()}\ngit.example.com ${a}`, 'accepted'],
  ])('%s', (_what, text, expected) => {
    const act = () => verdict(text, 'git.example.com:22', a)
    if (expected === 'error') expect(act).toThrow(/no ssh-rsa key/)
    else expect(act()).toBe(expected)
  })

  test('a negation holds for all ports', () => {
    expect(verdict(`*.example.com,!git.example.com ${a}`, 'git.example.com:2222', a)).toBe('unknown')
    expect(verdict(`[*.example.com]:2222 ${a}`, 'git.example.com:2222', a)).toBe('accepted')
    expect(verdict(`[*.example.com]:2222 ${a}`, 'git.example.com:22', a)).toBe('unknown')
  })

  test('a mismatch names what is known', () => {
    const known = parseKnownHosts(`h ${b}\nh ${c}\n@cert-authority h ${a}`)
    const found = judgeHostKey(known, { host: 'h', port: 22, key: keyOf(a), now: NOW })
    expect(found).toEqual({
      kind: 'mismatch',
      known: [nameOf(keyOf(b)), nameOf(keyOf(c)), `a certificate signed by ${nameOf(keyOf(a))}`],
    })
    expect(nameOf(keyOf(b))).toMatch(/^ssh-ed25519 SHA256:[A-Za-z0-9+/]{43}$/)
    expect(knownTypes(known, 'H', 22)).toEqual({ types: new Set(['ssh-ed25519']), isCertified: true })
    expect(knownTypes(known, 'h', 23)).toEqual({ types: new Set(), isCertified: false })
  })

  test('what is too long is cut, and said', () => {
    expect(parseKnownHosts(`${'# x\n'.repeat(300_000)}`).faults).toEqual([{ line: 20_000, problem: 'the file is too long' }])
  })
})

/** As the services publish them. */
test('the shipped keys have the published fingerprints', () => {
  const { entries, faults } = parseKnownHosts(PROVIDER_KEYS.text)
  expect(faults).toEqual([])
  expect(entries.map(({ key }) => nameOf(key).split(' SHA256:')[1])).toEqual([
    '+DiY3wvvV6TuJJhbpZisF/zLDA0zPMSvHdkr4UvCOqU',
    'p2QAMXNIC1TJYWeIOttrVc98/R1BUFWu3/LiyKgUfQM',
    'uNiVztksCsDhcc0u9e8BujQXVUpKZIDTMczCvj3tD2s',
    'eUXGGm1YGsMAS7vkcx6JOJdOGHPem5gQp4taiCfCLB8',
    'HbW3g8zUjNSksFbqTiUWPWg2Bq1x8xdGUrliXFzSnUw',
    'ROQFvPThGrW4RuWLoL9tq9I9zJ42fK4XywyRtbOz/EQ',
    'ybgmFkzwOSotHTHLJgHO0QN8L0xErw6vd0VhFA9m3SM',
    'FC73VB6C4OQLSCrjEayhMp9UMxS97caD/Yyi2bhW/J0',
    '46OSHA1Rmj8E8ERTC6xkNcmGOw9oFxYr0WF6zWW8l1E',
    'ohD8VZEXGWo6Ez8GSEJQ9WpafgLFsOfLOtGGQCQo6Og',
  ])
  expect(entries.every(({ covers }) => !covers('evil.example.com', 22))).toBe(true)
})

describe('any text', () => {
  const key = newKey()
  const piece = fc.oneof(
    fc.constantFrom(
      '@revoked',
      '@cert-authority',
      '|1|',
      '!',
      '*',
      '?',
      ',',
      '[',
      ']:22',
      'h',
      ' ',
      '\t',
      '\n',
      '\r',
      '#',
      key,
      'ssh-ed25519',
      'AAAA',
      '=',
    ),
    fc.string({ unit: 'binary', maxLength: 8 }),
  )
  const text = fc.array(piece, { maxLength: 40 }).map((pieces) => pieces.join(''))

  test('is read, and accepts no key that is not in it', () => {
    const stranger = keyOf(newKey())
    fc.assert(
      fc.property(text, (known) => {
        const { kind } = judgeHostKey(parseKnownHosts(known), { host: 'h', port: 22, key: stranger, now: NOW })
        expect(['unknown', 'mismatch', 'unsafe']).toContain(kind)
      }),
      { numRuns: 2_000 },
    )
  })

  test('changes nothing for a host whose line comes after it, unless it revokes or is too long', () => {
    fc.assert(
      fc.property(text, (known) => {
        fc.pre(!known.includes('@revoked'))
        expect(verdict(`${known}\nsafe.example ${key}`, 'safe.example:22', key)).toBe('accepted')
      }),
    )
  })

  test('is matched in no time', () => {
    const known = parseKnownHosts(`${'*a'.repeat(400)}b ${key}\n`.repeat(20))
    const spent = startCpuTimer()
    expect(judgeHostKey(known, { host: 'a'.repeat(250), port: 22, key: keyOf(key), now: NOW }).kind).toBe('unknown')
    expect(spent()).toBeLessThan(2_000)
  })
})

function rsaKey(): string {
  const pem = generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey.export({ type: 'pkcs1', format: 'pem' })
  const parsed = ssh2.utils.parseKey(pem)
  if (parsed instanceof Error) throw parsed
  return `ssh-rsa ${parsed.getPublicSSH().toString('base64')}`
}
