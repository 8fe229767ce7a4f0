import { expect, test } from 'vitest'
import { goModules } from './go-build-info.ts'

const START = Buffer.from('3077af0c9274080241e1c107e6d618e6', 'hex')
const END = Buffer.from('f932433186182072008242104116d8f2', 'hex')
const text = [
  'path\texample.com/tool/cmd',
  'mod\texample.com/tool\tv1.0.0\th1:x',
  'dep\texample.com/a\tv0.1.0\th1:y',
  'dep\texample.com/b\tv0.2.0',
  '=>\texample.com/fork\tv0.2.1\th1:z',
  'build\tCGO_ENABLED=0',
  '',
].join('\n')

test('the modules of a Go program, replaced ones as what replaces them', () => {
  expect(goModules(Buffer.concat([Buffer.from('\0\0code'), START, Buffer.from(text), END, Buffer.from('data')]))).toEqual([
    { path: 'example.com/tool', version: 'v1.0.0' },
    { path: 'example.com/a', version: 'v0.1.0' },
    { path: 'example.com/fork', version: 'v0.2.1' },
  ])
})

test('other programs have none', () => {
  expect(goModules(Buffer.from('#!/bin/sh\n'))).toEqual([])
  expect(goModules(Buffer.concat([START, Buffer.from(text)]))).toEqual([])
})
