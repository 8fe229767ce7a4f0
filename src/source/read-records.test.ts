import { expect, test } from 'vitest'
import { createReadRecords, type ReadRecord } from './read-records.ts'

function record(size: number): ReadRecord {
  return { inputs: '', left: '', trace: { questions: Buffer.alloc(size), answers: '' } }
}

test('the record that was not looked at for the longest goes first', () => {
  const records = createReadRecords(100)
  records.keep('a', record(30))
  records.keep('b', record(30))
  expect(records.find('a')).toBeDefined()
  records.keep('c', record(50))
  expect([records.find('a'), records.find('b'), records.find('c')].map((one) => one !== undefined)).toEqual([true, false, true])
  expect(records.bytes).toBeLessThanOrEqual(100)
})

test('a record that is too large for all is not kept', () => {
  const records = createReadRecords(100)
  records.keep('a', record(200))
  expect(records.find('a')).toBeUndefined()
  expect(records.bytes).toBe(0)
})

test('bytes follow what is kept, replaced and forgotten', () => {
  const records = createReadRecords()
  records.keep('a', record(10))
  const { bytes } = records
  records.keep('a', record(20))
  expect(records.bytes).toBe(bytes + 10)
  records.forget('a')
  records.forget('a')
  expect(records.bytes).toBe(0)
})
