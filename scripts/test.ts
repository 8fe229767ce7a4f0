// `npm test`: unit tests, then tests and stories on real control planes, which it builds or finds first.
// `npm test -- FILTER …` runs only the files whose path contains a filter.
import { ensureControlPlane } from './control-plane.ts'
import { buildIfNeeded } from './lib/build.ts'
import { run, tool } from './lib/run.ts'

const filters = process.argv.slice(2)
await buildIfNeeded()
const { bin } = await ensureControlPlane()
const env = { KUBE_BIN: bin }
for (const projects of [['unit'], ['api'], ['stories']]) {
  const args = ['run', ...projects.flatMap((project) => ['--project', project]), '--passWithNoTests', ...filters]
  const { code } = await run(tool('vitest'), args, { inherit: true, env })
  if (code !== 0) process.exit(code)
}
