// `npm run check`: everything that must hold before a commit, in under a minute. Each check is one line; a failed one shows its output.
import { findCycle, forbiddenImports } from './lib/import-rules.ts'
import { type Finished, run, tool } from './lib/run.ts'
import { files, foldersWithoutReadme, imports, machinePaths, oversized } from './lib/tree.ts'

interface Check {
  readonly name: string
  run(): Promise<Finished>
}

function command(name: string, bin: string, ...args: string[]): Check {
  return { name, run: () => run(bin, args, { timeoutMs: 120_000, env: { NO_COLOR: '1' } }) }
}

function rule(name: string, problems: () => readonly string[]): Check {
  return {
    name,
    async run() {
      const started = Date.now()
      const found = problems()
      return { code: found.length > 0 ? 1 : 0, output: found.join('\n'), durationMs: Date.now() - started }
    },
  }
}

const all = files()
const edges = imports(all)

const checks: readonly Check[] = [
  command('types', tool('tsc'), '--noEmit'),
  command('lint and format', tool('biome'), 'ci', '--error-on-warnings', '--colors=off', '--max-diagnostics=20', '.'),
  command('unused code', tool('knip'), '--no-progress'),
  command('generated files', process.execPath, 'scripts/generate.ts', '--check'),
  rule('import directions', () => forbiddenImports(edges)),
  rule('import cycles', () => (findCycle(edges) ? [findCycle(edges)?.join(' → ') ?? ''] : [])),
  rule('file sizes', () => oversized(all)),
  rule('folder READMEs', () => foldersWithoutReadme(all)),
  rule('machine paths', () => machinePaths(all)),
  command('unit tests', tool('vitest'), 'run', '--project', 'unit', '--reporter', 'dot'),
]

const started = Date.now()
// two at a time: the type checker and the tests use more than one core themselves
const queue = [...checks]
let failed = 0

async function work(): Promise<void> {
  for (let check = queue.shift(); check; check = queue.shift()) {
    const { code, output, durationMs } = await check.run()
    console.log(`${code === 0 ? 'ok    ' : 'FAILED'} ${check.name} (${(durationMs / 1000).toFixed(1)} s)`)
    if (code === 0) continue
    failed++
    console.log(output.trimEnd().replace(/^/gm, '       '))
  }
}

await Promise.all([work(), work()])
console.log(`${checks.length - failed} passed, ${failed} failed (${((Date.now() - started) / 1000).toFixed(1)} s)`)
process.exit(failed > 0 ? 1 : 0)
