// What a push notification asks of us (spec 8.1 #7): it stands in the status as `webhookCommit` until the server has been asked.
import type { GitRepo } from '../api/git-repo.ts'
import type { PollResult } from './poller.ts'

/** A notification that has not been dealt with yet. */
export interface PushHint {
  readonly commit: string
  /** When it came, in milliseconds. */
  readonly since: number
  /** Only polls from then on count. */
  readonly askedAt: number
}

/** A server may tell of a commit before it shows it. */
const PATIENCE_MS = 30_000
const PAUSE_MS = 2_000
/** Pauses while the server cannot be asked: the first one, and the longest. */
const FIRST_RETRY_MS = 5_000
const LAST_RETRY_MS = 600_000

/**
 * The hint in the status, with what is remembered of it; undefined if there is none or it tells of what has been read anyway.
 * One that was there before this process (`isFirstSight`) is as old as the status says: the patience for it is not granted anew with each start.
 */
export function hintOf(
  { status = {} }: Pick<GitRepo, 'status'>,
  known: PushHint | undefined,
  now: number,
  isFirstSight: boolean,
): PushHint | undefined {
  const { webhookCommit: commit, lastWebhookTime } = status
  if (!commit || commit === status.commit) return undefined
  if (known?.commit === commit) return known
  const told = Date.parse(lastWebhookTime ?? '')
  return { commit, since: isFirstSight && told < now ? told : now, askedAt: now }
}

export type HintStep =
  /** The answer of a poll from `askedAt` on is needed. */
  | { readonly kind: 'ask'; readonly hint: PushHint }
  /** The server does not show the commit yet. */
  | { readonly kind: 'wait'; readonly ms: number }
  /** It never did. */
  | { readonly kind: 'give up' }
  /** The server shows something new: it is read in any case. */
  | { readonly kind: 'settled' }

/** What to do about a hint when the server was last asked with this result. */
export function hintStep(hint: PushHint, poll: PollResult | undefined, { status = {} }: Pick<GitRepo, 'status'>, now: number): HintStep {
  if (!poll || poll.at < hint.askedAt) return { kind: 'ask', hint }
  if (poll.error) return askAt(hint, poll.at + retryMs(hint, poll), now)
  if (poll.commit === undefined || poll.commit !== status.commit) return { kind: 'settled' }
  if (now - hint.since >= PATIENCE_MS) return { kind: 'give up' }
  return askAt(hint, poll.at + PAUSE_MS, now)
}

function askAt(hint: PushHint, at: number, now: number): HintStep {
  return at > now ? { kind: 'wait', ms: at - now } : { kind: 'ask', hint: { ...hint, askedAt: now } }
}

/** With pushes the polling interval is long (spec 0.4): it is not what brings us back. Each pause is as long as all before it. */
function retryMs({ since }: PushHint, { at, error }: PollResult): number {
  return Math.max(FIRST_RETRY_MS, Math.min(at - since, LAST_RETRY_MS), error?.retryAfterMs ?? 0)
}
