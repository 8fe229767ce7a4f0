// Shows a block of text that changes: in place on a terminal, as new lines elsewhere, and only when it differs.

export interface Screen {
  show(text: string): void
  /** What follows is printed below the block. */
  settle(): void
}

export function createScreen(out: NodeJS.WriteStream): Screen {
  let shown = ''
  return {
    show(text) {
      if (text === shown) return
      if (out.isTTY && shown) out.write(`\x1b[${shown.split('\n').length}A\x1b[J`)
      else if (shown) out.write('\n')
      out.write(`${text}\n`)
      shown = text
    },
    settle() {
      shown = ''
    },
  }
}
