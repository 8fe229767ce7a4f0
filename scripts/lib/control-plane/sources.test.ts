import { describe, expect, it } from 'vitest'
import { chooseBinaries, isGoNewEnough, isVersionAtLeast, nothingFound } from './sources.ts'

const everything = { kubeBin: '/given', cached: '/cache/key', installed: { etcd: '/usr/bin/etcd' }, go: true, docker: true }

describe('chooseBinaries', () => {
  it.each([
    ['the named folder first', everything, { kind: 'folder', bin: '/given' }],
    ['then what is installed', { ...everything, kubeBin: undefined }, { kind: 'installed', programs: everything.installed }],
    ['then an earlier build', { ...everything, kubeBin: undefined, installed: undefined }, { kind: 'folder', bin: '/cache/key' }],
    ['then a build with Go', { go: true, docker: true }, { kind: 'build', with: 'go' }],
    ['then a build in a container', { go: false, docker: true }, { kind: 'build', with: 'docker' }],
    ['or nothing', { go: false, docker: false }, { kind: 'none' }],
  ])('%s', (_what, found, source) => {
    expect(chooseBinaries(found)).toEqual(source)
  })
})

describe('isGoNewEnough', () => {
  it.each([
    ['go version go1.26.8 linux/amd64', true],
    ['go version go1.27 darwin/arm64', true],
    ['go version go2.0 linux/amd64', true],
    ['go version go1.26rc1 linux/amd64', true],
    ['go version devel go1.28-abc linux/amd64', true],
    ['go version go1.25.9 linux/amd64', false],
    ['go version go1.9 linux/amd64', false],
    ['', false],
  ])('%s: %s', (output, enough) => {
    expect(isGoNewEnough(output, '1.26.0')).toBe(enough)
  })
})

describe('isVersionAtLeast', () => {
  it.each([
    ['v4.2.4+g1234', 4, 0, true],
    ['Kubernetes v1.36.3', 1, 31, true],
    ['Kubernetes v1.30.9', 1, 31, false],
    ['v3.18.0', 4, 0, false],
    ['version.BuildInfo{Version:"v4.2", GitCommit:""}', 4, 0, true],
    ['command not found', 4, 0, false],
  ])('%s ≥ %d.%d: %s', (output, major, minor, expected) => {
    expect(isVersionAtLeast(output, major, minor)).toBe(expected)
  })
})

it('says in one sentence what to install', () => {
  expect(nothingFound('1.26.0')).toMatch(/install Go 1\.26 or newer .*, or Docker, or put etcd, .* on the PATH$/)
})
