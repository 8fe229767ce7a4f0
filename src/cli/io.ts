// What a command says: results on standard output, everything else on standard error; colours and progress on terminals only.
import type { Readable, Writable } from 'node:stream'
import type { CliConfig } from '../config/cli.ts'
import type { Clock } from '../lib/controller/clock.ts'
import type { Logger } from '../lib/controller/log.ts'

export interface Terminal {
  readonly stdin: Readable
  readonly stdout: Writable & { readonly isTTY?: boolean }
  readonly stderr: Writable & { readonly isTTY?: boolean; readonly columns?: number }
}

export type Colour = 'red' | 'yellow' | 'green' | 'cyan' | 'bold' | 'dim'

/** One line at the bottom of the terminal that is written over; nothing where standard error is no terminal. */
export interface Progress {
  update(text: string): void
  /** removes the line */
  done(): void
}

export interface Io {
  readonly stdin: Readable
  /** Whether results are shown on a terminal. */
  readonly isTerminal: boolean
  /** A part of the result; resolves when it is handed over, so that large results need not fit into memory twice. */
  print(text: string): Promise<void>
  /** Something worth knowing. */
  note(text: string): void
  /** Something that the user should look at, although the command goes on. */
  warn(text: string): void
  /** Why the command failed. */
  fail(text: string): void
  /** For texts on standard output. */
  paint(colour: Colour, text: string): string
  progress(text: string): Progress
}

const CODES: Readonly<Record<Colour, number>> = { bold: 1, dim: 2, red: 31, green: 32, yellow: 33, cyan: 36 }
const CLEAR_LINE = '\r\u001b[2K'

export function createIo({ stdin, stdout, stderr }: Terminal, config: Pick<CliConfig, 'jsonErrors' | 'colours'>, clock: Clock): Io {
  const showsColours = (stream: { readonly isTTY?: boolean }) => config.colours ?? stream.isTTY ?? false
  const paintFor = (stream: { readonly isTTY?: boolean }) => (colour: Colour, text: string) =>
    showsColours(stream) ? `\u001b[${CODES[colour]}m${text}\u001b[0m` : text
  const paintError = paintFor(stderr)
  const hasProgress = (stderr.isTTY ?? false) && !config.jsonErrors
  let line = ''

  function say(level: 'info' | 'warning' | 'fatal', text: string, plain: string): void {
    if (config.jsonErrors) {
      const failure = level === 'fatal' ? { fleetErrorMessage: text } : {}
      stderr.write(`${JSON.stringify({ level, msg: text, ...failure, time: new Date(clock.now()).toISOString() })}\n`)
      return
    }
    stderr.write(`${line === '' ? '' : CLEAR_LINE}${plain}\n${line}`)
  }

  function show(text: string): void {
    const width = stderr.columns ?? 80
    line = text.length < width ? text : `${text.slice(0, width - 2)}…`
    stderr.write(`${CLEAR_LINE}${line}`)
  }

  return {
    stdin,
    isTerminal: stdout.isTTY ?? false,
    print: (text) => write(stdout, text),
    note: (text) => say('info', text, text),
    warn: (text) => say('warning', text, `${paintError('yellow', 'warning:')} ${text}`),
    fail: (text) => say('fatal', text, `${paintError('red', 'error:')} ${text}`),
    paint: paintFor(stdout),
    progress(text) {
      if (!hasProgress) return { update: () => {}, done: () => {} }
      show(text)
      return {
        update: show,
        done: () => {
          line = ''
          stderr.write(CLEAR_LINE)
        },
      }
    },
  }
}

function write(stream: Writable, text: string): Promise<void> {
  return new Promise((resolve, reject) => {
    stream.write(text, (error) => (error ? reject(error) : resolve()))
  })
}

/** What the parts below a command log: warnings and errors, with `debug` everything. */
export function createCliLogger(io: Pick<Io, 'note' | 'warn'>, debug: boolean, fields: object = {}): Logger {
  const text = (more: object, message: string) => [message, ...Object.entries({ ...fields, ...more }).map(pair)].join(' ')
  return {
    debug: (more, message) => (debug ? io.note(text(more, message)) : undefined),
    info: (more, message) => (debug ? io.note(text(more, message)) : undefined),
    warn: (more, message) => io.warn(text(more, message)),
    error: (more, message) => io.warn(text(more, message)),
    child: (more) => createCliLogger(io, debug, { ...fields, ...more }),
  }
}

function pair([key, value]: [string, unknown]): string {
  if (value instanceof Error) return `${key}=${JSON.stringify(value.message)}`
  return `${key}=${typeof value === 'string' && /^[\w./:@-]+$/.test(value) ? value : JSON.stringify(value)}`
}
