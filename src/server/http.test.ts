import { afterEach, describe, expect, test } from 'vitest'
import { probeRoutes, type RunningServer, serve } from './http.ts'
import { createProcessMetrics } from './metrics.ts'

let server: RunningServer | undefined
afterEach(async () => {
  await server?.stop()
  server = undefined
})

async function get(path: string, init: RequestInit = {}): Promise<{ status: number; text: string }> {
  const response = await fetch(`http://127.0.0.1:${server?.port}${path}`, init)
  return { status: response.status, text: await response.text() }
}

describe('probes', () => {
  test('are alive at once, and ready when nothing is awaited any more', async () => {
    let waiting = ['caches']
    server = await serve({ host: '127.0.0.1', port: 0, routes: probeRoutes(() => waiting) })
    expect(await get('/healthz')).toEqual({ status: 200, text: 'ok\n' })
    expect(await get('/readyz?verbose')).toEqual({ status: 503, text: 'waiting for caches\n' })
    waiting = []
    expect((await get('/readyz')).status).toBe(200)
  })

  test('answer nothing else', async () => {
    server = await serve({ host: '127.0.0.1', port: 0, routes: probeRoutes(() => []) })
    expect((await get('/')).status).toBe(404)
    expect((await get('/constructor')).status).toBe(404)
    expect((await get('/healthz', { method: 'POST', body: 'x' })).status).toBe(405)
  })
})

test('a route that fails tells nothing of why', async () => {
  server = await serve({
    host: '127.0.0.1',
    port: 0,
    routes: {
      '/x': () => {
        throw new Error('secret')
      },
    },
  })
  expect(await get('/x')).toEqual({ status: 500, text: 'internal error\n' })
})

test('an address that is taken is named', async () => {
  server = await serve({ host: '127.0.0.1', port: 0, routes: {} })
  await expect(serve({ host: '127.0.0.1', port: server.port, routes: {} })).rejects.toThrow(`cannot listen on 127.0.0.1:${server.port}`)
})

test('metrics carry the names of controller-runtime', async () => {
  const metrics = createProcessMetrics()
  metrics.count('controller_runtime_reconcile_total', { controller: 'bundle', result: 'success' })
  metrics.set('workqueue_depth', { controller: 'bundle', name: 'bundle' }, 3)
  metrics.observe('controller_runtime_reconcile_time_seconds', { controller: 'bundle' }, 0.2)
  const { text } = await metrics.render()
  expect(text).toContain('controller_runtime_reconcile_total{controller="bundle",result="success"} 1')
  expect(text).toContain('workqueue_depth{controller="bundle",name="bundle"} 3')
  expect(text).toContain('process_resident_memory_bytes')
})

test('readings and polls of a repository are counted until it is gone', async () => {
  const metrics = createProcessMetrics()
  const repo = { name: 'r', namespace: 'fleet-default' }
  metrics.git.polled(repo, true, 0.02)
  metrics.git.polled(repo, false, 1)
  metrics.git.read(repo, true, 3)
  const { text } = await metrics.render()
  const labels = '{name="r",namespace="fleet-default"}'
  for (const line of [
    `fleet_gitrepo_fetch_latest_commit_success_total${labels} 1`,
    `fleet_gitrepo_fetch_latest_commit_failure_total${labels} 1`,
    `fleet_gitjobs_created_success_total${labels} 1`,
    `fleet_gitjob_duration_seconds_gauge${labels} 3`,
    `fleet_gitjob_duration_seconds_count${labels} 1`,
  ])
    expect(text).toContain(`${line}\n`)
  metrics.git.forget(repo)
  expect((await metrics.render()).text).not.toContain('name="r"')
})

test('text of others is part of the answer until it is taken away', async () => {
  const metrics = createProcessMetrics()
  const remove = metrics.add(() => 'a 1\n')
  expect((await metrics.render()).text).toMatch(/\na 1\n$/)
  remove()
  expect((await metrics.render()).text).not.toContain('\na 1\n')
})
