// Folders for tests, made of a few words and removed afterwards.
import { mkdir, mkdtemp, realpath, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'

/** Path → text, bytes, `{ link }` (where a symbolic link points) or null (an empty folder). */
export type Tree = Readonly<Record<string, string | Buffer | { readonly link: string } | null>>

export interface TestFolder {
  /** the checkout: a folder in a folder, so that something can lie outside of it */
  readonly root: string
  [Symbol.asyncDispose](): Promise<void>
}

/** Paths that begin with `../` lie beside the checkout. */
export async function makeFolder(tree: Tree): Promise<TestFolder> {
  const top = await mkdtemp(join(tmpdir(), 'fleet-bundle-'))
  const root = join(top, 'checkout')
  await mkdir(root)
  for (const [path, content] of Object.entries(tree)) await addEntry(join(root, path), content)
  return { root, [Symbol.asyncDispose]: () => rm(top, { recursive: true, force: true }) }
}

/** Adds what fits: a path below a file, or through a link, is left out. */
export async function addFiles(root: string, tree: Tree): Promise<void> {
  for (const [path, content] of Object.entries(tree)) {
    const parent = dirname(join(root, path))
    const isInside = await mkdir(parent, { recursive: true }).then(
      async () => (await realpath(parent)) === parent,
      () => false,
    )
    if (isInside) await addEntry(join(root, path), content).catch(() => {}) // a folder of that name is there already
  }
}

async function addEntry(at: string, content: Tree[string] | undefined): Promise<void> {
  await mkdir(content === null ? at : dirname(at), { recursive: true })
  if (typeof content === 'string' || Buffer.isBuffer(content)) await writeFile(at, content)
  else if (content) await symlink(content.link, at)
}

/** A manifest. */
export function configMap(name: string, extra = ''): string {
  return `apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: ${name}\n${extra}data:\n  k: v\n`
}
