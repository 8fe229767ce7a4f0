import { expect, test } from 'vitest'
import { TerminalError } from '../controller/errors.ts'
import { parseChartAddress } from './source-url.ts'

const git = (url: string, folder = '', ref = '') => ({ kind: 'git', url, folder, ref })
const archive = (url: string, folder = '') => ({ kind: 'archive', url, folder, checksum: undefined })

test.each([
  ['https://h/c-1.tgz', archive('https://h/c-1.tgz')],
  ['http::http://h/c.tgz//a//b/', archive('http://h/c.tgz', 'a/b')],
  ['https://h/c?archive=tgz&x=1', archive('https://h/c?x=1')],
  ['git::https://h/r.git//charts/a?ref=v1', git('https://h/r.git', 'charts/a', 'v1')],
  ['git::https://h/r.git?ref=feature%2Fx&depth=1', git('https://h/r.git', '', 'feature/x')],
  ['git::http://h:3000/r', git('http://h:3000/r')],
  ['github.com/o/r', git('https://github.com/o/r.git')],
  ['github.com/o/r.git//charts?ref=main', git('https://github.com/o/r.git', 'charts', 'main')],
  ['gitlab.com/o/r/charts/a', git('https://gitlab.com/o/r.git', 'charts/a')],
  ['bitbucket.org/o/r', git('https://bitbucket.org/o/r.git')],
  ['git@h:o/r.git//charts/a?ref=v1', git('git@h:o/r.git', 'charts/a', 'v1')],
  ['ssh::git@h:o/r', git('git@h:o/r')],
  ['git::ssh://git@h:2222/o/r', git('ssh://git@h:2222/o/r')],
  ['./charts/a', undefined],
  ['charts/a', undefined],
  ['a:b', undefined],
  ['github.com', undefined],
])('%s', (text, expected) => {
  expect(parseChartAddress(text)).toEqual(expected)
})

test('a checksum is taken apart', () => {
  const digest = 'A1'.repeat(32)
  expect(parseChartAddress(`https://h/c.tgz?checksum=sha256:${digest}`)).toMatchObject({
    url: 'https://h/c.tgz',
    checksum: { algorithm: 'sha256', digest: digest.toLowerCase() },
  })
})

test.each([
  ['https://h/c.tgz?checksum=abc', /must be written as sha256/],
  ['https://h/c.tgz?checksum=file:https://h/sums', /must be written as sha256/],
  ['https://h/c.tgz?checksum=sha256:abc', /has 64 hexadecimal digits/],
  ['https://h/c.tgz//../x', /leads out/],
  ['https://h\\@evil/c.tgz', /is no address/],
  ['git::https://h/r?token=x', /only ref means something/],
  ['git::file:///srv/r', /cannot be downloaded by file/],
  ['ssh://git@h', /is not a URL|empty/],
  ['git::ssh://git@h/o/r?sshkey=abc', /no place in an address/],
])('%s is refused', (text, message) => {
  expect(() => parseChartAddress(text)).toThrow(message)
  expect(() => parseChartAddress(text)).toThrow(TerminalError)
})
