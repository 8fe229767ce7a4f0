import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { startCpuTimer } from '../../testing/cpu-time.ts'
import { checkVectors } from '../../testing/vectors.ts'
import { bestVersion } from './best.ts'
import { ConstraintError, parseConstraint } from './constraint.ts'
import { compareVersions, formatVersion, parseStrictVersion, parseVersion, type Version } from './version.ts'

interface Input {
  kind: string
  constraint?: string
  version?: string
  versions?: string[]
  a?: string
  b?: string
}

function read(text: string | undefined): Version {
  const version = parseVersion(text ?? '')
  if (!version) throw new Error(`${text} is no version`)
  return version
}

const form = (version: Version | undefined): string | null => (version ? formatVersion(version) : null)
const satisfies = (constraint: string, version: string): boolean => parseConstraint(constraint)(read(version))

checkVectors<Input, unknown>('semver-ranges.json', (input) => {
  switch (input.kind) {
    case 'check':
      return satisfies(input.constraint ?? '', input.version ?? '')
    case 'best':
      return bestVersion(parseConstraint(input.constraint ?? ''), input.versions ?? [], (text) => text) ?? null
    case 'parse':
      return { loose: form(parseVersion(input.version ?? '')), strict: form(parseStrictVersion(input.version ?? '')) }
    default:
      return compareVersions(read(input.a), read(input.b))
  }
})

describe('versions', () => {
  test('that are too large or too long are none', () => {
    expect(parseVersion('18446744073709551616.0.0')).toBeUndefined()
    expect(parseVersion(`1.0.0-${'a'.repeat(300)}`)).toBeUndefined()
  })

  test('are ordered, and the normal form says the same', () => {
    const part = fc.oneof(fc.constantFrom('0', '1', '10', 'a', 'rc', 'a-b'), fc.nat(200).map(String))
    const version = fc
      .tuple(fc.nat(3), fc.nat(3), fc.nat(3), fc.array(part, { maxLength: 3 }))
      .map(([a, b, c, pre]) => `${a}.${b}.${c}${pre.length > 0 ? `-${pre.join('.')}` : ''}`)
    fc.assert(
      fc.property(version, version, version, (a, b, c) => {
        expect(formatVersion(read(a))).toBe(a)
        expect(Math.sign(compareVersions(read(a), read(b)))).toBe(0 - Math.sign(compareVersions(read(b), read(a))))
        const [low, , high] = [a, b, c].sort((x, y) => compareVersions(read(x), read(y)))
        expect(compareVersions(read(low), read(high))).toBeLessThanOrEqual(0)
      }),
    )
  })
})

describe('constraints', () => {
  test('take a pre-release if any comparison beside it names one', () => {
    expect(satisfies('>=1.0.0-0 <2', '1.5.0-rc.1')).toBe(true)
    expect(satisfies('>=1.0.0 <2', '1.5.0-rc.1')).toBe(false)
  })

  test.each([
    ['!=1.2.3', '1.3.0-rc.1', false],
    ['!=1.2.x', '1.3.0-rc.1', false],
    ['<=*', '0.9.0', false],
    ['^*', '0.0.0', true],
    ['^*', '1.0.0', false],
    ['1.0 - 2.0 || 3 - 4', '4.9.9', true],
    ['>= 1.0,   < 2 , != 1.5.0', '1.5.0', false],
  ])('%s of %s is %s', (constraint, version, expected) => {
    expect(satisfies(constraint, version)).toBe(expected)
  })

  test('that cannot be read are refused with a sentence', () => {
    expect(() => parseConstraint('latest')).toThrow(/"latest" is no version and no range/)
    expect(() => parseConstraint('1'.repeat(600))).toThrow(ConstraintError)
  })

  test('of any text are read or refused, quickly', () => {
    const text = fc.string({
      unit: fc.constantFrom('1', '.', '-', ' ', ',', '|', 'x', '*', '>', '=', '~', '^', 'v', '+', 'a'),
      maxLength: 500,
    })
    fc.assert(
      fc.property(text, (constraint) => {
        const spent = startCpuTimer()
        try {
          parseConstraint(constraint)
        } catch (error) {
          expect(error).toBeInstanceOf(ConstraintError)
        }
        expect(spent()).toBeLessThan(2_000)
      }),
    )
  })
})
