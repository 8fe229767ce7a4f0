/** The line of a character, counted from 1. */
export function lineAt(text: string, position: number): number {
  return placeAt(text, position).line
}

/** Line (from 1) and column (from 0) of a character. */
export function placeAt(text: string, position: number): { line: number; column: number } {
  const before = text.slice(0, position)
  return { line: before.split('\n').length, column: position - (before.lastIndexOf('\n') + 1) }
}
