// How reports look: headings, aligned columns, signs.
import type { Colour } from '../io.ts'

/** Colours a text, or leaves it as it is. */
export type Paint = (colour: Colour, text: string) => string

const RULE = '─'.repeat(60)

/** The title of a report. */
export function heading(paint: Paint, text: string): string[] {
  return ['', paint('bold', paint('cyan', `=== ${text} ===`)), '']
}

/** Rows with aligned columns, two blanks between them. The last column may be coloured. */
export function table(rows: readonly (readonly string[])[]): string[] {
  const widths: number[] = []
  for (const row of rows) {
    for (const [column, cell] of row.slice(0, -1).entries()) widths[column] = Math.max(widths[column] ?? 0, cell.length)
  }
  return rows.map((row) => row.map((cell, column) => (column < row.length - 1 ? cell.padEnd((widths[column] ?? 0) + 2) : cell)).join(''))
}

/** A line that ends a part of a report. */
export function rule(): string {
  return RULE
}

/** Whether a number of troubles is one to look at. */
export function sign(paint: Paint, count: number): string {
  return count === 0 ? paint('green', '✓') : paint('yellow', '⚠')
}

/** Kibibytes, rounded down. */
export function kilobytes(bytes: number): string {
  return `${Math.floor(bytes / 1_024)}KB`
}

/** The beginning of an id or commit that is too long to read. */
export function short(text: string | undefined): string {
  const all = text ?? ''
  return all.length <= 40 ? all : `${all.slice(0, 40)}...`
}

/** Texts out of a cluster must not steer the terminal. */
export function plain(text: string | undefined): string {
  return (text ?? '').replace(/\p{Cc}+/gu, ' ')
}
