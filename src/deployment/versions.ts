// What was worked out for the present version of each bundle, so that events about its deployments cost next to nothing.
import type { Bundle } from '../api/bundle.ts'
import { keyOf } from '../lib/controller/keys.ts'
import { compileTargeting, type Targeting } from '../target/target.ts'
import type { TemplateCompiler } from '../target/values-template.ts'
import type { Impositions } from '../target/variant.ts'
import { type Contents, contentsOf } from './contents.ts'

export interface Versions {
  /** As {@link contentsOf}, hashed once a generation. */
  contentsOf(bundle: Bundle): Contents
  /** The compiled targets, made once for a generation and what is imposed on it. `fillIn` adds values that lie in a secret. */
  targetingOf(bundle: Bundle, impositions: Impositions, fillIn: (bundle: Bundle) => Promise<Bundle>): Promise<Targeting>
  forget(key: string): void
}

interface Known<T> {
  readonly stamp: string
  readonly value: T
}

/** Remembers one version of each bundle. */
export function createVersions(compileTemplate: TemplateCompiler): Versions {
  const contents = new Map<string, Known<Contents>>()
  const targetings = new Map<string, Known<Targeting>>()

  function knownContents(bundle: Bundle): Contents {
    const stamp = stampOf(bundle)
    const before = contents.get(keyOf(bundle))
    if (before?.stamp === stamp) return before.value
    const value = contentsOf(bundle)
    contents.set(keyOf(bundle), { stamp, value })
    return value
  }

  return {
    contentsOf: knownContents,
    async targetingOf(bundle, impositions, fillIn) {
      const stamp = `${stampOf(bundle)} ${JSON.stringify(impositions)}`
      const before = targetings.get(keyOf(bundle))
      if (before?.stamp === stamp) return before.value
      const { id } = knownContents(bundle)
      const value = compileTargeting({ bundle: await fillIn(bundle), manifestId: id, compileTemplate, ...impositions })
      targetings.set(keyOf(bundle), { stamp, value })
      return value
    },
    forget(key) {
      contents.delete(key)
      targetings.delete(key)
    },
  }
}

function stampOf({ metadata }: Bundle): string {
  return `${metadata.uid} ${metadata.generation}`
}
