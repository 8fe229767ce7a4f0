// `fleet validate`: everything that is wrong with folders, before anything is committed.
import { stat } from 'node:fs/promises'
import { basename, dirname, isAbsolute, join, relative, resolve } from 'node:path'
import { TerminalError } from '../lib/controller/errors.ts'
import { drivenBundles } from './apply/driven.ts'
import { type Call, defineCommand } from './command.ts'
import { QuietFailure } from './exit.ts'
import type { FlagTable } from './flags.ts'
import { type Checked, checkFolders } from './validate/check-folders.ts'
import { formatProblem, type Problem, sortProblems } from './validate/problem.ts'

const FLAGS = {
  output: { type: 'text', short: 'o', choices: ['text', 'json'], default: 'text', help: 'format of the result' },
  strict: { type: 'boolean', help: 'fail for warnings, too' },
  'bundle-file': { type: 'text', short: 'b', value: 'NAME', help: 'name of the options file in each folder, in place of fleet.yaml' },
  'repo-name': { type: 'text', value: 'NAME', default: 'repo', help: 'first part of the names of the bundles: the name of the GitRepo' },
  'driven-scan': { type: 'boolean', help: 'take exactly the folders that are named, as FOLDER or FOLDER:OPTIONSFILE' },
  'driven-scan-sep': { type: 'text', default: ':', value: 'TEXT', help: 'what separates folder and options file' },
} as const satisfies FlagTable

export const validate = defineCommand({
  description:
    'Checks folders as a GitRepo would read them, and names everything that is wrong with file, line and column.\nUnknown keys are warnings. No cluster is asked, and no chart is downloaded.',
  arguments: [
    { name: 'PATH', help: 'folders, patterns, or fleet.yaml files; the folder itself when there are none', required: false, many: true },
  ],
  flags: FLAGS,
  examples: [['fleet validate apps/*', 'check all folders in apps']],
  run: runValidate,
})

async function runValidate(call: Call<typeof FLAGS>): Promise<void> {
  const { flags, io } = call
  const progress = io.progress('checking folders')
  const results = await check(call).finally(progress.done)
  const problems = sortProblems(results.flatMap((result) => result.problems))
  const folders = results.reduce((sum, result) => sum + result.folders, 0)
  const errors = problems.filter(({ severity }) => severity === 'error').length
  const warnings = problems.length - errors
  if (flags.output === 'json') await io.print(`${JSON.stringify({ folders, errors, warnings, problems: problems.map(flat) }, null, 2)}\n`)
  else {
    const paint = (severity: Problem['severity'], text: string) => io.paint(severity === 'error' ? 'red' : 'yellow', text)
    await io.print(problems.map((problem) => formatProblem(problem, paint)).join(''))
    io.note(`${count(folders, 'folder')} checked: ${count(errors, 'error')}, ${count(warnings, 'warning')}`)
  }
  if (errors > 0 || (flags.strict && warnings > 0)) throw new QuietFailure('the folders are not valid')
}

function count(number: number, word: string): string {
  return `${number} ${word}${number === 1 ? '' : 's'}`
}

function flat({ file, place, severity, message }: Problem): object {
  return { file, ...place, severity, message }
}

async function check(call: Call<typeof FLAGS>): Promise<Checked[]> {
  const { args, flags, cwd, signal } = call
  const common = { repoName: flags['repo-name'], namespace: 'default', bundleFile: flags['bundle-file'], imageScans: true, signal }
  if (flags['driven-scan']) {
    const bundles = drivenBundles(args, flags['driven-scan-sep'])
    return [await checkFolders(cwd, { ...common, bundles }, (path) => path)]
  }
  const [here, elsewhere] = await sorted(args.length > 0 ? args : ['.'], cwd)
  const results = here.length > 0 ? [await checkFolders(cwd, { ...common, paths: here }, (path) => path)] : []
  for (const root of elsewhere) results.push(await checkFolders(resolve(cwd, root), common, (path) => join(root, path)))
  return results
}

/** Paths below the working directory are folders of one repository; others are repositories of their own. */
async function sorted(args: readonly string[], cwd: string): Promise<[here: string[], elsewhere: string[]]> {
  const paths: [string[], string[]] = [[], []]
  for (const arg of args) {
    const kind = await stat(resolve(cwd, arg)).catch(() => undefined) // a pattern, or nothing: the scan says so
    const folder = kind?.isFile() && /^fleet\.ya?ml$/.test(basename(arg)) ? dirname(arg) : arg
    if (kind?.isFile() && folder === arg) throw new TerminalError(`${arg} is no folder and no fleet.yaml`)
    const inside = relative(cwd, resolve(cwd, folder))
    const isInside = !inside.startsWith('..') && !isAbsolute(inside)
    paths[isInside ? 0 : 1].push(isInside ? inside || '.' : folder)
  }
  return paths
}
