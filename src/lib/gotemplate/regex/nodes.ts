// The tree of a regular expression.

/** A set of characters, as a test on code points. */
export type CharacterTest = (code: number) => boolean

export type Assertion = 'beginText' | 'endText' | 'beginLine' | 'endLine' | 'wordBoundary' | 'noWordBoundary'

export type RegexNode =
  | { readonly kind: 'empty' }
  | { readonly kind: 'character'; readonly test: CharacterTest }
  | { readonly kind: 'assertion'; readonly assertion: Assertion }
  | { readonly kind: 'group'; readonly index: number; readonly body: RegexNode }
  | { readonly kind: 'sequence'; readonly parts: readonly RegexNode[] }
  | { readonly kind: 'choice'; readonly parts: readonly RegexNode[] }
  | { readonly kind: 'repeat'; readonly body: RegexNode; readonly min: number; readonly max: number | undefined; readonly greedy: boolean }

export interface RegexTree {
  readonly root: RegexNode
  /** names of the groups; the whole match is the first, without a name */
  readonly names: readonly (string | undefined)[]
}
