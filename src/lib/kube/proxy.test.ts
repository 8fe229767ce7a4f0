import { expect, test } from 'vitest'
import { proxyFor } from './proxy.ts'

const PROXY = 'http://proxy:3128'

test.each([
  ['https://example.com', '', true],
  ['https://example.com', '*', false],
  ['https://example.com', 'example.com', false],
  ['https://a.example.com', 'example.com', false],
  ['https://a.example.com', '.example.com', false],
  ['https://example.com', '.example.com', true],
  ['https://badexample.com', 'example.com', true],
  ['https://example.com:6443', 'example.com:443', true],
  ['https://example.com:6443', 'other, EXAMPLE.com:6443', false],
  ['https://10.43.0.1', '10.0.0.0/8', false],
  ['https://11.0.0.1', '10.0.0.0/8', true],
  ['https://10.0.0.1', '10.0.0.1', false],
  ['https://[fd00::1]', 'fd00::/8', false],
  ['https://10.0.0.1', '10.0.0.0/99', true],
  ['https://localhost:6443', '', false],
  ['https://127.0.0.1:6443', '', false],
])('%s with NO_PROXY=%s goes through the proxy: %s', (server, noProxy, expected) => {
  expect(proxyFor(server, { httpsProxy: PROXY, noProxy })).toBe(expected ? PROXY : undefined)
})

test('the scheme decides, and the scheme of the proxy is http unless given', () => {
  expect(proxyFor('http://a', { httpsProxy: PROXY })).toBeUndefined()
  expect(proxyFor('http://a', { httpProxy: 'proxy:1' })).toBe('http://proxy:1')
  expect(proxyFor('https://a', {})).toBeUndefined()
})
