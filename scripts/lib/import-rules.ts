// Which folder of src/ may import which: the one table behind the import directions of the tree.

/** folder of src/ → folders of src/ that its files may import, beside its own. `lib/*` folders may import each other. */
export const ALLOWED_IMPORTS: Readonly<Record<string, readonly string[]>> = {
  lib: [],
  config: ['lib'],
  api: ['lib'],
  source: ['lib', 'api', 'config'],
  bundle: ['lib', 'api', 'config', 'source'],
  helmop: ['lib', 'api', 'config', 'source', 'bundle'],
  target: ['lib', 'api', 'config', 'source', 'bundle'],
  deployment: ['lib', 'api', 'config', 'source', 'bundle', 'target'],
  agent: ['lib', 'api', 'config', 'bundle'],
  status: ['lib', 'api', 'config'],
  registration: ['lib', 'api', 'config'],
  schedule: ['lib', 'api', 'config'],
  imagescan: ['lib', 'api', 'config', 'source'],
  explain: ['lib', 'api', 'source', 'target'],
  server: ['lib', 'api', 'config'],
  web: ['server', 'api'],
  cli: ['lib', 'api', 'config', 'source', 'bundle', 'target', 'deployment', 'agent', 'explain'],
  devcluster: ['lib', 'api'],
  bin: [
    'lib',
    'api',
    'config',
    'source',
    'bundle',
    'helmop',
    'target',
    'deployment',
    'agent',
    'status',
    'registration',
    'schedule',
    'imagescan',
    'server',
    'cli',
  ],
  testing: [
    'lib',
    'api',
    'config',
    'source',
    'bundle',
    'helmop',
    'target',
    'deployment',
    'agent',
    'status',
    'registration',
    'schedule',
    'imagescan',
    'server',
    'cli',
    'devcluster',
  ],
}

/** Imports that are narrower than their folder: the agent reads contents, and nothing else of the bundle stage. */
const ONLY_FILES: Readonly<Record<string, readonly string[]>> = {
  'agent → bundle': ['src/bundle/read-contents.ts', 'src/bundle/contents.ts'],
}

export interface ImportEdge {
  /** path from the root of the checkout, `/` as separator */
  readonly from: string
  readonly to: string
  /** `import type`: erased when the program runs, so it cannot close a cycle */
  readonly typeOnly?: boolean
}

function folderOf(file: string): string {
  return file.split('/')[1] ?? ''
}

/** Tests may use the helpers of src/testing. */
function isTest(file: string): boolean {
  return /\.(test|testing|contract)\.ts$/.test(file) || file.startsWith('src/testing/')
}

/** The imports that the table forbids, one sentence each. */
export function forbiddenImports(edges: readonly ImportEdge[]): string[] {
  const problems: string[] = []
  for (const { from, to } of edges) {
    const [source, target] = [folderOf(from), folderOf(to)]
    if (source === target || (isTest(from) && target === 'testing')) continue
    const allowed = ALLOWED_IMPORTS[source]
    if (!allowed) problems.push(`${from}: src/${source}/ is not in the table of scripts/lib/import-rules.ts`)
    else if (!allowed.includes(target)) problems.push(`${from} imports ${to}: src/${source}/ must not import src/${target}/`)
    else if (ONLY_FILES[`${source} → ${target}`]?.includes(to) === false) {
      problems.push(
        `${from} imports ${to}: src/${source}/ may import only ${ONLY_FILES[`${source} → ${target}`]?.join(', ')} of src/${target}/`,
      )
    }
  }
  return problems
}

/** The first import cycle between files that is found, as a list of files, or undefined. Depth-first search in three colours. */
export function findCycle(edges: readonly ImportEdge[]): string[] | undefined {
  const next = new Map<string, string[]>()
  for (const { from, to, typeOnly } of edges) {
    if (!typeOnly) next.set(from, [...(next.get(from) ?? []), to])
  }
  const done = new Set<string>()
  const path: string[] = []
  const visit = (file: string): string[] | undefined => {
    if (done.has(file)) return undefined
    if (path.includes(file)) return [...path.slice(path.indexOf(file)), file]
    path.push(file)
    for (const target of next.get(file) ?? []) {
      const cycle = visit(target)
      if (cycle) return cycle
    }
    path.pop()
    done.add(file)
    return undefined
  }
  for (const file of next.keys()) {
    const cycle = visit(file)
    if (cycle) return cycle
  }
  return undefined
}
