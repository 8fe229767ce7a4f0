// `npm run conformance -- AREA [FILE …]`: a black-box suite of the conformance folder, run against this tree through scripts/conformance-adapter.json.
// The folder is CONFORMANCE, or ../shared/conformance beside the checkout. A FILE is a file name without `.test.ts`.
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import { ensureControlPlane } from './control-plane.ts'
import { buildIfNeeded } from './lib/build.ts'
import { ROOT, run } from './lib/run.ts'

const [area, ...files] = process.argv.slice(2)
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
const available = readdirSync(join(suites, area)).filter((name) => name.endsWith('.test.ts'))
const tests = files.length === 0 ? available : files.map((file) => `${file}.test.ts`)
const unknown = tests.filter((name) => !available.includes(name))
if (unknown.length > 0 || tests.length === 0) {
  console.error(`no test file ${unknown.join(', ')} in ${area}: it has ${available.join(', ')}`)
  process.exit(2)
}
await buildIfNeeded()
const { bin } = await ensureControlPlane()
const dir = mkdtempSync(join(tmpdir(), 'conformance-adapter-'))
const adapter = join(dir, 'adapter.json')
writeFileSync(adapter, JSON.stringify(absoluteAdapter()))
const started = ['--test', '--test-concurrency=2', '--test-timeout=300000', ...tests.map((name) => join(suites, area, name))]
// the programs find helm and kubectl as they would in their image: on the PATH
const env = { KUBE_BIN: bin, CONFORMANCE_ADAPTER: adapter, PATH: `${dirname(process.execPath)}:${bin}:${process.env.PATH}` }
const { code } = await run(process.execPath, started, { inherit: true, env })
rmSync(dir, { recursive: true, force: true })
process.exit(code)

interface Adapter {
  readonly crds: string
  readonly roles: Readonly<Record<string, { readonly command: readonly string[] }>>
}

/** The adapter of this tree with paths that hold in any folder: the suites start some programs in folders of their own. */
function absoluteAdapter(): Adapter {
  const scripts = join(ROOT, 'scripts')
  const adapter = JSON.parse(readFileSync(join(scripts, 'conformance-adapter.json'), 'utf8')) as Adapter
  const absolute = (path: string) => (path.startsWith('../') ? resolve(scripts, path) : path)
  const roles = Object.entries(adapter.roles).map(([name, role]) => [name, { ...role, command: role.command.map(absolute) }])
  return { ...adapter, crds: absolute(adapter.crds), roles: Object.fromEntries(roles) }
}
