// Reads YAML as Go Fleet does (sigs.k8s.io/yaml): every implementation must see the same values in the same file.
import { decode } from './decode.ts'
import { YamlError } from './error.ts'
import { parseRelaxed } from './relaxed-events.ts'

export interface YamlLimits {
  /** bytes of the text; 16 MiB when unset */
  readonly maxBytes?: number
  /** levels of maps and lists; 100 when unset */
  readonly maxDepth?: number
  /** values in all documents, counting what aliases repeat; 1,000,000 when unset */
  readonly maxNodes?: number
  /** integers that a double cannot hold become bigint; without it they are rounded, which is what Fleet does with options and values */
  readonly bigIntegers?: boolean
}

/**
 * The value of the first document, null when there is none. Typing is Go's: `yes` and `on` are booleans, `017` and `0o17` are 15, `1_000` is 1000, dates are text,
 * keys become text, the last of duplicate keys wins. Only JSON values come out.
 * @throws YamlError with line and column
 */
export function parseYaml(text: string, limits: YamlLimits = {}): unknown {
  return parseYamlDocuments(firstDocument(text), limits)[0] ?? null
}

/** The text up to the end of the first document: what comes later need not even be YAML. */
function firstDocument(text: string): string {
  for (const { 0: marker, index } of text.matchAll(/^(?:---|\.\.\.)(?=\s|$)/gm)) {
    const isStart = marker === '---' && /^\ufeff?(?:[ \t]*(?:[#%].*)?(?:\r?\n|$))*$/.test(text.slice(0, index))
    if (!isStart) return text.slice(0, index)
  }
  return text
}

/**
 * The values of all documents; an empty document is null.
 * @throws YamlError with line and column
 */
export function parseYamlDocuments(text: string, limits: YamlLimits = {}): unknown[] {
  const { maxBytes = 16 * 2 ** 20, maxDepth = 100, maxNodes = 1_000_000, bigIntegers = false } = limits
  if (text.length > maxBytes || Buffer.byteLength(text) > maxBytes) throw new YamlError(`longer than ${maxBytes} bytes`)
  const { events, source, inserted } = parseRelaxed(text, maxDepth)
  return decode(events, { source, inserted, maxDepth, maxNodes, bigIntegers })
}
