// `npm test`: unit tests, then tests and stories on real control planes, which it builds or finds first.
// `npm test -- FILTER …` runs only the files whose path contains a filter.
//   CI   a few files that fail on control planes run once more, from the beginning: a machine that others use too may let one of them run out of time;
//        and what is to come runs all the same, so that one run names all that fails
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { ensureControlPlane } from './control-plane.ts'
import { buildIfNeeded } from './lib/build.ts'
import { failedFiles } from './lib/failed-files.ts'
import { run, tool } from './lib/run.ts'

/** More than this many failing files are no accident. */
const MAX_FILES_AGAIN = 4

const filters = process.argv.slice(2)
await buildIfNeeded()
const { bin } = await ensureControlPlane()
const inCI = Boolean(process.env.CI)
for (const project of ['unit', 'api', 'stories']) {
  const code = await runTests(project, filters, inCI && project !== 'unit')
  process.exitCode ||= code
  if (code !== 0 && !inCI) break
}

/** Runs the files of a project that match; returns the exit code. */
async function runTests(project: string, files: readonly string[], onceMore: boolean): Promise<number> {
  const folder = await mkdtemp(join(tmpdir(), 'fleet-test-'))
  const report = join(folder, 'report.json')
  try {
    const reporters = onceMore ? ['--reporter=default', '--reporter=json', `--outputFile.json=${report}`] : []
    const args = ['run', '--project', project, '--passWithNoTests', ...reporters, ...files]
    const { code } = await run(tool('vitest'), args, { inherit: true, env: { KUBE_BIN: bin } })
    const failed = code !== 0 && onceMore ? await failedFiles(report) : []
    if (failed.length === 0 || failed.length > MAX_FILES_AGAIN) return code
    console.log(`== once more: ${failed.join(' ')}`)
    return await runTests(project, failed, false)
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}
