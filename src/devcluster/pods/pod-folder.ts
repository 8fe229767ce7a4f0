// The folder of a pod on this host: its volumes, its kubeconfig, its logs.
import { mkdir, readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { renderKubeconfig } from '../kubeconfig.ts'
import type { NodeFacts } from './fields.ts'
import type { PodSources } from './sources.ts'
import type { Pod } from './types.ts'
import { syncFolder, writeIfChanged } from './volume-files.ts'
import type { TokenFile } from './volumes.ts'
import { planVolumes } from './volumes.ts'

/** Where a container finds the credentials of its service account, by a convention of Kubernetes. */
export const SERVICE_ACCOUNT_PATH = '/var/run/secrets/kubernetes.io/serviceaccount'

/** Paths below the folder of one pod. */
export interface PodFolder {
  readonly root: string
  readonly volumes: string
  readonly home: string
  readonly tmp: string
  readonly kubeconfig: string
  logFile(container: string): string
}

/** A token file with the folder of its volume. */
export interface PlacedToken {
  readonly folder: string
  readonly file: TokenFile
}

/** The folder of a pod below the node's folder. */
export function podFolder(dir: string, namespace: string, name: string): PodFolder {
  const root = join(dir, 'pods', `${namespace}_${name}`)
  return {
    root,
    volumes: join(root, 'volumes'),
    home: join(root, 'home'),
    tmp: join(root, 'tmp'),
    kubeconfig: join(root, 'kubeconfig'),
    logFile: (container) => join(root, `${container}.log`),
  }
}

/**
 * Makes the folder and writes the volumes as they should be now; tokens are left to the caller.
 * @returns the token files that belong to it, and whether a file was changed
 * @throws PodConfigError when something that a volume refers to is missing
 */
export async function writeVolumes(
  folder: PodFolder,
  pod: Pod,
  node: NodeFacts,
  sources: PodSources,
): Promise<{ tokens: PlacedToken[]; changed: boolean }> {
  for (const path of [folder.root, folder.volumes, folder.home, folder.tmp]) await mkdir(path, { recursive: true, mode: 0o700 })
  const plans = await planVolumes(pod, node, sources)
  let changed = false
  for (const { name, managed, files, tokens } of plans) {
    const path = join(folder.volumes, name)
    if (!managed) await mkdir(path, { recursive: true, mode: 0o700 })
    else if (
      (
        await syncFolder(
          path,
          files,
          tokens.map((token) => token.path),
        )
      ).length > 0
    )
      changed = true
  }
  const tokens = plans.flatMap((plan) => plan.tokens.map((file) => ({ folder: join(folder.volumes, plan.name), file })))
  return { tokens, changed }
}

/** Writes the kubeconfig by which a program acts as the service account whose credentials are in `credentials`. */
export async function writePodKubeconfig(folder: PodFolder, pod: Pod, server: string, credentials: string): Promise<void> {
  const { namespace = 'default' } = pod.metadata
  const ca = await readFile(join(credentials, 'ca.crt'), 'utf8')
  const user = { tokenFile: join(credentials, 'token') }
  const content = Buffer.from(renderKubeconfig({ name: 'in-cluster', server, ca, user, namespace }))
  await writeIfChanged(folder.root, { path: 'kubeconfig', content, mode: 0o600 })
}

/** Removes all but the logs. */
export async function removePodFiles(folder: PodFolder): Promise<void> {
  const gone = [folder.volumes, folder.home, folder.tmp, folder.kubeconfig]
  await Promise.all(gone.map((path) => rm(path, { recursive: true, force: true, maxRetries: 3, retryDelay: 100 })))
}
