// `npm test`: unit tests, then tests and stories on real control planes, which it builds or finds first.
// `npm test -- FILTER …` runs only the files whose path contains a filter.
//   CI   a few files that fail run once more, from the beginning: a machine that others use too may let one of them run out of time; what is to come
//        runs all the same, so that one run names all that fails; and the end says which tests failed, and how
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { ensureControlPlane } from './control-plane.ts'
import { buildIfNeeded } from './lib/build.ts'
import type { Failure } from './lib/failures-reporter.ts'
import { run, tool } from './lib/run.ts'

/** More than this many failing files are no accident. */
const MAX_FILES_AGAIN = 4

interface TestRun {
  readonly code: number
  readonly failures: readonly Failure[]
}

const filters = process.argv.slice(2)
await buildIfNeeded()
const { bin } = await ensureControlPlane()
const inCI = Boolean(process.env.CI)
const passedLater: Failure[] = []
const failed: Failure[] = []
for (const project of ['unit', 'api', 'stories']) {
  const code = await runProject(project)
  process.exitCode ||= code
  if (code !== 0 && !inCI) break
}
if (inCI) {
  tell('passed when run once more', passedLater)
  tell('failed tests', failed)
}

/** Runs the files of a project that match; returns the exit code. */
async function runProject(project: string): Promise<number> {
  const first = await runTests(project, filters)
  const again = [...new Set(first.failures.flatMap(({ file }) => file ?? []))]
  if (!inCI || first.code === 0 || again.length === 0 || again.length > MAX_FILES_AGAIN) {
    failed.push(...first.failures)
    return first.code
  }
  console.log(`== once more: ${again.join(' ')}`)
  const second = await runTests(project, again)
  if (second.code === 0) passedLater.push(...first.failures)
  failed.push(...second.failures)
  return second.code
}

async function runTests(project: string, files: readonly string[]): Promise<TestRun> {
  const folder = await mkdtemp(join(tmpdir(), 'fleet-test-'))
  const REPORT = join(folder, 'failures.json')
  try {
    const args = ['run', '--project', project, '--passWithNoTests', '--reporter=default', '--reporter=./scripts/lib/failures-reporter.ts']
    const { code } = await run(tool('vitest'), [...args, ...files], { inherit: true, env: { KUBE_BIN: bin, REPORT } })
    const failures = JSON.parse(await readFile(REPORT, 'utf8').catch(() => '[]')) as Failure[]
    return { code, failures }
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

function tell(title: string, failures: readonly Failure[]): void {
  if (failures.length === 0) return
  console.log(`== ${title}`)
  for (const { file, test, message } of failures) console.log(`${file ?? ''} > ${test}\n${message.replace(/^/gm, '    ')}`)
}
