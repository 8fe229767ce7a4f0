// What can be said about a bundle that could be read: what the API server, targeting and rendering would refuse later.
import type { BundleSpec } from '../../api/bundle.ts'
import { BUNDLE } from '../../api/kinds.ts'
import { validateObject } from '../../api/validate.ts'
import type { BundleDraft } from '../../bundle/draft.ts'
import { decodeResources } from '../../bundle/read-contents.ts'
import { messageOf } from '../../lib/controller/errors.ts'
import { stringifyYaml } from '../../lib/yaml/stringify.ts'
import { compileValuesTemplate } from '../../target/compile-template.ts'
import { compileCriteria } from '../../target/match.ts'
import { missingOverlays } from '../deploy/dry-run.ts'

/** A fault with the field of fleet.yaml that it is about. */
export interface Finding {
  readonly severity: 'error' | 'warning'
  readonly path: string
  readonly message: string
}

/** All that is wrong with a bundle. */
export async function checkBundle({ bundle }: BundleDraft): Promise<Finding[]> {
  const files = await decodeResources(bundle.spec.resources ?? []).catch(() => []) // the reader has made them: they can be read
  const overlays = missingOverlays(bundle.spec, files).map((message) => ({ severity: 'warning' as const, path: 'yaml.overlays', message }))
  return [...checkSpec(bundle.spec), ...overlays]
}

/** What is wrong with options, whatever the files are. */
export function checkSpec(spec: BundleSpec): Finding[] {
  const options = [
    { path: 'helm', helm: spec.helm },
    ...(spec.targets ?? []).map(({ helm }, index) => ({ path: `targets[${index}].helm`, helm })),
  ]
  return [
    ...schemaFindings(spec),
    ...selectorFindings(spec),
    ...options.flatMap(({ path, helm }) => (helm ? templateFindings(path, helm) : [])),
  ]
}

function schemaFindings(spec: BundleSpec): Finding[] {
  return validateObject(BUNDLE.kind, { ...BUNDLE, metadata: {}, spec }).map(({ path, message }) => {
    const field = path.replace(/^spec\.?/, '')
    return { severity: 'error', path: field, message: `${field}: ${message}` }
  })
}

function selectorFindings({ targets, targetRestrictions, rolloutStrategy }: BundleSpec): Finding[] {
  const lists = { targets, targetRestrictions, 'rolloutStrategy.partitions': rolloutStrategy?.partitions }
  return Object.entries(lists).flatMap(([list, entries]) =>
    (entries ?? []).flatMap((entry, index) => {
      const path = `${list}[${index}]`
      return attempt(() => compileCriteria(entry)).map((message) => ({ severity: 'error' as const, path, message }))
    }),
  )
}

function attempt(work: () => unknown): string[] {
  try {
    work()
    return []
  } catch (error) {
    return [messageOf(error)]
  }
}

type Helm = NonNullable<BundleSpec['helm']>

function templateFindings(path: string, { values, templateValues, disablePreProcess }: Helm): Finding[] {
  if (disablePreProcess) return []
  const texts = [
    ...(values ? [{ path: `${path}.values`, text: stringifyYaml(values, { lossless: true }) }] : []),
    ...Object.entries(templateValues ?? {}).map(([key, text]) => ({ path: `${path}.templateValues.${key}`, text })),
  ]
  return texts.flatMap(({ path: field, text }) => {
    const failures = text.includes('${') ? attempt(() => compileValuesTemplate(text)) : []
    return failures.map((message) => ({ severity: 'error', path: field, message: `${field}: the template cannot be read: ${message}` }))
  })
}
