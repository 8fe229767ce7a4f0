// The control groups of our pods, in every hierarchy that the machine has (one of cgroup v2, many of v1).
import { existsSync, mkdirSync, readdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs'
import { basename, join } from 'node:path'

const ROOT = '/sys/fs/cgroup'
/** What kubelet and runc cannot do without, by version of cgroups. */
const NEEDED: Readonly<Record<1 | 2, readonly string[]>> = {
  1: ['cpu', 'cpuacct', 'cpuset', 'devices', 'memory', 'pids'],
  2: ['cpu', 'cpuset', 'memory', 'pids'],
}

/** What the machine has, and why it is not enough. */
export interface CgroupSupport {
  /** `cgroup v1 with cpu, …; needed are …` */
  readonly description: string
  readonly lack?: string
}

/** Looks at the hierarchies, and tries to make a group. @param name of a group that nobody has */
export function cgroupSupport(name: string): CgroupSupport {
  const version = versionOf()
  if (version === undefined) return { description: 'no cgroups', lack: `no cgroups are mounted at ${ROOT}` }
  const present = controllersOf(version)
  const description = `cgroup v${version} with ${present.join(', ')}; needed are ${NEEDED[version].join(', ')}`
  const missing = NEEDED[version].filter((controller) => !present.includes(controller))
  if (missing.length > 0) return { description, lack: `cgroup v${version} lacks the controllers ${missing.join(', ')}` }
  try {
    makeCgroup(name)
    return { description }
  } catch (error) {
    return { description, lack: `control groups cannot be made below ${ROOT}: ${error instanceof Error ? error.message : error}` }
  } finally {
    removeCgroup(name)
  }
}

/** Makes a group in each hierarchy; with v2 its children have the controllers that are needed. @param name without `/` */
export function makeCgroup(name: string): void {
  const version = versionOf()
  for (const hierarchy of hierarchies()) {
    mkdirSync(join(hierarchy, name), { recursive: true })
    if (version === 2) for (const group of [hierarchy, join(hierarchy, name)]) handDown(group)
  }
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

function versionOf(): 1 | 2 | undefined {
  if (existsSync(join(ROOT, 'cgroup.controllers'))) return 2
  return hierarchies().length > 0 ? 1 : undefined
}

// Hierarchies of v1 are called after their controllers, `cpu,cpuacct` among them.
function controllersOf(version: 1 | 2): string[] {
  if (version === 2) return words(join(ROOT, 'cgroup.controllers'))
  const names = hierarchies().flatMap((hierarchy) => basename(hierarchy).split(','))
  return [...new Set(names)].filter((name) => name !== 'unified' && name !== 'systemd').sort()
}

// Nothing is written when it is so already, as on most machines.
function handDown(group: string): void {
  const file = join(group, 'cgroup.subtree_control')
  const handed = words(file)
  const missing = NEEDED[2].filter((controller) => !handed.includes(controller))
  if (missing.length > 0) writeFileSync(file, missing.map((controller) => `+${controller}`).join(' '))
}

function words(file: string): string[] {
  return readFileSync(file, 'utf8').split(/\s+/).filter(Boolean)
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
