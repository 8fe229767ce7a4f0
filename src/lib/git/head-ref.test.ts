import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { addHead } from './head-ref.ts'

const [a, b] = ['a'.repeat(40), 'b'.repeat(40)]
const line = (text: string): string => `${(text.length + 4).toString(16).padStart(4, '0')}${text}`
const listOf = (...refs: string[]): string => `${line('# service=git-upload-pack\n')}0000${refs.map(line).join('')}0000`
const patched = (list: string): string => addHead(Buffer.from(list, 'latin1')).toString('latin1')

describe('a list of refs', () => {
  test('without HEAD gets one that names what the first ref names', () => {
    expect(patched(listOf(`${a} refs/heads/main\0multi_ack side-band-64k\n`, `${b} refs/heads/x\n`))).toBe(
      listOf(`${a} refs/heads/main\0multi_ack side-band-64k\n`, `${b} refs/heads/x\n`, `${a} HEAD\n`),
    )
  })

  test.each([
    listOf(`${a} HEAD\0multi_ack\n`, `${b} refs/heads/x\n`),
    listOf(`${'0'.repeat(40)} capabilities^{}\0multi_ack\n`),
    listOf(),
    '',
    '<html>not found</html>',
    '0001',
    '000e version 2\n0000',
  ])('%j stays as it is', (list) => {
    expect(patched(list)).toBe(list)
  })

  test('of any bytes is no trouble', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary-ascii', maxLength: 200 }), (text) => {
        expect(patched(text).length).toBeGreaterThanOrEqual(text.length)
      }),
    )
  })
})
