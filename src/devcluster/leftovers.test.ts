import { spawn, spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { DIR_PREFIX, isAlive, reclaimFolder, removeLeftovers, writeOwner } from './leftovers.ts'

let parent = ''
beforeEach(() => {
  parent = mkdtempSync(join(tmpdir(), 'leftovers-'))
})
afterEach(() => rmSync(parent, { recursive: true }))

const deadPid = (): number => spawnSync('true').pid

function makeDir(name: string, owner?: number, pids: readonly number[] = []): string {
  const dir = join(parent, name)
  mkdirSync(dir)
  if (owner !== undefined) writeOwner(dir, owner, pids)
  return dir
}

it('removes folders of owners that are gone, and no others', () => {
  const dead = makeDir(`${DIR_PREFIX}dead`, deadPid())
  const alive = makeDir(`${DIR_PREFIX}alive`, process.pid)
  const fresh = makeDir(`${DIR_PREFIX}fresh`)
  const foreign = makeDir('something-else', deadPid())
  removeLeftovers(parent, Date.now())
  expect([dead, alive, fresh, foreign].map((dir) => existsSync(dir))).toEqual([false, true, true, true])
  removeLeftovers(parent, Date.now() + 3_600_000)
  expect([alive, fresh].map((dir) => existsSync(dir))).toEqual([true, false])
})

it('kills programs that were started with a file of the folder, and no others', async () => {
  const dir = join(parent, `${DIR_PREFIX}x`)
  const options = { detached: true, stdio: 'ignore' } as const
  const ours = spawn('/bin/sh', ['-c', 'sleep 60; true', join(dir, 'data')], options)
  const other = spawn('/bin/sh', ['-c', 'sleep 60; true'], options)
  makeDir(`${DIR_PREFIX}x`, deadPid(), [ours.pid ?? 0, other.pid ?? 0])
  removeLeftovers(parent, Date.now())
  await expect.poll(() => isAlive(ours.pid ?? 0), { timeout: 15_000 }).toBe(false)
  expect(isAlive(other.pid ?? 0)).toBe(true)
  process.kill(-(other.pid ?? 0), 'SIGKILL')
})

it('reclaims a named folder of an owner that is gone, and refuses any other that holds something', () => {
  const dead = makeDir('dead', deadPid())
  const alive = makeDir('alive', process.pid)
  const foreign = makeDir('foreign')
  reclaimFolder(foreign)
  mkdirSync(join(foreign, 'precious'))
  reclaimFolder(join(parent, 'new'))
  reclaimFolder(dead)
  expect(existsSync(dead)).toBe(false)
  expect(() => reclaimFolder(alive)).toThrow(`is used by process ${process.pid}`)
  expect(() => reclaimFolder(foreign)).toThrow('is not empty: name a new folder')
})
