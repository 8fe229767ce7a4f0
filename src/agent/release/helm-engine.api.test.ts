import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll } from 'vitest'
import { createHelm } from '../../lib/helm/helm.ts'
import { describeEngine } from './engine.contract.ts'
import { createHelmEngine } from './helm-engine.ts'

const workDir = await mkdtemp(join(tmpdir(), 'helm-engine-'))
afterAll(() => rm(workDir, { recursive: true, force: true }))

describeEngine(
  'helm',
  ({ client, store, bin }) => {
    const helm = createHelm({ binary: join(bin, 'helm'), home: join(workDir, 'home'), env: {}, concurrency: 2 })
    return createHelmEngine({ helm, store, client, workDir })
  },
  () => ({ path: workDir }),
)
