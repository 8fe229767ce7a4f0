import { expect, test } from 'vitest'
import { defaultOf, parseOptions, registryOf } from './options.ts'

test('the tag is the version unless one is given', () => {
  expect(parseOptions([], '1.2.3')).toEqual({ tool: undefined, tag: '1.2.3', offlineBase: false })
  expect(parseOptions(['--tool', 'buildah', '--tag', 'x_1', '--offline-base'], '1.2.3')).toEqual({
    tool: 'buildah',
    tag: 'x_1',
    offlineBase: true,
  })
})

test.each([[['--tool', 'podman']], [['--tag', 'a b']], [['--tag', '-x']], [['--what']], [['more']]])('%j is refused', (args) => {
  expect(() => parseOptions(args, '1.2.3')).toThrow()
})

test('defaults of the Containerfile', () => {
  expect(defaultOf('FROM x\nARG HELM_VERSION=v4.2.4\nARG OTHER\n', 'HELM_VERSION')).toBe('v4.2.4')
  expect(() => defaultOf('ARG HELM_VERSION\n', 'HELM_VERSION')).toThrow('HELM_VERSION')
})

test.each([
  ['debian:bookworm-slim', 'registry-1.docker.io'],
  ['library/node:24', 'registry-1.docker.io'],
  ['docker.io/library/node:24', 'registry-1.docker.io'],
  ['registry.example.com/node:24', 'registry.example.com'],
  ['localhost:5000/node', 'localhost:5000'],
])('%s is pulled from %s', (image, host) => {
  expect(registryOf(image)).toBe(host)
})
