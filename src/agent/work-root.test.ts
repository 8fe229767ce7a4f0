import { spawn } from 'node:child_process'
import { mkdir, mkdtemp, readdir, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { silentLogger } from '../lib/controller/log.ts'
import { createWorkRoot } from './work-root.ts'

const temp = await mkdtemp(join(tmpdir(), 'work-root-'))
afterAll(() => rm(temp, { recursive: true, force: true }))

test('is a folder for us alone, and goes at the end', async () => {
  const root = await createWorkRoot(temp, 'ns', silentLogger)
  expect((await stat(root.path)).mode & 0o777).toBe(0o700)
  await root.remove()
  expect(await readdir(temp)).toEqual([])
})

test('leaves the folder of an agent that lives, and those of other namespaces', async () => {
  const other = await createWorkRoot(temp, 'ns', silentLogger)
  await mkdir(join(temp, 'fleet-agent-else-abc'))
  const root = await createWorkRoot(temp, 'ns', silentLogger)
  expect((await readdir(temp)).sort()).toEqual(
    [other.path, root.path, 'fleet-agent-else-abc'].map((path) => path.replace(`${temp}/`, '')).sort(),
  )
  await Promise.all([other.remove(), root.remove(), rm(join(temp, 'fleet-agent-else-abc'), { recursive: true })])
})

test.runIf(process.platform === 'linux')('clears away what a killed agent left, and ends the processes that still work there', async () => {
  const left = join(temp, 'fleet-agent-ns-dead')
  await mkdir(left)
  await writeFile(join(left, 'owner.json'), JSON.stringify({ pid: process.pid, started: 'another life' }))
  const child = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)', `${left}/release-x/kubeconfig`])
  const bystander = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)', `${left}-not`])
  const ended = new Promise((resolve) => child.once('exit', (_code, signal) => resolve(signal)))
  await new Promise((resolve) => setTimeout(resolve, 300))
  const root = await createWorkRoot(temp, 'ns', silentLogger)
  expect(await ended).toBe('SIGKILL')
  expect(bystander.exitCode).toBeNull()
  expect(bystander.signalCode).toBeNull()
  bystander.kill('SIGKILL')
  await expect(stat(left)).rejects.toThrow('ENOENT')
  await root.remove()
})
