// An explanation for people: the link that blocks first, then all of them.
import { groupSentence } from '../../explain/group.ts'
import type { Explanation, ExplanationGroup, ExplanationLink, LinkState } from '../../explain/types.ts'
import { keyOf } from '../../lib/controller/keys.ts'
import { type Paint, plain, table } from '../analyze/layout.ts'
import type { Colour } from '../io.ts'

const SIGNS: Readonly<Record<LinkState, readonly [sign: string, colour: Colour]>> = {
  ok: ['✓', 'green'],
  waiting: ['…', 'yellow'],
  blocked: ['✗', 'red'],
  unknown: ['?', 'dim'],
}

/** Lines of text; `now` is in milliseconds. */
export function explanationText(explanation: Explanation, now: number, paint: Paint): string[] {
  const { links, blocking } = explanation
  return [...headline(explanation, paint), ...(blocking ? details(blocking, now, paint) : []), '', ...linkLines(links, paint)]
}

function headline({ subject, verdict, blocking }: Explanation, paint: Paint): string[] {
  const name = `${subject.kind.toLowerCase()} ${plain(keyOf(subject))}${subject.cluster ? ` on cluster ${plain(subject.cluster)}` : ''}`
  const colour = verdict === 'missing' ? 'red' : SIGNS[verdict][1]
  const where = blocking ? ` at ${blocking.name}` : ', everything is deployed and ready'
  return [paint('bold', `${name}: `) + paint(colour, `${verdict}${where}`)]
}

function details({ message, reason, since, nextTry }: ExplanationLink, now: number, paint: Paint): string[] {
  const rows = [
    ['what', plain(message)],
    ...(reason ? [['reason', reason]] : []),
    ...(since ? [['since', `${plain(since)} (${distance(now - Date.parse(since))} ago)`]] : []),
    ['next try', nextTry ? `${plain(nextTry)} (in ${distance(Date.parse(nextTry) - now)})` : 'when something changes, or as said above'],
  ]
  return table(rows.map(([label = '', text = '']) => [`  ${label}`, text])).map((line) => paint('bold', line.slice(0, 12)) + line.slice(12))
}

function linkLines(links: readonly ExplanationLink[], paint: Paint): string[] {
  const width = Math.max(...links.map(({ name }) => name.length)) + 2
  return links.flatMap(({ name, state, message, groups }) => {
    const [sign, colour] = SIGNS[state]
    const head = `${paint(colour, sign)} ${name.padEnd(width)}`
    const [first, ...others] = groups ?? []
    if (!first) return [`${head}${state === 'unknown' ? paint('dim', plain(message)) : plain(message)}`]
    return [`${head}${plain(groupSentence(first))}`, ...others.map((group) => groupLine(group, width, paint))]
  })
}

function groupLine(group: ExplanationGroup, width: number, paint: Paint): string {
  const [sign, colour] = SIGNS[group.state]
  return `  ${' '.repeat(width)}${paint(colour, sign)} ${plain(groupSentence(group))}`
}

const UNITS = [
  [86_400_000, 'd'],
  [3_600_000, 'h'],
  [60_000, 'm'],
] as const

/** `3d`, `2h`, `5m`, `12s` */
function distance(ms: number): string {
  const unit = UNITS.find(([size]) => ms >= size)
  return unit ? `${Math.floor(ms / unit[0])}${unit[1]}` : `${Math.max(Math.round(ms / 1_000), 0)}s`
}
