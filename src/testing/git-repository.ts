// Bare repositories made with the git command line, without a working copy.
import { spawn } from 'node:child_process'
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'

/** Path → content; null removes the path. Other modes are those of git: 100755, 120000 (content is the target), 160000 (content is a commit id). */
export type FileMap = Readonly<
  Record<string, string | Buffer | null | { readonly mode: '100755' | '120000' | '160000'; readonly content: string }>
>

export interface TestRepository {
  /** The bare repository. */
  readonly dir: string
  /** Changes files on a branch (default master; from `from` if given, else on top of what it has). Returns the commit id. */
  commit(files: FileMap, options?: { branch?: string; from?: string }): Promise<string>
  /** The commit a ref names. */
  head(ref?: string): Promise<string>
  branch(name: string, commit: string): Promise<void>
  deleteBranch(name: string): Promise<void>
  /** Creates or moves a tag. */
  tag(name: string, commit: string, options?: { annotated?: boolean }): Promise<void>
  /** Runs git in the repository and returns what it prints. */
  git(args: readonly string[], input?: string | Buffer): Promise<string>
}

const AUTHOR = { name: 'author', email: 'author@example.invalid' }

/** No settings of the machine or the user. */
export const GIT_ENVIRONMENT: Readonly<Record<string, string>> = {
  PATH: process.env.PATH ?? '/usr/bin:/bin',
  HOME: '/nonexistent',
  GIT_CONFIG_NOSYSTEM: '1',
  GIT_TERMINAL_PROMPT: '0',
  GIT_AUTHOR_NAME: AUTHOR.name,
  GIT_AUTHOR_EMAIL: AUTHOR.email,
  GIT_COMMITTER_NAME: AUTHOR.name,
  GIT_COMMITTER_EMAIL: AUTHOR.email,
}

/** Creates an empty bare repository. With `anyCommit` it gives any commit by its id, as hosting services do. */
export async function createTestRepository(dir: string, options: { branch: string; anyCommit: boolean }): Promise<TestRepository> {
  const anyCommit = options.anyCommit ? '[uploadpack]\n\tallowAnySHA1InWant = true\n' : ''
  await Promise.all(['objects', 'refs'].map((folder) => mkdir(join(dir, folder), { recursive: true })))
  await writeFile(join(dir, 'HEAD'), `ref: refs/heads/${options.branch}\n`)
  await writeFile(join(dir, 'config'), `[core]\n\trepositoryformatversion = 0\n\tbare = true\n${anyCommit}`)
  const git = (args: readonly string[], input?: string | Buffer): Promise<string> => run(dir, args, input)
  const head = (ref = options.branch): Promise<string> => git(['rev-parse', '--verify', '-q', `${ref}^{commit}`])
  const branches = new Set<string>()

  return {
    dir,
    git,
    head,
    async commit(files, { branch = options.branch, from } = {}) {
      const parent = from ?? (branches.has(branch) ? branch : '')
      branches.add(branch)
      return git(['fast-import', '--quiet', '--force'], commitStream(branch, parent && (await head(parent)), files))
    },
    async branch(name, commit) {
      await git(['update-ref', `refs/heads/${name}`, commit])
      branches.add(name)
    },
    async deleteBranch(name) {
      await git(['update-ref', '-d', `refs/heads/${name}`])
      branches.delete(name)
    },
    async tag(name, commit, { annotated = false } = {}) {
      await git(['tag', '-f', ...(annotated ? ['-a', '-m', name] : []), name, commit])
    },
  }
}

/** The files of a folder, to make a repository of. */
export async function readFolder(dir: string): Promise<FileMap> {
  const entries = await readdir(dir, { recursive: true, withFileTypes: true })
  const files = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name))
  return Object.fromEntries(await Promise.all(files.map(async (file) => [file.slice(dir.length + 1), await readFile(file)] as const)))
}

/** Input of `git fast-import`, which prints the id of the commit. */
function commitStream(branch: string, parent: string, files: FileMap): Buffer {
  const parts: (string | Buffer)[] = [
    `commit refs/heads/${branch}\nmark :1\ncommitter ${AUTHOR.name} <${AUTHOR.email}> ${Math.floor(Date.now() / 1_000)} +0000\ndata 6\nchange\n`,
  ]
  if (parent) parts.push(`from ${parent}\n`)
  for (const [path, file] of Object.entries(files)) parts.push(...change(JSON.stringify(path), file))
  return Buffer.concat([...parts, '\nget-mark :1\n'].map((part) => Buffer.from(part)))
}

function change(path: string, file: FileMap[string]): (string | Buffer)[] {
  if (file === null || file === undefined) return [`D ${path}\n`]
  const { mode, content } = typeof file === 'string' || Buffer.isBuffer(file) ? { mode: '100644', content: file } : file
  if (mode === '160000') return [`M 160000 ${content.toString()} ${path}\n`]
  const bytes = Buffer.from(content)
  return [`M ${mode} inline ${path}\ndata ${bytes.length}\n`, bytes, '\n']
}

function run(cwd: string | undefined, args: readonly string[], input: string | Buffer = ''): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = spawn('git', args, { cwd, env: GIT_ENVIRONMENT, stdio: ['pipe', 'pipe', 'pipe'] })
    const output: Buffer[] = []
    const complaints: Buffer[] = []
    child.stdout.on('data', (chunk: Buffer) => output.push(chunk))
    child.stderr.on('data', (chunk: Buffer) => complaints.push(chunk))
    child.on('error', reject)
    child.on('close', (code) => {
      if (code === 0) resolve(Buffer.concat(output).toString('utf8').trim())
      else reject(new Error(`git ${args.join(' ')} exited with ${code}: ${Buffer.concat(complaints).toString('utf8')}`))
    })
    child.stdin.on('error', () => {}) // told by the exit code
    child.stdin.end(input)
  })
}
