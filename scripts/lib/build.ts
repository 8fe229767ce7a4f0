// Builds the programs: one small file that is started under three names, and what it loads when it is needed.
import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { build } from 'esbuild'
import { ROOT } from './run.ts'

/** The names under which the built file is started; it looks at its own name. */
const PROGRAMS = ['fleet-controller', 'fleet-agent', 'fleet'] as const
const DIST = join(ROOT, 'dist')
const ENTRY = join(DIST, 'fleet.mjs')
const CHUNK = 'chunk-'

// the packages that are CommonJS inside look for a global require, and one for the folder it lies in
const BANNER = `#!/usr/bin/env node
import { createRequire as __createRequire } from 'node:module'
const require = __createRequire(import.meta.url)
const __dirname = import.meta.dirname`

/** Writes dist/fleet.mjs with its chunks, and the three names that point to it. Errors of esbuild are thrown with file and line. */
export async function buildPrograms(): Promise<void> {
  const { version } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as { version: string }
  const { outputFiles } = await build({
    entryPoints: { fleet: join(ROOT, 'src', 'bin', 'main.ts'), 'git-worker': join(ROOT, 'src', 'lib', 'git', 'git-worker-entry.ts') },
    outdir: DIST,
    outExtension: { '.js': '.mjs' },
    chunkNames: `${CHUNK}[hash]`,
    splitting: true,
    write: false,
    bundle: true,
    platform: 'node',
    target: 'node24',
    format: 'esm',
    minifySyntax: true,
    legalComments: 'none',
    // native parts of ssh2, which does without: npm installs them on some machines only, and the build is to be the same on all
    external: ['*.node', 'cpu-features'],
    banner: { js: BANNER },
    define: { __FLEET_VERSION__: JSON.stringify(version) },
    logLevel: 'warning',
  })
  mkdirSync(DIST, { recursive: true })
  for (const old of readdirSync(DIST)) if (old.startsWith(CHUNK)) rmSync(join(DIST, old))
  for (const { path, contents } of outputFiles) writeFileSync(path, contents)
  chmodSync(ENTRY, 0o755)
  writeFileSync(join(DIST, 'package.json'), '{ "type": "module" }\n')
  for (const name of PROGRAMS) {
    rmSync(join(DIST, name), { force: true })
    symlinkSync('fleet.mjs', join(DIST, name))
  }
}

/** Builds only when a source file, the packages or this file are newer than the build. */
export async function buildIfNeeded(): Promise<void> {
  const built = existsSync(ENTRY) ? statSync(ENTRY).mtimeMs : 0
  const sources = readdirSync(join(ROOT, 'src'), { recursive: true, withFileTypes: true }).filter(
    (entry) => entry.isFile() && entry.name.endsWith('.ts'),
  )
  const newest = Math.max(
    ...[join(ROOT, 'package-lock.json'), import.meta.filename].map((file) => statSync(file).mtimeMs),
    ...sources.map((entry) => statSync(join(entry.parentPath, entry.name)).mtimeMs),
  )
  if (built < newest) await buildPrograms()
}
