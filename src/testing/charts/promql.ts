// What an expression of PromQL speaks of. Good enough for our dashboard and alerts, which Prometheus itself reads in a story.

const GROUPING = /\b(?:by|on|without|ignoring|group_left|group_right)\s*\(([^)]*)\)/g
const KEYWORDS: readonly string[] = ['and', 'or', 'unless', 'offset', 'bool', 'by', 'on']

/** Names of metrics in an expression of PromQL, and of labels. */
export function namesIn(expr: string): { metrics: string[]; labels: string[] } {
  const bare = expr.replaceAll(/"(?:[^"\\]|\\.)*"/g, '""')
  const selected = [...bare.matchAll(/\{([^}]*)\}/g)].flatMap(([, body = '']) =>
    [...body.matchAll(/(\w+)\s*[=!]/g)].map(([, label]) => label),
  )
  const grouped = [...bare.matchAll(GROUPING)].flatMap(([, body = '']) => body.split(',').map((label) => label.trim()))
  const rest = bare.replaceAll(GROUPING, ' ').replaceAll(/\{[^}]*\}|\[[^\]]*\]/g, ' ')
  const words = [...rest.matchAll(/(?<![\w.])[a-zA-Z_:][\w:]*(?!\w|\s*\()/g)].map(([word]) => word)
  return {
    metrics: words.filter((word) => !KEYWORDS.includes(word)),
    labels: [...selected, ...grouped].filter((label): label is string => Boolean(label)),
  }
}
