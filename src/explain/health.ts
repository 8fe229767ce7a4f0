// Link `health`: are the objects ready, and as they were deployed? (spec 7.6, 7.8)
import type { BundleDeployment } from '../api/bundle-deployment.ts'
import { modifiedText, nonReadyText } from '../api/status-text.ts'
import { getCondition } from '../lib/controller/conditions.ts'
import { conditionWith, type Finding, quoted, sinceOf } from './finding.ts'
import type { Pair } from './pair.ts'

/** Objects that are named. */
const MAX_NAMED = 3

function found(state: Finding['state'], reason: string, message: string, more: Partial<Finding> = {}): Finding {
  return { link: 'health', state, reason, message, ...more }
}

export function checkHealth({ deployment, where }: Pair): Finding | undefined {
  if (!deployment) return undefined
  return unwatched(where, deployment) ?? notReady(where, deployment) ?? modified(where, deployment)
}

function unwatched(where: string, { status }: BundleDeployment): Finding | undefined {
  const condition = conditionWith(status?.conditions, 'Monitored', 'False')
  if (!condition || (status?.ready && status.nonModified)) return undefined
  const text = quoted(condition.message)
  return found('unknown', 'NotMonitored', `cluster ${where}: the agent cannot look at the objects: ${text}`, {
    since: sinceOf(condition),
    sameAs: text,
  })
}

function notReady(where: string, { status }: BundleDeployment): Finding | undefined {
  if (status?.ready) return undefined
  const ready = getCondition(status?.conditions, 'Ready')
  const objects = status?.nonReadyStatus ?? []
  const since = sinceOf(ready)
  const [first] = objects
  if (!first)
    return found('waiting', 'NotReady', `cluster ${where} is not ready${ready?.message ? `: ${quoted(ready.message)}` : ' yet'}`, {
      since,
      sameAs: ready?.message,
    })
  const hasFailed = objects.some(({ summary }) => summary?.error)
  const message = `cluster ${where}: ${list(objects.map(nonReadyText))}${hasFailed ? '; look at these objects in the cluster' : ''}`
  return found(hasFailed ? 'blocked' : 'waiting', 'NotReady', message, { since, sameAs: nonReadyText(first) })
}

function modified(where: string, { spec, status }: BundleDeployment): Finding | undefined {
  if (status?.nonModified) return undefined
  const ready = conditionWith(status?.conditions, 'Ready', 'False')
  const since = sinceOf(ready)
  const texts = (status?.modifiedStatus ?? []).map(modifiedText)
  const what = texts.length > 0 ? list(texts) : 'objects are not as they were deployed'
  const sameAs = texts[0]
  if (!spec.correctDrift?.enabled)
    return found(
      'blocked',
      'Modified',
      `cluster ${where}: ${what}; set correctDrift.enabled to have it undone, or change the bundle, or ignore it with diff.comparePatches`,
      {
        since,
        sameAs,
      },
    )
  const isRefused = ready?.message !== undefined && texts.length > 0 && ready.message !== texts[0]
  if (isRefused)
    return found(
      'blocked',
      'CorrectionFailed',
      `cluster ${where}: ${what}; undoing it fails: ${quoted(ready.message)}; it is tried again, at most 10 minutes apart (correctDrift.force replaces objects)`,
      {
        since,
        sameAs: ready.message,
      },
    )
  return found('waiting', 'Correcting', `cluster ${where}: ${what}; it is being undone (correctDrift)`, { since, sameAs })
}

function list(texts: readonly string[]): string {
  const more = texts.length > MAX_NAMED ? ` and ${texts.length - MAX_NAMED} more` : ''
  return `${texts.slice(0, MAX_NAMED).map(quoted).join('; ')}${more}`
}
