import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { ReleaseAccess } from './engine.ts'

/** Writes the kubeconfig of an operation into its folder, readable by us alone, and returns its path. */
export async function writeKubeconfig(dir: string, access: Pick<ReleaseAccess, 'kubeconfig'>): Promise<string> {
  const path = join(dir, 'kubeconfig')
  await writeFile(path, access.kubeconfig(), { mode: 0o600 })
  return path
}
