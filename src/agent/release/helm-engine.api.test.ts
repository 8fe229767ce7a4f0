import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll } from 'vitest'
import { describeEngine } from './engine.contract.ts'
import type { EngineUnderTest } from './engine-fixture.contract.ts'
import { describeObjects } from './engine-objects.contract.ts'

const workDir = await mkdtemp(join(tmpdir(), 'helm-engine-'))
afterAll(() => rm(workDir, { recursive: true, force: true }))

const subject: EngineUnderTest = { create: ({ helm }) => helm, workDir }
describeEngine('helm', subject)
describeObjects('helm', subject)
