// Gauges as Prometheus reads them, written straight from the caches when they are asked for: nothing is counted or kept in between.

export type Labels = Readonly<Record<string, string | number>>

/** One gauge with a series for each object. */
export interface Family {
  readonly name: string
  readonly help: string
  /** labels as {@link labelText} writes them */
  readonly series: Iterable<{ readonly labels: string; readonly value: number }>
}

/** The text of the families, in their order. */
export function renderFamilies(families: readonly Family[]): string {
  const lines: string[] = []
  for (const { name, help, series } of families) {
    lines.push(`# HELP ${name} ${help}`, `# TYPE ${name} gauge`)
    for (const { labels, value } of series) lines.push(`${name}{${labels}} ${value}`)
  }
  return lines.map((line) => `${line}\n`).join('')
}

/** `name="value",…`: made once for an object, used in all its series. */
export function labelText(labels: Labels): string {
  return Object.entries(labels)
    .map(([name, value]) => `${name}="${escaped(String(value))}"`)
    .join(',')
}

const ESCAPES: Readonly<Record<string, string>> = { '\\': '\\\\', '"': '\\"', '\n': '\\n' }

function escaped(value: string): string {
  return /[\\"\n]/.test(value) ? value.replaceAll(/[\\"\n]/g, (character) => ESCAPES[character] ?? character) : value
}
