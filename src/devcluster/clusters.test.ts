import { chmodSync, existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { startClusters } from './clusters.ts'

let parent = ''
let bin = ''
beforeEach(() => {
  parent = mkdtempSync(join(tmpdir(), 'clusters-'))
  bin = join(parent)
})
afterEach(() => rmSync(parent, { recursive: true }))

function program(name: string, script: string): void {
  writeFileSync(join(bin, name), `#!/bin/sh\n${script}\n`)
  chmodSync(join(bin, name), 0o755)
}

describe('a start that fails', () => {
  it('shows the end of the log of the program and leaves nothing behind', async () => {
    program('etcd', 'echo first; echo "cannot work like this" >&2; exit 7')
    const dir = join(parent, 'data')
    await expect(startClusters({ names: ['hub'], bin, dir })).rejects.toThrow(
      /^etcd ended with code 7 before it was healthy; the last lines of its log:\nfirst\ncannot work like this$/,
    )
    expect(existsSync(dir)).toBe(false)
  })

  it('tries other ports when somebody else was faster', async () => {
    program(
      'etcd',
      `echo x >> ${join(bin, 'starts')}; test "$(wc -l < ${join(bin, 'starts')})" -ge 3 && exit 9; echo "bind: address already in use"; exit 1`,
    )
    await expect(startClusters({ names: ['hub'], bin, dir: join(parent, 'data') })).rejects.toThrow('etcd ended with code 9')
  })

  it('names the program that is missing', async () => {
    await expect(startClusters({ names: ['hub'], bin, dir: join(parent, 'data') })).rejects.toThrow(`etcd is missing in ${bin}`)
  })
})

describe('names', () => {
  it.each([['Hub'], ['a/b'], ['etcd'], [''], ['x'.repeat(40)]])('refuses "%s"', async (name) => {
    await expect(startClusters({ names: [name], bin })).rejects.toThrow(`cluster name "${name}"`)
  })

  it('refuses the same name twice', async () => {
    await expect(startClusters({ names: ['a', 'a'], bin })).rejects.toThrow('cluster names must differ')
  })
})
