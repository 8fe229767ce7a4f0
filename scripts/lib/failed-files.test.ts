import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { failedFiles } from './failed-files.ts'
import { ROOT } from './run.ts'

let folder: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'fleet-test-'))
})
afterAll(() => rm(folder, { recursive: true, force: true }))

test.each([
  ['names the files that failed', { testResults: [result('a', 'passed'), result('b', 'failed')] }, [join('src', 'b.api.test.ts')]],
  ['names none where all passed', { testResults: [result('a', 'passed')] }, []],
  ['names none of a run that ended before its tests', {}, []],
])('%s', async (_, report, files) => {
  const path = join(folder, 'report.json')
  await writeFile(path, JSON.stringify(report))
  expect(await failedFiles(path)).toEqual(files)
})

test('names none where no report was written', async () => {
  expect(await failedFiles(join(folder, 'none.json'))).toEqual([])
})

function result(name: string, status: string) {
  return { name: join(ROOT, 'src', `${name}.api.test.ts`), status }
}
