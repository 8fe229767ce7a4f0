// A reporter of vitest that writes what failed, in few words, to the file that REPORT names: what to run once more, and what to say at the end.
import { writeFileSync } from 'node:fs'
import { relative } from 'node:path'
import process from 'node:process'
import type { Reporter } from 'vitest/node'
import { ROOT } from './run.ts'

/** A failed test, or an error outside of any. */
export interface Failure {
  /** relative to the checkout; none where vitest cannot tell */
  readonly file?: string
  readonly test: string
  readonly message: string
}

/** Of a message only its first lines are of use in a summary. */
const MAX_LINES = 12
const MAX_LINE_LENGTH = 300

export default class FailuresReporter implements Reporter {
  onTestRunEnd: NonNullable<Reporter['onTestRunEnd']> = (modules, unhandled) => {
    const failures: Failure[] = []
    for (const module of modules) {
      const file = relative(ROOT, module.moduleId)
      for (const error of module.errors()) failures.push({ file, test: '(the file)', message: shortened(error) })
      for (const suite of module.children.allSuites())
        for (const error of suite.errors()) failures.push({ file, test: suite.fullName, message: shortened(error) })
      for (const test of module.children.allTests('failed'))
        failures.push({ file, test: test.fullName, message: shortened(test.result().errors?.[0]) })
    }
    for (const error of unhandled) failures.push({ ...place(error), test: '(an error that nobody caught)', message: shortened(error) })
    writeFileSync(process.env.REPORT ?? '/dev/null', JSON.stringify(failures))
  }
}

function place(error: object): Pick<Failure, 'file'> {
  const path = 'VITEST_TEST_PATH' in error ? error.VITEST_TEST_PATH : undefined
  return typeof path === 'string' ? { file: relative(ROOT, path) } : {}
}

function shortened(error: { readonly message?: string; readonly stack?: string } | undefined): string {
  const at = error?.stack?.split('\n').find((line) => line.includes(ROOT) && !line.includes('node_modules'))
  const lines = [...(error?.message ?? '').split('\n').slice(0, MAX_LINES), ...(at ? [at.trim().replace(ROOT, '.')] : [])]
  return lines.map((line) => line.slice(0, MAX_LINE_LENGTH)).join('\n')
}
