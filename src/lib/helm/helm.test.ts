import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { createHelm } from './helm.ts'

const dir = mkdtempSync(join(tmpdir(), 'helm-test-'))
afterAll(() => rmSync(dir, { recursive: true, force: true }))

test('once it stops it lets run what runs, and begins nothing', async () => {
  const binary = join(dir, 'helm')
  writeFileSync(binary, '#!/bin/sh\n/bin/sleep 0.3\necho done\n', { mode: 0o755 })
  const stop = new AbortController()
  const children: string[] = []
  const started = Promise.withResolvers<void>()
  const onChild = (_pid: number, event: string): void => {
    children.push(event)
    started.resolve()
  }
  const helm = createHelm({ binary, home: dir, env: {}, concurrency: 1, stopping: stop.signal, onChild })
  const running = helm.showDefinitions('chart')
  const waiting = [helm.showDefinitions('chart'), helm.uninstall({ release: 'r', namespace: 'n', kubeconfig: 'none' })]
  await started.promise
  stop.abort(new Error('we stop'))
  await Promise.all(waiting.map((each) => expect(each).rejects.toThrow('we stop')))
  await expect(helm.showDefinitions('chart')).rejects.toThrow('we stop')
  expect(await running).toBe('done\n')
  expect(children).toEqual(['started', 'ended'])
})
