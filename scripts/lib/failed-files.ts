// Reads what vitest's `json` reporter wrote.
import { readFile } from 'node:fs/promises'
import { relative } from 'node:path'
import { ROOT } from './run.ts'

interface Report {
  readonly testResults?: readonly { readonly name: string; readonly status: string }[]
}

/** Files with a failed test, relative to the checkout; none where the run failed for another reason or wrote no report. */
export async function failedFiles(report: string): Promise<string[]> {
  const text = await readFile(report, 'utf8').catch(() => '{}')
  const { testResults = [] } = JSON.parse(text) as Report
  return testResults.filter(({ status }) => status === 'failed').map(({ name }) => relative(ROOT, name))
}
