import { PassThrough } from 'node:stream'
import { expect, test } from 'vitest'
import { createCliLogger, createIo } from './io.ts'

const clock = { now: () => 0, setTimeout: () => 0, clearTimeout: () => {} }

function terminal(isTTY: boolean) {
  const streams = {
    stdin: new PassThrough(),
    stdout: Object.assign(new PassThrough(), { isTTY }),
    stderr: Object.assign(new PassThrough(), { isTTY }),
  }
  const said = () => String(streams.stderr.read() ?? '')
  return { streams, said }
}

test('colours and progress are for terminals', () => {
  const [shown, piped] = [terminal(true), terminal(false)]
  const config = { jsonErrors: false, colours: undefined }
  const [coloured, plain] = [createIo(shown.streams, config, clock), createIo(piped.streams, config, clock)]
  expect([coloured.paint('red', 'x'), plain.paint('red', 'x')]).toEqual(['\u001b[31mx\u001b[0m', 'x'])
  plain.progress('working').done()
  plain.warn('careful')
  expect(piped.said()).toBe('warning: careful\n')
  const progress = coloured.progress('working')
  coloured.note('a note')
  progress.done()
  expect(shown.said()).toBe('\r\u001b[2Kworking\r\u001b[2Ka note\nworking\r\u001b[2K')
})

test('NO_COLOR wins over a terminal', () => {
  expect(createIo(terminal(true).streams, { jsonErrors: false, colours: false }, clock).paint('red', 'x')).toBe('x')
})

test('the logger shows warnings always, the rest for debugging', () => {
  const lines: string[] = []
  const io = { note: (text: string) => lines.push(text), warn: (text: string) => lines.push(text) } as never
  createCliLogger(io, false).info({ a: 1 }, 'quiet')
  createCliLogger(io, true, { b: 'x y' })
    .child({ c: 2 })
    .debug({ err: new Error('broken') }, 'loud')
  createCliLogger(io, false).warn({}, 'careful')
  expect(lines).toEqual(['loud b="x y" c=2 err="broken"', 'careful'])
})
