import { expect, test } from 'vitest'
import { APPLY_TYPE, encodeBody } from './body.ts'

const TEXT = 'a \u2028b\u2029 \u0085c\u007f\u009f\ufeff\uffff'

test('what is applied holds no character that YAML would take for something else, and means the same', () => {
  const text = encodeBody({ text: TEXT, plain: 'ž 🐎 \n\t"' }, APPLY_TYPE)
  expect(text).toBe(String.raw`{"text":"a \u2028b\u2029 \u0085c\u007f\u009f\ufeff\uffff","plain":"ž 🐎 \n\t\""}`)
  expect(JSON.parse(text)).toEqual({ text: TEXT, plain: 'ž 🐎 \n\t"' })
})

test('everything else is plain JSON', () => {
  expect(encodeBody({ text: TEXT, big: 2n ** 60n }, 'application/json')).toBe(`{"text":"${TEXT}","big":1152921504606846976}`)
})
