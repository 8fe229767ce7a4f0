import { expect, test } from 'vitest'
import { signatureOf } from './message.ts'

test('author and message have defaults', () => {
  expect(signatureOf({})).toEqual({ author: { name: 'fleet', email: '' }, message: 'Update from image update automation' })
  expect(signatureOf({ authorName: 'a', authorEmail: 'a@b', messageTemplate: 'x' })).toEqual({
    author: { name: 'a', email: 'a@b' },
    message: 'x',
  })
})

test('messages are templates; what they are given is a text', () => {
  expect(signatureOf({ messageTemplate: 'update: {{ . }}{{/* nothing */}}\n\n{{ "body" | upper }}\n' }).message).toBe(
    'update: no data! yet\n\nBODY',
  )
  expect(() => signatureOf({ messageTemplate: '{{ .Images }}' })).toThrow(/^imageScanCommit.messageTemplate: /)
  expect(() => signatureOf({ messageTemplate: '{{ if }}' })).toThrow(/^imageScanCommit.messageTemplate: /)
  expect(() => signatureOf({ messageTemplate: '{{ range until 1000000 }}x{{ end }}' })).toThrow(/^imageScanCommit.messageTemplate: /)
})
