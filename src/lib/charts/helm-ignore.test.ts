import { expect, test } from 'vitest'
import { TerminalError } from '../controller/errors.ts'
import { parseHelmIgnore } from './helm-ignore.ts'

test.each([
  ['*.md', 'README.md', false, true],
  ['*.md', 'docs/a.md', false, true],
  ['/a.txt', 'a.txt', false, true],
  ['/a.txt', 'b/a.txt', false, false],
  ['b/*.txt', 'b/a.txt', false, true],
  ['b/*.txt', 'c/b/a.txt', false, false],
  ['ci/', 'ci', true, true],
  ['ci/', 'ci', false, false],
  ['# *.md\n\n', 'a.md', false, false],
  ['', 'templates/.swp', false, true],
  ['', 'templates/a', false, false],
  ['!keep', 'other', false, true],
  ['!keep', 'keep', false, false],
  ['*x*z[', 'b', false, false],
  ['*x*z[', 'xz', false, false], // only now the bracket is looked at
])('%j on %s', (text, path, isFolder, expected) => {
  expect(parseHelmIgnore(text, 'x')(path, isFolder)).toBe(expected)
})

test.each(['a/**', '[a'])('%s cannot be read', (text) => {
  expect(() => parseHelmIgnore(text, 'part/.helmignore')).toThrow(TerminalError)
  expect(() => parseHelmIgnore(text, 'part/.helmignore')).toThrow(/^part\/\.helmignore: /)
})
