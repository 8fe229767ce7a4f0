// Which tags of an image count, and what of them a policy goes by.
import { setImmediate } from 'node:timers/promises'
import type { ImageScanSpec } from '../api/image-scan.ts'
import { messageOf, TerminalError } from '../lib/controller/errors.ts'
import { FunctionError, TemplateLimitError } from '../lib/gotemplate/errors.ts'
import { DEFAULT_LIMITS, Meter } from '../lib/gotemplate/limits.ts'
import { compile, expand, find } from '../lib/gotemplate/regex/regexp.ts'

type Program = ReturnType<typeof compile>

/** A tag, and the text that policies order it by: the tag itself, unless the filter extracts something else. */
export interface Candidate {
  readonly tag: string
  readonly by: string
}

const MAX_PATTERN = 500
const MAX_EXTRACT = 200
/** Some seconds of work at worst, in which others get their turn after each batch. */
const MAX_STEPS = 1_000_000
const BATCH = 50

/**
 * The tags that the filter lets through, in their order; all without a filter. A pattern means the whole tag and is matched in linear time.
 * Throws TerminalError for a filter that cannot be used, and for one that lets nothing through; `image` is for its message.
 */
export async function filteredTags(
  filter: ImageScanSpec['filterTags'],
  tags: readonly string[],
  image: string,
  maxSteps: number = MAX_STEPS,
): Promise<Candidate[]> {
  const { pattern, extract } = filter ?? {}
  if (!pattern && extract)
    throw new TerminalError('filterTags.extract needs filterTags.pattern, out of which it takes its groups: write one')
  if (!pattern) return tags.map((tag) => ({ tag, by: tag }))
  if (pattern.length > MAX_PATTERN || (extract?.length ?? 0) > MAX_EXTRACT)
    throw new TerminalError(`filterTags: pattern may have ${MAX_PATTERN} characters, extract ${MAX_EXTRACT}: shorten them`)
  const found = await matches(compiled(pattern), pattern, extract, tags, maxSteps)
  if (found.length > 0 || tags.length === 0) return found
  throw new TerminalError(
    `none of the ${tags.length} tags of ${image} matches ${JSON.stringify(pattern)}: correct filterTags.pattern, which means the whole tag, or push such a tag`,
  )
}

function compiled(pattern: string): Program {
  try {
    compile(pattern, new Meter(DEFAULT_LIMITS)) // alone, so that it cannot close the group around it
    return compile(`^(?:${pattern})$`, new Meter(DEFAULT_LIMITS))
  } catch (error) {
    if (!(error instanceof FunctionError || error instanceof TemplateLimitError)) throw error
    throw new TerminalError(`filterTags.pattern ${JSON.stringify(pattern)} is no regular expression (${messageOf(error)}): correct it`)
  }
}

async function matches(
  program: Program,
  pattern: string,
  extract: string | undefined,
  tags: readonly string[],
  maxSteps: number,
): Promise<Candidate[]> {
  const meter = new Meter({ ...DEFAULT_LIMITS, steps: maxSteps })
  const found: Candidate[] = []
  try {
    for (const [index, tag] of tags.entries()) {
      if (index % BATCH === BATCH - 1) await setImmediate()
      const match = find(program, tag, meter)
      if (match) found.push({ tag, by: extract ? expand(extract, tag, match, program.names) : tag })
    }
    return found
  } catch (error) {
    if (!(error instanceof TemplateLimitError)) throw error
    throw new TerminalError(`filterTags.pattern ${JSON.stringify(pattern)} is too much work for ${tags.length} tags: make it simpler`)
  }
}
