// What comes from a chart repository is somebody else's: whatever it is, the answer is a result or an error that names the chart, and soon.
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { TerminalError } from '../controller/errors.ts'
import { ChartError } from './errors.ts'
import { parseHelmIgnore } from './helm-ignore.ts'
import { digestIn } from './lock.ts'
import { readMetadata } from './metadata.ts'
import { archiveUrl, entriesOf, readConstraint, selectVersion } from './repository-index.ts'
import { parseChartAddress } from './source-url.ts'

/** Texts near the grammar: YAML that is almost an index or a chart. */
const piece = fc.constantFrom(
  ...['entries:', 'app', ':', '-', '\n', '  ', 'version', 'urls', '1.2.3', '>=1 <2', '*', '[', ']', '{', '}', '&a', '*a', '!!binary', '#'],
  ...[
    'digest',
    'name',
    'dependencies',
    'repository',
    'https://h/x',
    '../../x',
    '\u0000',
    '"',
    "'",
    '|',
    '---',
    '~',
    'null',
    'true',
    '**',
    '!',
  ],
)
const text = fc.oneof(
  fc.string({ maxLength: 200 }),
  fc.array(piece, { maxLength: 60 }).map((pieces) => pieces.join('')),
  fc.array(piece, { maxLength: 40 }).map((pieces) => pieces.join(' ')),
)

/** The documented ones: a user has to change something, or a repository answers nonsense. */
function onlyChartErrors(run: () => unknown): void {
  try {
    run()
  } catch (error) {
    expect(error instanceof ChartError || error instanceof TerminalError, String(error)).toBe(true)
  }
}

test.each<[string, (input: string, other: string) => unknown]>([
  [
    'an index',
    (index, wanted) => {
      const entries = entriesOf(index, 'app', 'https://h')
      const entry = entries && selectVersion(entries, wanted)
      return entry && archiveUrl('https://h/charts', entry)
    },
  ],
  ['a version', (wanted) => readConstraint(wanted)],
  ['Chart.yaml', (chart, requirements) => readMetadata(chart, requirements, 'a chart')],
  ['Chart.lock', (lock) => digestIn(lock, 'a chart')],
  ['.helmignore', (rules, path) => parseHelmIgnore(rules, 'a chart')(path, false)],
  ['an address', (address) => parseChartAddress(address)],
])('%s', (_, read) => {
  fc.assert(
    fc.property(text, text, (input, other) => onlyChartErrors(() => read(input, other))),
    { numRuns: 1_000 },
  )
})
