// Reads the tree as the checks see it: the source files git knows or would add, their sizes and their imports.
import { execFileSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { dirname, join, posix } from 'node:path'
import type { ImportEdge } from './import-rules.ts'
import { ROOT } from './run.ts'

/** The most lines that a file may have; generated files excepted. */
const MAX_LINES = 400
const GENERATED = /(^|\/)(crds|dist)\/|\.generated\.ts$|^package-lock\.json$|^docs\/api\.md$/
const MEASURED = /\.(ts|tsx|mjs|go)$/

/** All files of the checkout that git tracks or would add. */
export function files(): string[] {
  const out = execFileSync('git', ['ls-files', '--cached', '--others', '--exclude-standard'], {
    cwd: ROOT,
    encoding: 'utf8',
    maxBuffer: 64 * 2 ** 20,
  })
  return [...new Set(out.split('\n'))].filter((file) => file !== '' && existsSync(join(ROOT, file)))
}

/** The files that are too long, one sentence each. */
export function oversized(all: readonly string[]): string[] {
  const measured = all.filter((file) => MEASURED.test(file) && !GENERATED.test(file))
  return measured.flatMap((file) => {
    const lines = readFileSync(join(ROOT, file), 'utf8').split('\n').length - 1
    return lines > MAX_LINES ? [`${file} has ${lines} lines; ${MAX_LINES} are the most: split it by concern`] : []
  })
}

const IMPORT = /^\s*(?:import|export)\s+(type\s)?(?:[^'"();]*?\sfrom\s+)?['"](\.{1,2}\/[^'"]+)['"]/gm
const DYNAMIC_IMPORT = /\bimport\(\s*['"](\.{1,2}\/[^'"]+)['"]\s*\)/g

/** The relative imports of the files below src/. A dynamic import counts for directions, not for cycles. */
export function imports(all: readonly string[]): ImportEdge[] {
  return all
    .filter((file) => /^src\/.*\.tsx?$/.test(file))
    .flatMap((from) => {
      const text = readFileSync(join(ROOT, from), 'utf8')
      const resolve = (specifier: string) => posix.normalize(posix.join(dirname(from), specifier))
      return [
        ...[...text.matchAll(IMPORT)].map((match) => ({ from, to: resolve(match[2] ?? ''), typeOnly: match[1] !== undefined })),
        ...[...text.matchAll(DYNAMIC_IMPORT)].map((match) => ({ from, to: resolve(match[1] ?? ''), typeOnly: true })),
      ].filter((edge) => edge.to.startsWith('src/'))
    })
}

/** Folders directly below src/ that have files but no README.md. */
export function foldersWithoutReadme(all: readonly string[]): string[] {
  const folders = new Set(all.filter((file) => /^src\/[^/]+\//.test(file)).map((file) => file.split('/')[1] ?? ''))
  return [...folders]
    .filter((folder) => !existsSync(join(ROOT, 'src', folder, 'README.md')))
    .map((folder) => `src/${folder}/ has no README.md: say what comes in, what goes out and which file to read first`)
}

/** Files that name a path of some machine, one sentence each. */
export function machinePaths(all: readonly string[]): string[] {
  const pattern = /(?:^|[\s"'`=(])(?:\/work\/|\/root\/|\/home\/[a-z]+\/)/m
  return all
    .filter((file) => !GENERATED.test(file) && /\.(ts|mjs|md|json|ya?ml|go|sh)$/.test(file))
    .flatMap((file) => (pattern.test(readFileSync(join(ROOT, file), 'utf8')) ? [`${file} names a path of one machine`] : []))
}
