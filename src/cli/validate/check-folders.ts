// Every folder that would become a bundle, checked on its own, so that one fault does not hide the others.
import { posix } from 'node:path'
import type { ChartSource } from '../../bundle/charts.ts'
import type { BundleDraft, ReadOptions } from '../../bundle/draft.ts'
import { READ_LIMITS } from '../../bundle/limits.ts'
import { wantedBundles } from '../../bundle/publish-plan.ts'
import { readBundles } from '../../bundle/read.ts'
import { cleanPath, openRepoTree, type RepoTree } from '../../bundle/repo-tree.ts'
import { type BundleFolder, findBundleFolders, fleetFileIn } from '../../bundle/scan.ts'
import { TerminalError } from '../../lib/controller/errors.ts'
import { inParallel } from '../../lib/controller/parallel.ts'
import { checkBundle, checkSpec, type Finding } from './check-bundle.ts'
import { type CheckedOptions, checkOptions, pathIn } from './check-options.ts'
import type { Problem } from './problem.ts'

export interface Checked {
  readonly problems: readonly Problem[]
  /** how many folders were looked at */
  readonly folders: number
}

const CONCURRENCY = 8

/** Charts are not downloaded: whether they can be had is no fault of the folder. */
const NO_CHARTS: ChartSource = {
  download: async () => [{ name: 'chart/Chart.yaml', content: Buffer.alloc(0) }],
  dependencies: async () => ({ added: [], removed: [] }),
}

interface Result {
  readonly problems: readonly Problem[]
  readonly draft?: BundleDraft | undefined
}

/**
 * Checks the folders that options name below `root`.
 * @param shown how a path below the root is shown to the user
 */
export async function checkFolders(root: string, options: ReadOptions, shown: (path: string) => string): Promise<Checked> {
  const tree = await openRepoTree(root)
  const found = await attempt(() => findBundleFolders(tree, options, READ_LIMITS))
  if ('failure' in found) return { problems: [plain('', found.failure)], folders: 0 }
  const folders = found.value
  if (folders.length === 0) {
    const paths = options.paths?.join(', ') || '.'
    return { problems: [plain('', `there is nothing to deploy in ${paths}: no fleet.yaml and no manifest`)], folders: 0 }
  }
  const results = await inParallel(folders, CONCURRENCY, (folder) => checkFolder(tree, root, folder, options))
  const problems = [...results.flatMap((result) => result.problems), ...namesOf(results)]
  return {
    problems: problems.map((problem) => ({ ...problem, file: problem.file === '' ? '' : shown(problem.file) })),
    folders: folders.length,
  }
}

async function checkFolder(tree: RepoTree, root: string, found: BundleFolder, options: ReadOptions): Promise<Result> {
  options.signal?.throwIfAborted()
  const { folder, optionsFile } = found
  const name = optionsFile ?? (await fleetFileIn(tree, folder))
  const file = name === undefined ? undefined : cleanPath(posix.join(folder, name))
  const checked = file === undefined ? NOTHING : await checkFile(tree, file)
  if (checked.problems.some(({ severity }) => severity === 'error')) return checked
  const bundles = [{ base: folder, ...(optionsFile ? { options: optionsFile } : {}) }]
  const read = await attempt(() => readBundles(root, { ...options, bundles, charts: NO_CHARTS }))
  const failures = 'failure' in read ? read.failure.split('\n').map((line) => located(line, folder, file, checked)) : []
  const draft = 'failure' in read ? undefined : read.value.drafts[0]
  const findings = draft ? await checkBundle(draft) : checkSpec(checked.spec)
  const asProblem = ({ severity, path, message }: Finding): Problem => {
    const field = checked.inFile(path)
    const text = message.startsWith(`${path}: `) ? field + message.slice(path.length) : message
    return { file: file ?? folder, place: checked.positions?.of(field), severity, message: text }
  }
  return { problems: [...checked.problems, ...failures, ...findings.map(asProblem)], draft }
}

const NOTHING: CheckedOptions = { problems: [], positions: undefined, inFile: (path) => path, spec: {} }

async function checkFile(tree: RepoTree, file: string): Promise<CheckedOptions> {
  const read = await attempt(() => tree.readText(file, READ_LIMITS.optionBytes))
  if ('failure' in read) return { ...NOTHING, problems: [plain('', read.failure)] }
  return checkOptions(read.value, file)
}

/** Messages of the reader begin with the file that they are about, some of them with its line and column. */
function located(message: string, folder: string, file: string | undefined, { positions }: CheckedOptions): Problem {
  if (file !== undefined && message.startsWith(`${file}: `)) {
    const rest = message.slice(`${file}: `.length)
    return { file, place: positions?.of(pathIn(rest)), severity: 'error', message: rest }
  }
  const [, other = '', line, column, rest = ''] = /^([^:\s]+):(?:(\d+):(\d+):)? (.*)$/s.exec(message) ?? []
  if (other.startsWith(folder === '.' ? '' : `${folder}/`) && other !== '')
    return { file: other, place: line ? { line: Number(line), column: Number(column) } : undefined, severity: 'error', message: rest }
  return plain(folder, message)
}

/** Names that cannot be, or that two folders share. */
function namesOf(results: readonly Result[]): Problem[] {
  try {
    return wantedBundles(results.flatMap(({ draft }) => draft ?? [])).warnings.map((message) => ({
      ...plain('', message),
      severity: 'warning',
    }))
  } catch (error) {
    if (!(error instanceof TerminalError)) throw error
    return error.message.split('\n').map((message) => plain('', message))
  }
}

function plain(file: string, message: string): Problem {
  return { file, severity: 'error', message }
}

async function attempt<T>(work: () => Promise<T>): Promise<{ value: T } | { failure: string }> {
  try {
    return { value: await work() }
  } catch (error) {
    if (!(error instanceof TerminalError)) throw error
    return { failure: error.message }
  }
}
