// `npm run conformance -- AREA [FILE]`: a black-box suite of the conformance folder, run against this tree through scripts/conformance-adapter.json.
// The folder is CONFORMANCE, or ../shared/conformance beside the checkout. FILE is a file name without `.test.ts`.
import { existsSync, readdirSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { ensureControlPlane } from './control-plane.ts'
import { buildIfNeeded } from './lib/build.ts'
import { ROOT, run } from './lib/run.ts'

const [area, file] = process.argv.slice(2)
const suites = resolve(process.env.CONFORMANCE ?? join(ROOT, '..', 'shared', 'conformance'))
if (!area || !existsSync(join(suites, area))) {
  const areas = existsSync(suites)
    ? readdirSync(suites, { withFileTypes: true })
        .filter((entry) => entry.isDirectory())
        .map((entry) => entry.name)
    : []
  console.error(
    areas.length > 0 ? `name an area: ${areas.join(', ')}` : `no conformance suites at ${suites}: set CONFORMANCE to their folder`,
  )
  process.exit(2)
}
const tests = readdirSync(join(suites, area)).filter((name) => name.endsWith('.test.ts') && (!file || name === `${file}.test.ts`))
if (tests.length === 0) {
  console.error(
    `no test file ${file ?? ''} in ${area}: it has ${readdirSync(join(suites, area))
      .filter((name) => name.endsWith('.test.ts'))
      .join(', ')}`,
  )
  process.exit(2)
}
await buildIfNeeded()
const { bin } = await ensureControlPlane()
const { code } = await run(
  process.execPath,
  ['--test', '--test-concurrency=2', '--test-timeout=300000', ...tests.map((name) => join(suites, area, name))],
  { inherit: true, env: { KUBE_BIN: bin, CONFORMANCE_ADAPTER: join(ROOT, 'scripts', 'conformance-adapter.json') } },
)
process.exit(code)
