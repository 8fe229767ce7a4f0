// `fleet apply --file`: a whole Bundle that somebody has made already.
import type { Bundle } from '../../api/bundle.ts'
import { BUNDLE } from '../../api/kinds.ts'
import { validateObject } from '../../api/validate.ts'
import { bundleValues } from '../../api/values-secret.ts'
import type { BundleDraft } from '../../bundle/draft.ts'
import { applyOverrides } from '../../bundle/overrides.ts'
import { TerminalError } from '../../lib/controller/errors.ts'
import { parseObjects } from '../objects.ts'
import type { ApplyFlags } from './flags.ts'
import { labelsOf, overridesOf } from './read-options.ts'

/**
 * The bundle in a text of YAML or JSON, with what the flags say. Its namespace is that of the flags, its name its own, or `name` where it has none.
 * Throws TerminalError that names every fault.
 */
export function givenBundle(text: string, file: string, name: string, flags: ApplyFlags, commit: string | undefined): BundleDraft {
  const [object, ...more] = parseObjects(text, file)
  if (!object || more.length > 0 || object.kind !== BUNDLE.kind || object.apiVersion !== BUNDLE.apiVersion)
    throw new TerminalError(`${file} must hold exactly one Bundle of ${BUNDLE.apiVersion}`)
  const problems = validateObject(BUNDLE.kind, object, { unknownFields: true })
  if (problems.length > 0) throw new TerminalError(problems.map(({ path, message }) => `${file}: ${path}: ${message}`).join('\n'))
  const { metadata, spec } = object as Bundle
  const labels = { ...labelsOf(flags, commit), ...metadata.labels }
  const { forceSyncGeneration, ...overrides } = overridesOf(flags)
  const bundle = {
    ...BUNDLE,
    metadata: {
      name: metadata.name || name,
      namespace: flags.namespace,
      ...(Object.keys(labels).length > 0 ? { labels } : {}),
      ...(metadata.annotations ? { annotations: metadata.annotations } : {}),
    },
    // the flag has a default, which must not undo what the file says
    spec: applyOverrides(spec ?? {}, { ...overrides, forceSyncGeneration: forceSyncGeneration || spec?.forceSyncGeneration }),
  }
  return { bundle, values: bundleValues(bundle.spec), scans: [], origin: file }
}
