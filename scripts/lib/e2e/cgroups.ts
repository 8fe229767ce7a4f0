// The control groups of our pods, in every hierarchy that the machine has (one of cgroup v2, many of v1).
import { existsSync, mkdirSync, readdirSync, rmdirSync } from 'node:fs'
import { join } from 'node:path'

const ROOT = '/sys/fs/cgroup'

/** Makes a group in each hierarchy. @param name without `/` */
export function makeCgroup(name: string): void {
  for (const hierarchy of hierarchies()) mkdirSync(join(hierarchy, name), { recursive: true })
}

/** Removes a group and those below it. @returns false when some are still there, because a process in them has not ended yet */
export function removeCgroup(name: string): boolean {
  const groups = hierarchies().map((hierarchy) => join(hierarchy, name))
  for (const group of groups) removeGroup(group)
  return !groups.some((group) => existsSync(group))
}

/** Names of groups that begin so. */
export function cgroupsNamed(prefix: string): string[] {
  return [...new Set(hierarchies().flatMap((hierarchy) => readdirSync(hierarchy).filter((name) => name.startsWith(prefix))))]
}

function hierarchies(): string[] {
  if (existsSync(join(ROOT, 'cgroup.controllers'))) return [ROOT]
  if (!existsSync(ROOT)) return []
  return readdirSync(ROOT, { withFileTypes: true })
    .filter((entry) => entry.isDirectory() && existsSync(join(ROOT, entry.name, 'cgroup.procs')))
    .map((entry) => join(ROOT, entry.name))
}

// Only folders can be removed, children first; the files in them are the kernel's.
function removeGroup(path: string): void {
  if (!existsSync(path)) return
  for (const entry of readdirSync(path, { withFileTypes: true })) if (entry.isDirectory()) removeGroup(join(path, entry.name))
  try {
    rmdirSync(path)
  } catch {
    // a process is ending in it: the caller comes again
  }
}
