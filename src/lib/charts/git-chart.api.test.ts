// Charts in repositories that are reached by ssh, from a real sshd.
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createTestRepository, type TestRepository } from '../../testing/git-repository.ts'
import { SSH_SERVER_PROBLEM, type SshServer, startSshServer } from '../../testing/ssh-server.ts'
import { createGitWorkerBackend, type GitWorkerBackend } from '../git/worker-backend.ts'
import { type ChartDownloader, createChartDownloader } from './downloads.ts'
import type { ChartAccess } from './types.ts'

if (SSH_SERVER_PROBLEM) process.stdout.write(`charts over ssh skipped: ${SSH_SERVER_PROBLEM}\n`)

describe.skipIf(SSH_SERVER_PROBLEM !== undefined)('a chart over ssh', () => {
  let dir: string
  let server: SshServer
  let repository: TestRepository
  let backend: GitWorkerBackend
  let downloader: ChartDownloader

  beforeAll(async () => {
    dir = await mkdtemp(join(tmpdir(), 'ssh-charts-'))
    server = await startSshServer()
    repository = await createTestRepository(join(dir, 'charts.git'), { branch: 'master', anyCommit: true })
    await repository.commit({ 'hello/Chart.yaml': 'name: hello\n', 'README.md': 'no chart' })
    backend = createGitWorkerBackend()
    downloader = createChartDownloader({ helm: 'helm', backend, tempDir: dir, pid: process.pid })
  })
  afterAll(async () => {
    await Promise.all([downloader?.close(), backend?.close(), server?.stop()])
    await rm(dir, { recursive: true, force: true })
  })

  const download = (access: ChartAccess) =>
    downloader
      .session()
      .chart(
        { chart: `git::${server.url(repository.dir)}//hello?ref=master`, repo: '', version: '' },
        () => access,
        AbortSignal.timeout(60_000),
      )

  test('comes with the key and the known hosts of the credentials', async () => {
    const files = await download({ ssh: { privateKey: server.keys.ed25519, knownHosts: server.knownHosts } })
    expect(files.map(({ name, content }) => [name, content.toString()])).toEqual([['Chart.yaml', 'name: hello\n']])
  })

  test('does not come from a host that nobody knows, nor without a key', async () => {
    await expect(download({ ssh: { privateKey: server.keys.ed25519 } })).rejects.toThrow(/host key|known/i)
    await expect(download({})).rejects.toThrow(/key/)
  })
})
