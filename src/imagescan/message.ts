import type { GitRepoSpec } from '../api/git-repo.ts'
import { messageOf, TerminalError } from '../lib/controller/errors.ts'
import { compileTemplate } from '../lib/gotemplate/template.ts'

const DEFAULT_MESSAGE = 'Update from image update automation'
const DEFAULT_NAME = 'fleet'
/** What templates are given (spec 8.9): templates that users have may print it. */
const DATA = 'no data! yet'
const LIMITS = { templateLength: 64 * 1_024, outputLength: 64 * 1_024, steps: 50_000 }

/** Author and message of a commit. Throws TerminalError for a template that cannot be used. */
export function signatureOf({ authorName, authorEmail, messageTemplate }: NonNullable<GitRepoSpec['imageScanCommit']>): {
  readonly author: { readonly name: string; readonly email: string }
  readonly message: string
} {
  return { author: { name: authorName?.trim() || DEFAULT_NAME, email: authorEmail ?? '' }, message: rendered(messageTemplate) }
}

function rendered(template: string | undefined): string {
  if (!template) return DEFAULT_MESSAGE
  try {
    return compileTemplate(template, { name: 'commit message', limits: LIMITS }).render(DATA).trim() || DEFAULT_MESSAGE
  } catch (error) {
    throw new TerminalError(`imageScanCommit.messageTemplate: ${messageOf(error)}`)
  }
}
