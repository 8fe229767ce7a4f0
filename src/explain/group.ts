// Many findings become a few sentences, those most worth looking at first.
import type { Finding } from './finding.ts'
import type { ExplanationGroup, ExplanationLink, LinkName, LinkState } from './types.ts'

/** A finding with the name of what it is about, and among how many of its kind. */
export interface Placed {
  readonly where: string
  readonly finding: Finding
  readonly unit: ExplanationGroup['unit']
  readonly total: number
}

/** Groups of a link that are told. */
const MAX_GROUPS = 10
/** Names of a group that are told. */
const MAX_EXAMPLES = 3

const RANK = { blocked: 0, waiting: 1, unknown: 2 } as const

/** How urgent a finding is: 0 for what blocks; what only waits for others comes last. */
export function urgency({ state, isConsequence }: Pick<Finding, 'state' | 'isConsequence'>): number {
  return RANK[state] + (isConsequence ? RANK.unknown + 1 : 0)
}

/** A link with how urgent its worst finding is. */
export interface RankedLink {
  readonly link: ExplanationLink
  readonly urgency: number
}

/** The link of these findings; with none of them it is ok and says `note`, or it was not reached (no note). */
export function linkOf(name: LinkName, placed: readonly Placed[], note: string | undefined): RankedLink {
  if (placed.length === 0) {
    const state: LinkState = note === undefined ? 'unknown' : 'ok'
    return { link: { name, state, message: note ?? 'not reached' }, urgency: Number.POSITIVE_INFINITY }
  }
  const groups = [...Map.groupBy(placed, groupKey).values()].map(ranked).sort(byWorth)
  const [first] = groups as [RankedGroup, ...RankedGroup[]]
  const { state, reason, since, nextTry } = first.group
  const isSingle = first.group.total <= 1 && groups.length === 1
  return {
    link: {
      name,
      state,
      reason,
      message: isSingle ? first.group.message : sentence(groups),
      ...(since ? { since } : {}),
      ...(nextTry ? { nextTry } : {}),
      ...(isSingle ? {} : { groups: groups.slice(0, MAX_GROUPS).map(({ group }) => group) }),
    },
    urgency: first.urgency,
  }
}

interface RankedGroup {
  readonly group: ExplanationGroup
  readonly urgency: number
}

function groupKey({ unit, finding: { state, reason, sameAs } }: Placed): string {
  return `${unit} ${state} ${reason} ${sameAs ?? ''}`
}

function ranked(members: readonly Placed[]): RankedGroup {
  const sorted = [...members].sort((a, b) => compare(a.where, b.where))
  const { finding, unit, total } = sorted[0] as Placed
  const since = earliest(sorted.map((member) => member.finding.since))
  const nextTry = earliest(sorted.map((member) => member.finding.nextTry))
  return {
    urgency: urgency(finding),
    group: {
      state: finding.state,
      reason: finding.reason,
      message: finding.message,
      count: members.length,
      total,
      unit,
      examples: sorted.slice(0, MAX_EXAMPLES).map(({ where }) => where),
      ...(since ? { since } : {}),
      ...(nextTry ? { nextTry } : {}),
    },
  }
}

function sentence(groups: readonly RankedGroup[]): string {
  const [first, ...others] = groups
  const more = others.length > 0 ? ` (and ${others.length} other ${others.length === 1 ? 'case' : 'cases'})` : ''
  return `${first ? groupSentence(first.group) : ''}${more}`
}

/** `3 of 50 clusters (a, b, c): what is wrong` */
export function groupSentence({ count, total, unit, examples, message }: ExplanationGroup): string {
  const names = `${examples.join(', ')}${count > examples.length ? ', …' : ''}`
  return `${count} of ${total} ${unit} (${names}): ${message}`
}

function byWorth(a: RankedGroup, b: RankedGroup): number {
  return a.urgency - b.urgency || b.group.count - a.group.count || compare(a.group.examples[0] ?? '', b.group.examples[0] ?? '')
}

function earliest(times: readonly (string | undefined)[]): string | undefined {
  return times.filter((time) => time !== undefined).sort((a, b) => Date.parse(a) - Date.parse(b))[0]
}

function compare(a: string, b: string): number {
  if (a === b) return 0
  return a < b ? -1 : 1
}
