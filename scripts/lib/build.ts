// Builds the programs: one file, started under three names.
import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { build } from 'esbuild'
import { ROOT } from './run.ts'

/** The names under which the built file is started; it looks at its own name. */
const PROGRAMS = ['fleet-controller', 'fleet-agent', 'fleet'] as const
const DIST = join(ROOT, 'dist')
const BUNDLE = join(DIST, 'fleet.mjs')

// the packages that are CommonJS inside look for a global require
const BANNER = `#!/usr/bin/env node
import { createRequire as __createRequire } from 'node:module'
const require = __createRequire(import.meta.url)`

/** Writes dist/fleet.mjs and the three names that point to it. Errors of esbuild are thrown with file and line. */
export async function buildPrograms(): Promise<void> {
  const { version } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as { version: string }
  mkdirSync(DIST, { recursive: true })
  await build({
    entryPoints: [join(ROOT, 'src', 'bin', 'main.ts')],
    outfile: BUNDLE,
    bundle: true,
    platform: 'node',
    target: 'node24',
    format: 'esm',
    minifySyntax: true,
    legalComments: 'none',
    banner: { js: BANNER },
    define: { __FLEET_VERSION__: JSON.stringify(version) },
    logLevel: 'warning',
  })
  chmodSync(BUNDLE, 0o755)
  writeFileSync(join(DIST, 'package.json'), '{ "type": "module" }\n')
  for (const name of PROGRAMS) {
    rmSync(join(DIST, name), { force: true })
    symlinkSync('fleet.mjs', join(DIST, name))
  }
}

/** Builds only when a source file is newer than the build. */
export async function buildIfNeeded(): Promise<void> {
  const built = existsSync(BUNDLE) ? statSync(BUNDLE).mtimeMs : 0
  const sources = readdirSync(join(ROOT, 'src'), { recursive: true, withFileTypes: true }).filter(
    (entry) => entry.isFile() && entry.name.endsWith('.ts'),
  )
  const newest = Math.max(
    statSync(join(ROOT, 'package-lock.json')).mtimeMs,
    ...sources.map((entry) => statSync(join(entry.parentPath, entry.name)).mtimeMs),
  )
  if (built < newest) await buildPrograms()
}
