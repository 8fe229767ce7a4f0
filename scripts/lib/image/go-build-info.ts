// Reads which modules a Go program was made of: what `go version -m` prints, without Go. Pure.

export interface GoModule {
  readonly path: string
  readonly version: string
}

// the linker puts the text between these
const START = Buffer.from('3077af0c9274080241e1c107e6d618e6', 'hex')
const END = Buffer.from('f932433186182072008242104116d8f2', 'hex')

/** The program's own module first, then those it depends on; replaced ones as what they were replaced by. Empty when it is no Go program. */
export function goModules(program: Buffer): GoModule[] {
  const start = program.indexOf(START)
  const end = start < 0 ? -1 : program.indexOf(END, start)
  if (end < 0) return []
  const modules: GoModule[] = []
  for (const line of program.toString('utf8', start + START.length, end).split('\n')) {
    const [kind, path = '', version = ''] = line.split('\t')
    if (kind === 'mod' || kind === 'dep') modules.push({ path, version })
    if (kind === '=>') modules.splice(-1, 1, { path, version })
  }
  return modules
}
