// `npm run vectors -- [names go-json …]`: the vector tests of the named files, or of all. VECTORS names the folder they are read from.
import { run, tool } from './lib/run.ts'

const names = process.argv.slice(2).map((name) => name.replace(/\.json$/, ''))
const pattern = names.length > 0 ? `^vectors (${names.map((name) => name.replace(/[^a-z0-9-]/gi, '.')).join('|')})\\.json ` : '^vectors '
const { code } = await run(tool('vitest'), ['run', '--project', 'unit', '-t', pattern], { inherit: true })
process.exit(code)
