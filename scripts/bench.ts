// `npm run bench -- NAME [ARG …]`: builds, then runs a measurement of bench/.
import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { buildIfNeeded } from './lib/build.ts'
import { ROOT, run } from './lib/run.ts'

const [name = '', ...args] = process.argv.slice(2)
const file = join(ROOT, 'bench', `${name}.ts`)
if (!name || !existsSync(file)) {
  console.error(
    `name a measurement: ${readdirSync(join(ROOT, 'bench'))
      .filter((entry) => entry.endsWith('.ts'))
      .map((entry) => entry.slice(0, -3))
      .join(', ')}`,
  )
  process.exit(2)
}
await buildIfNeeded()
const { code } = await run(process.execPath, [file, ...args], { inherit: true })
process.exit(code)
