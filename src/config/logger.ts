import pino, { type Logger } from 'pino'

/** The log of a program: one JSON object a line on standard output; `debug` shows more. */
export function createLogger(program: string, debug: boolean): Logger {
  return pino(
    {
      name: program,
      level: debug ? 'debug' : 'info',
      base: { program },
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (level) => ({ level }) },
    },
    pino.destination({ dest: 1, sync: true }),
  )
}
