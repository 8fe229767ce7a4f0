// Tells the person at the terminal what a long build does, how long it has taken and how long it may take.

/** What a build is doing. `done` and `total` count packages; a total of 0 is not known yet. */
export interface BuildState {
  readonly phase: 'downloading' | 'compiling' | 'linking'
  readonly done: number
  readonly total: number
  /** Module or package in work, empty when nothing can be named. */
  readonly current: string
}

// Measured on two cores, 2,975 packages: 4 min 50 s, of these 25 s for linking at the end.
const COMPILE_MS_PER_PACKAGE = 90
const LINK_MS = 25_000

/** Milliseconds that are left, from what was measured on another machine at first and from this run's own speed the further it gets. */
export function estimateRemainingMs(state: BuildState, elapsedMs: number, linkingForMs = 0): number | undefined {
  if (state.phase === 'linking') return Math.max(1000, LINK_MS - linkingForMs)
  if (state.total === 0) return undefined
  const left = Math.max(0, state.total - state.done)
  const fraction = Math.min(1, state.done / state.total)
  const measured = state.done === 0 ? COMPILE_MS_PER_PACKAGE : elapsedMs / state.done
  const perPackage = COMPILE_MS_PER_PACKAGE * (1 - fraction) + measured * fraction
  return left * perPackage + LINK_MS
}

/** One line about the state of a build. */
export function describeBuild(state: BuildState, elapsedMs: number, remainingMs: number | undefined): string {
  const elapsed = `${formatMinutes(elapsedMs)} elapsed`
  const left =
    remainingMs === undefined ? 'about 5 minutes on two cores when nothing is cached' : `about ${formatMinutes(remainingMs)} left`
  return `control plane: ${describePhase(state)} (${elapsed}, ${left})`
}

function describePhase({ phase, done, total, current }: BuildState): string {
  if (phase === 'linking') return 'linking'
  const what = current === '' ? '' : `: ${current}`
  if (phase === 'downloading') return done === 0 ? 'looking for what is to be compiled' : `downloading module ${done}${what}`
  return `compiling package ${Math.min(done + 1, total)} of ${total}${what}`
}

/** `m:ss`. */
export function formatMinutes(ms: number): string {
  const seconds = Math.max(0, Math.round(ms / 1000))
  return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, '0')}`
}

/** Where progress goes: `stderr` of the process, or a stand-in. */
export interface ProgressStream {
  readonly isTTY?: boolean
  readonly columns?: number
  write(text: string): unknown
}

export interface ProgressLine {
  /** Shows the line: replaces the former one on a terminal, otherwise at most every 10 s. */
  update(line: string, now: number): void
  /** Ends with a line that stays. */
  finish(line: string): void
}

const PLAIN_EVERY_MS = 10_000

/** A single line that is rewritten on a terminal, and one line every 10 s in a log. */
export function createProgressLine(stream: ProgressStream): ProgressLine {
  let lastPlain = Number.NEGATIVE_INFINITY
  return {
    update(line, now) {
      if (stream.isTTY) {
        stream.write(`\r\x1b[2K${line.slice(0, Math.max(20, (stream.columns ?? 80) - 1))}`)
        return
      }
      if (now - lastPlain < PLAIN_EVERY_MS) return
      lastPlain = now
      stream.write(`${line}\n`)
    },
    finish(line) {
      stream.write(stream.isTTY ? `\r\x1b[2K${line}\n` : `${line}\n`)
    },
  }
}
