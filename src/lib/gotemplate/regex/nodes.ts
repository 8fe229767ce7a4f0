// The tree of a regular expression.

/** A set of characters, as a test on code points. */
export type CharacterTest = (code: number) => boolean

/** What holds between two characters. */
export type Assertion = 'beginText' | 'endText' | 'beginLine' | 'endLine' | 'wordBoundary' | 'noWordBoundary'

/** A part of an expression; `max` is undefined where there is none. */
export type RegexNode =
  | { readonly kind: 'empty' }
  | { readonly kind: 'character'; readonly test: CharacterTest }
  | { readonly kind: 'assertion'; readonly assertion: Assertion }
  | { readonly kind: 'group'; readonly index: number; readonly body: RegexNode }
  | { readonly kind: 'sequence'; readonly parts: readonly RegexNode[] }
  | { readonly kind: 'choice'; readonly parts: readonly RegexNode[] }
  | { readonly kind: 'repeat'; readonly body: RegexNode; readonly min: number; readonly max: number | undefined; readonly greedy: boolean }

/** A whole expression. */
export interface RegexTree {
  readonly root: RegexNode
  /** names of the groups; the whole match is the first, without a name */
  readonly names: readonly (string | undefined)[]
}
