// Looks into a finished image: its parts, its size, whether it runs with as few rights as the charts give it.
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Engine } from './engine.ts'
import { goModules } from './go-build-info.ts'
import type { Target } from './options.ts'
import type { Part } from './sbom.ts'
import { debianParts } from './sbom.ts'

/** The Go programs in each image, and what shows that all in it can be started. */
const CONTENTS: Readonly<Record<Target, { readonly tools: readonly string[]; readonly commands: readonly (readonly string[])[] }>> = {
  fleet: {
    tools: ['helm'],
    commands: [
      ['fleetcontroller', '--version'],
      ['fleet', '--version'],
      ['helm', 'version', '--short'],
      ['git', '--version'],
      ['node', '-e', 'require("node:fs").writeFileSync("/tmp/x", ""); console.log("node", process.version, "as user", process.getuid())'],
    ],
  },
  'fleet-agent': {
    tools: ['helm', 'kustomize'],
    commands: [
      ['fleetagent', '--version'],
      ['helm', 'version', '--short'],
      ['kustomize', 'version'],
    ],
  },
}

const PACKAGES = '/var/lib/dpkg/status'
// two calls: what one call has counted it leaves out
const SIZES = 'du -sxk / 2>/dev/null; du -sk /usr/local/bin/* /opt/fleet /usr/lib /usr/bin /usr/share /var 2>/dev/null; true'

/** Debian packages and modules of Go programs in an image. */
export async function systemParts(engine: Engine, image: string, target: Target): Promise<Part[]> {
  const dir = mkdtempSync(join(tmpdir(), 'fleet-tools-'))
  try {
    await engine.copyOut(image, PACKAGES, join(dir, 'packages'))
    const parts = debianParts(readFileSync(join(dir, 'packages'), 'utf8'))
    for (const tool of CONTENTS[target].tools) {
      await engine.copyOut(image, `/usr/local/bin/${tool}`, join(dir, tool))
      const modules = goModules(readFileSync(join(dir, tool)))
      parts.push(...modules.map(({ path, version }) => ({ ecosystem: 'golang' as const, name: path, version, comment: `in ${tool}` })))
    }
    return parts
  } finally {
    rmSync(dir, { recursive: true, force: true })
  }
}

export interface SizeEntry {
  readonly path: string
  readonly bytes: number
}

/** Uncompressed sizes: the image as a whole (path `/`) and what we put into it, largest first. */
export async function sizes(engine: Engine, image: string): Promise<SizeEntry[]> {
  const lines = (await engine.shell(image, SIZES)).split('\n').map((line) => line.match(/^(\d+)\s+(\/\S*)$/))
  const entries = lines.flatMap((match) => (match ? [{ path: match[2] ?? '', bytes: Number(match[1]) * 1024 }] : []))
  return entries.filter(({ bytes }) => bytes > 2 ** 20).sort((a, b) => b.bytes - a.bytes)
}

/** Starts everything in it as the image's user on a read-only root; gives the answers, or why it could not be tried. */
export async function tryConfined(engine: Engine, image: string, target: Target): Promise<string[]> {
  const answers: string[] = []
  for (const command of CONTENTS[target].commands) {
    const result = await engine.runConfined(image, command)
    if ('skipped' in result) return [`not tried: ${result.skipped}`]
    answers.push(result.output.split('\n').at(-1) ?? '')
  }
  return answers
}
