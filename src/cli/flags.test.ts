import { expect, test } from 'vitest'
import { defineCommand } from './command.ts'
import { UsageError } from './exit.ts'
import { parseCall } from './parse.ts'

const command = defineCommand({
  description: 'For tests.',
  arguments: [{ name: 'ARGS', help: 'anything', required: false, many: true }],
  flags: {
    text: { type: 'text', short: 't', help: 'a text', env: 'TEXT' },
    fallback: { type: 'text', help: 'a text', default: 'd' },
    word: { type: 'text', help: 'one of two', choices: ['a', 'b'] },
    count: { type: 'integer', short: 'c', help: 'a number', min: 1 },
    wait: { type: 'duration', help: 'a time', default: 10 },
    on: { type: 'boolean', short: 'o', help: 'a switch' },
    'no-colour': { type: 'boolean', help: 'a switch whose name begins with no' },
    label: { type: 'map', short: 'l', help: 'labels' },
  },
  run: async () => {},
})

function parse(args: readonly string[], env: Record<string, string> = {}) {
  const parsed = parseCall('x', command, args, env)
  if ('help' in parsed) throw new Error('help was not asked for')
  return parsed
}

test('flags may stand anywhere, and are written in all the ways of Go', () => {
  const { args, flags } = parse(['one', '-t=x', '--count=3', 'two', '-ol', 'a=b,c=d', '--label', 'e', '--wait', '1m30s', '--', '-o'])
  expect(args).toEqual(['one', 'two', '-o'])
  expect(flags).toMatchObject({
    text: 'x',
    count: 3,
    on: true,
    label: { a: 'b', c: 'd', e: '' },
    wait: 90_000,
    fallback: 'd',
    'no-colour': false,
  })
})

test('an empty text leaves it to the environment', () => {
  expect(parse(['--text', ''], { TEXT: 'env' }).flags.text).toBe('env')
  expect(parse(['-t', ''], {}).flags.text).toBe('')
  expect(parse(['-t', 'x'], { TEXT: 'env' }).flags.text).toBe('x')
})

test.each([
  [['--on'], true],
  [['--on=true'], true],
  [['-o=1'], true],
  [['--on=false'], false],
  [['--on', '--on=false'], false],
  [[], false],
])('%j', (args, expected) => {
  expect(parse(args).flags.on).toBe(expected)
})

test('a switch named no-something is on when it is given', () => {
  expect(parse(['--no-colour']).flags['no-colour']).toBe(true)
})

test('of several values the last one counts, and the environment only without any', () => {
  expect(parse(['-t', 'a', '-t', 'b'], { TEXT: 'env' }).flags.text).toBe('b')
  expect(parse([], { TEXT: 'env' }).flags.text).toBe('env')
  expect(parse([], { TEXT: '' }).flags.text).toBeUndefined()
})

test('a value may be a dash, and contain what it likes', () => {
  expect(parse(['-t', '-']).flags.text).toBe('-')
  expect(parse(['--label', 'a=b=c']).flags.label).toEqual({ a: 'b=c' })
})

test.each([
  ['--count', '0'],
  ['--count', '1.5'],
  ['--count', ''],
  ['--wait', 'soon'],
  ['--word', 'c'],
])('%s %j is refused', (...args) => {
  expect(() => parse(args)).toThrow(UsageError)
})

test('any debug level above 0 is debug', () => {
  expect(parse(['--debug-level', '5']).common.debug).toBe(true)
  expect(parse(['--zap-log-level=debug']).common.debug).toBe(true)
  expect(parse(['--zap-devel']).common.debug).toBe(false)
})
