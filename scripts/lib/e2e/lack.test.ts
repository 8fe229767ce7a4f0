import { expect, test } from 'vitest'
import { nothingFound } from '../control-plane/sources.ts'
import { isLack } from './lack.ts'

test.each([
  nothingFound('1.26.0'),
  'helm has to be compiled, and Go is missing: install it',
  'go: k8s.io/api@v0.36.3: Get "https://proxy.example.com/": dial tcp: lookup proxy.example.com: no such host',
  "Err:1 http://deb.example.com bookworm InRelease\n  Temporary failure resolving 'deb.example.com'",
  'E: Failed getting release file http://deb.example.com/debian/dists/bookworm/Release',
])('something is not there: %s', (message) => expect(isLack(message)).toBe(true))

test.each([
  './main.go:3:1: syntax error',
  'E: Unable to locate package git-lfz',
  'buildah bud failed with 125:\nno such file or directory',
])('a mistake: %s', (message) => expect(isLack(message)).toBe(false))
