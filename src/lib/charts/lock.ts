// Chart.lock, as helm writes it.
import { createHash } from 'node:crypto'
import { marshalGoJson } from '../json/go-json.ts'
import { stringifyYaml } from '../yaml/stringify.ts'
import { type ChartMetadata, type Dependency, readMap } from './metadata.ts'

/** A dependency in the version that was found. */
export type LockedDependency = Pick<Dependency, 'name' | 'version' | 'repository'>

/** Helm writes the time of the update, by which the same commit would differ whenever it is read. */
const GENERATED = '0001-01-01T00:00:00Z'

/** Name of the lock file of a chart. */
export function lockName({ isOld }: ChartMetadata): string {
  return isOld ? 'requirements.lock' : 'Chart.lock'
}

/** The digest of what is declared and what was found; two locks with the same one are the same. */
export function lockDigest(declared: readonly Dependency[], locked: readonly LockedDependency[]): string {
  const text = `[[${declared.map(declaredText).join(',')}],[${locked.map(lockedText).join(',')}]]`
  return `sha256:${createHash('sha256').update(text).digest('hex')}`
}

/** The text of a lock file. */
export function lockText(locked: readonly LockedDependency[], digest: string): string {
  const dependencies = locked.map(({ name, version, repository }) => ({ name, repository, ...(version ? { version } : {}) }))
  return stringifyYaml({ dependencies, digest, generated: GENERATED })
}

/** The digest in a lock file; empty when it has none. Throws TerminalError for what is no lock. */
export function digestIn(lock: string, where: string): string {
  if (lock.trim() === '') return ''
  const { digest } = readMap(lock, where)
  return typeof digest === 'string' ? digest : ''
}

/** Go writes the fields of a struct in their order and leaves out empty ones. */
function declaredText(dependency: Dependency): string {
  return objectText([
    ['name', dependency.name, true],
    ['version', dependency.version, dependency.version !== ''],
    ['repository', dependency.repository, true],
    ['condition', dependency.condition, dependency.condition !== ''],
    ['tags', dependency.tags, dependency.tags.length > 0],
    ['enabled', true, dependency.enabled],
    ['import-values', dependency.importValues, dependency.importValues.length > 0],
    ['alias', dependency.alias, dependency.alias !== ''],
  ])
}

function lockedText({ name, version, repository }: LockedDependency): string {
  return objectText([
    ['name', name, true],
    ['version', version, version !== ''],
    ['repository', repository, true],
  ])
}

function objectText(fields: readonly (readonly [name: string, value: unknown, isWritten: boolean])[]): string {
  const written = fields.filter(([, , isWritten]) => isWritten)
  return `{${written.map(([name, value]) => `${marshalGoJson(name)}:${marshalGoJson(value)}`).join(',')}}`
}
