// From single findings to an explanation.
import { checkPair } from './chain.ts'
import type { Finding } from './finding.ts'
import { linkOf, type Placed, type RankedLink } from './group.ts'
import type { Pair } from './pair.ts'
import type { Checked } from './source.ts'
import { type Explanation, LINKS, type LinkName, type Subject, type Verdict } from './types.ts'
import type { World } from './world.ts'

/** One source or bundle, and what is to be said of it. */
export interface Part<C extends Checked = Checked> {
  readonly where: string
  readonly checked: C
}

/** What belongs to a subject. */
export interface Scope {
  /** For a cluster: what comes before all else. */
  readonly cluster?: { readonly registration: Checked; readonly agent: Checked | undefined } | undefined
  readonly sources: readonly Part[]
  readonly bundles: readonly Part[]
  /** Bundles with trouble about their targets. */
  readonly targets: readonly Part<{ readonly finding: Finding }>[]
  readonly pairs: readonly Pair[]
}

const PAIR_LINKS = ['target', 'rollout', 'agent', 'apply', 'health'] as const
const CLUSTER_LINKS: readonly LinkName[] = ['registration', 'agent', 'source', 'bundle', 'target', 'rollout', 'apply', 'health']

const NOTES: Readonly<Record<(typeof PAIR_LINKS)[number], string>> = {
  target: 'can be deployed to',
  rollout: 'have been given the newest version',
  agent: 'have an agent that reports',
  apply: 'have it deployed',
  health: 'are ready, with nothing changed',
}

export function assemble(subject: Subject, scope: Scope, world: World): Explanation {
  const placed = [...placedParts(scope), ...placedPairs(scope, world)]
  const byLink = Map.groupBy(placed, ({ finding }) => finding.link)
  const names = scope.cluster ? CLUSTER_LINKS : LINKS.slice(1)
  const links = names.map((name) => linkOf(name, byLink.get(name) ?? [], noteOf(name, scope, placed)))
  const worst = links
    .filter(({ urgency }) => urgency < Number.POSITIVE_INFINITY)
    .reduce<RankedLink | undefined>((first, link) => (first && first.urgency <= link.urgency ? first : link), undefined)
  return {
    subject,
    verdict: verdictOf(placed),
    links: links.map(({ link }) => link),
    ...(worst ? { blocking: worst.link } : {}),
  }
}

function placedParts({ cluster, sources, bundles, targets }: Scope): Placed[] {
  const of = (parts: readonly Part[], total: number): Placed[] =>
    parts.flatMap(({ where, checked }) => ('finding' in checked ? [{ where, finding: checked.finding, unit: 'bundles', total }] : []))
  const own = cluster ? [cluster.registration, cluster.agent].flatMap((checked) => (checked ? [{ where: '', checked }] : [])) : []
  return [...of(own, 1), ...of(sources, sources.length), ...of(bundles, bundles.length), ...of(targets, bundles.length)]
}

/** Of a cluster, its agent was looked at already. */
function placedPairs({ cluster, bundles, pairs }: Scope, world: World): Placed[] {
  const isSeveral = bundles.length > 1
  return pairs.flatMap((pair): Placed[] => {
    const finding = checkPair(pair, world)
    if (!finding || (cluster && finding.link === 'agent')) return []
    return [
      {
        where: nameOf(pair, cluster !== undefined, isSeveral),
        finding,
        unit: isSeveral || cluster ? 'deployments' : 'clusters',
        total: pairs.length,
      },
    ]
  })
}

function nameOf({ plan, deployment, where }: Pair, isOneCluster: boolean, isSeveral: boolean): string {
  const name = plan?.bundle.metadata.name ?? deployment?.metadata.name ?? ''
  if (isOneCluster) return name
  return isSeveral ? `${name} on ${where}` : where
}

/** What an ok link says; undefined if nothing got there. */
function noteOf(name: LinkName, { cluster, sources, bundles, pairs }: Scope, placed: readonly Placed[]): string | undefined {
  if (name === 'registration') return cluster && noted(cluster.registration)
  if (name === 'agent' && cluster) return cluster.agent && noted(cluster.agent)
  if (name === 'source') return partsNote(sources, 'sources')
  if (name === 'bundle') return partsNote(bundles, 'bundles')
  const link = PAIR_LINKS.indexOf(name as (typeof PAIR_LINKS)[number])
  const stopped = placed.filter(({ finding, unit }) => unit !== 'bundles' && LINKS.indexOf(finding.link) <= LINKS.indexOf(name))
  const silent = cluster && (!cluster.agent || 'finding' in cluster.agent) && LINKS.indexOf(name) > LINKS.indexOf('agent')
  const passed = pairs.length - stopped.length
  if (pairs.length === 0) return placed.length === 0 ? 'nothing is to be deployed' : undefined
  if (passed <= 0 || silent) return undefined
  const unit = bundles.length > 1 || cluster ? 'deployments' : 'clusters'
  return `${passed} of ${pairs.length} ${unit} ${NOTES[PAIR_LINKS[link] ?? 'health']}`
}

function noted(checked: Checked): string | undefined {
  return 'note' in checked ? checked.note : undefined
}

function partsNote(parts: readonly Part[], what: string): string | undefined {
  const notes = parts.flatMap(({ checked }) => noted(checked) ?? [])
  if (notes.length <= 1) return notes[0]
  return `${notes.length} ${what} are as they should be`
}

function verdictOf(placed: readonly Placed[]): Verdict {
  const states = new Set(placed.map(({ finding }) => finding.state))
  return (['blocked', 'waiting', 'unknown'] as const).find((state) => states.has(state)) ?? 'ok'
}
