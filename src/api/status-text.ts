// Objects that are not as they should be, in words (spec 1: human strings). Part of the wire contract.
import type { ModifiedStatus, NonReadyStatus } from './status.ts'

interface Identity {
  kind?: string | undefined
  apiVersion?: string | undefined
  namespace?: string | undefined
  name?: string | undefined
}

/** An object that differs from what was deployed, such as `configmap.v1 ns/a missing` or `deployment.apps ns/b modified {"spec":…}`. */
export function modifiedText(status: ModifiedStatus): string {
  const object = identityText(status)
  if (status.missing) return status.exist ? `${object} is not owned by us` : `${object} missing`
  return status.delete ? `${object} extra` : `${object} modified ${status.patch ?? ''}`
}

/** An object that is not ready, such as `deployment.apps ns/web [progressing] 1 of 2`. An error alone has no opening bracket. */
export function nonReadyText(status: NonReadyStatus): string {
  const { state = '', error = false, transitioning = false, message } = status.summary ?? {}
  const object = identityText(status)
  if (!error && !transitioning) return `${object} ${state}`
  const flags = `${transitioning ? '[progressing' : ''}${transitioning && error ? ',' : ''}${error ? 'error' : ''}]`
  return [object, flags, ...(message?.length ? [message.join(', ')] : [])].join(' ')
}

/** `<kind in lower case>.<group, or v1> [namespace/]name`; without API version just the kind. */
function identityText({ kind = '', apiVersion = '', namespace, name = '' }: Identity): string {
  const group = apiVersion.split('/')[0]
  return `${kind.toLowerCase()}${group ? `.${group}` : ''} ${namespace ? `${namespace}/` : ''}${name}`
}
