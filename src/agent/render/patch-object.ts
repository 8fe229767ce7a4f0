// Applies one patch to one object: JSON patch, merge patch, or the strategic merge of built-in kinds.
import { basename } from 'node:path'
import { exec } from '../../lib/exec/exec.ts'
import { ExecError } from '../../lib/exec/exec-error.ts'
import type { KustomizeConfig } from '../../lib/kustomize/build.ts'

type Fields = Record<string, unknown>

const TIMEOUT_MS = 30_000

/**
 * `base` changed by `patch`. A list is a JSON patch. An object is merged; lists in it are merged by the keys of a built-in kind (kubectl knows them)
 * and replaced in other kinds.
 */
export async function patchObject(base: unknown, patch: unknown, kubectl: KustomizeConfig): Promise<unknown> {
  if (Array.isArray(patch)) return jsonPatch(base, patch)
  if (isBuiltIn(base) && needsStrategy(patch)) return (await strategicMerge(base, patch, kubectl)) ?? mergePatch(base, patch)
  return mergePatch(base, patch)
}

async function jsonPatch(base: unknown, operations: unknown[]): Promise<unknown> {
  const { default: library } = await import('fast-json-patch')
  return library.applyPatch(structuredClone(base), operations as Parameters<typeof library.applyPatch>[1], true).newDocument
}

/** RFC 7396. */
export function mergePatch(base: unknown, patch: unknown): unknown {
  if (!isFields(patch)) return patch
  const result: Fields = isFields(base) ? { ...base } : {}
  for (const [key, value] of Object.entries(patch)) {
    if (value === null) delete result[key]
    else result[key] = mergePatch(result[key], value)
  }
  return result
}

/** Only lists and directives make a difference between the two ways of merging. */
function needsStrategy(patch: unknown): boolean {
  if (Array.isArray(patch)) return true
  return isFields(patch) && Object.entries(patch).some(([key, value]) => key.startsWith('$') || needsStrategy(value))
}

function isBuiltIn(base: unknown): boolean {
  if (!isFields(base) || typeof base.apiVersion !== 'string') return false
  const group = base.apiVersion.includes('/') ? (base.apiVersion.split('/')[0] ?? '') : ''
  return !group.includes('.') || group.endsWith('.k8s.io')
}

/** Undefined when kubectl does not know the kind, or is not there. */
async function strategicMerge(base: unknown, patch: unknown, kubectl: KustomizeConfig): Promise<unknown> {
  if (!basename(kubectl.binary).startsWith('kubectl')) return undefined
  const args = ['patch', '--local', '--type', 'strategic', '--filename', '-', '--patch', JSON.stringify(patch), '--output', 'json']
  const options = { env: { HOME: kubectl.home }, input: JSON.stringify(base), timeoutMs: TIMEOUT_MS, onChild: kubectl.onChild }
  try {
    return JSON.parse((await kubectl.slots.run(() => exec(kubectl.binary, args, options))).stdout)
  } catch (error) {
    if (error instanceof ExecError && /strategic merge patch is not supported|no matches for kind/.test(error.stderr)) return undefined
    throw error
  }
}

function isFields(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
