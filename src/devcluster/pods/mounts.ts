// There is no mount namespace: where a container names a mounted path, the host's folder is put in its place. Pure.
import { join } from 'node:path'
import type { Container, Volume } from './types.ts'

/** Where the programs of a container look, and where the host has it. */
export interface MountedPath {
  readonly mountPath: string
  readonly hostPath: string
}

/** The mounts of a container, given the folder that holds one folder for each volume. A hostPath volume is the host's own path. */
export function mountedPaths(container: Container, volumes: readonly Volume[], volumesDir: string): MountedPath[] {
  return (container.volumeMounts ?? []).map(({ name, mountPath, subPath }) => {
    const root = volumes.find((volume) => volume.name === name)?.hostPath?.path ?? join(volumesDir, name)
    return { mountPath: mountPath.replace(/(.)\/+$/, '$1'), hostPath: subPath === undefined ? root : join(root, subPath) }
  })
}

/**
 * Replaces every occurrence of a mounted path in a text, as a whole path or as the beginning of one: with `/etc/app` mounted,
 * `--file=/etc/app/x.yaml` is changed, `/etc/application` and `https://host/etc/app` are not.
 */
export function rewritePaths(text: string, mounts: readonly MountedPath[]): string {
  const longestFirst = mounts.filter(({ mountPath }) => mountPath !== '/').toSorted((a, b) => b.mountPath.length - a.mountPath.length)
  if (longestFirst.length === 0) return text
  const paths = longestFirst.map(({ mountPath }) => mountPath.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')).join('|')
  // One pass over the text: a host folder that looks like another mount is not replaced again.
  const pattern = new RegExp(`(?<![\\w./-])(${paths})(?![\\w.-])`, 'g')
  return text.replace(pattern, (found) => longestFirst.find(({ mountPath }) => mountPath === found)?.hostPath ?? found)
}
