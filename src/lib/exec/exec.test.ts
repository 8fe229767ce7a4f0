import { expect, test } from 'vitest'
import { exec } from './exec.ts'
import { ExecError } from './exec-error.ts'

const node = process.execPath
const run = (script: string, options: Partial<Parameters<typeof exec>[2]> = {}) =>
  exec(node, ['-e', script], { env: {}, timeoutMs: 10_000, ...options })
const failure = async (promise: Promise<unknown>): Promise<ExecError> => {
  const error = await promise.then(() => undefined).catch((e: unknown) => e)
  expect(error).toBeInstanceOf(ExecError)
  return error as ExecError
}

test('returns what the program wrote', async () => {
  const { stdout, stderr } = await run('console.log("out"); console.error("err")')
  expect([stdout, stderr]).toEqual(['out\n', 'err\n'])
})

test('gives the child the environment it is told and nothing else', async () => {
  process.env.EXEC_TEST_LEAK = 'secret'
  try {
    const { stdout } = await run('console.log(JSON.stringify(process.env))', { env: { MINE: 'yes' } })
    expect(JSON.parse(stdout)).toMatchObject({ MINE: 'yes' })
    expect(stdout).not.toContain('secret')
  } finally {
    delete process.env.EXEC_TEST_LEAK
  }
})

test('hands over standard input', async () => {
  expect((await run('process.stdin.pipe(process.stdout)', { input: 'text' })).stdout).toBe('text')
})

test('a failing program gives its exit code and what it said', async () => {
  const error = await failure(run('console.error("no such thing"); process.exit(3)'))
  expect(error).toMatchObject({ failure: 'exit', exitCode: 3, message: 'no such thing' })
})

test('an error never shows the arguments', async () => {
  const error = await failure(exec(node, ['-e', 'process.exit(1)', 'token=abc'], { env: {}, timeoutMs: 10_000 }))
  expect(JSON.stringify(error) + error.message).not.toContain('token=abc')
})

test('a program that takes too long is stopped', async () => {
  const error = await failure(run('setInterval(() => {}, 1000)', { timeoutMs: 150 }))
  expect(error.failure).toBe('timeout')
})

test('a program that writes too much is stopped', async () => {
  const error = await failure(run('for (;;) process.stdout.write("x".repeat(65536))', { maxOutputBytes: 100_000 }))
  expect(error.failure).toBe('output')
})

test('a program that is not there is named', async () => {
  const error = await failure(exec('/nowhere/tool', [], { env: {}, timeoutMs: 1_000 }))
  expect(error.failure).toBe('missing')
  expect(error.message).toMatch(/^\/nowhere\/tool cannot be started/)
})

test('a program can be called off, and its life is reported', async () => {
  const stop = new AbortController()
  const events: string[] = []
  const running = run('setInterval(() => {}, 1000)', {
    signal: stop.signal,
    onChild: (_pid, event) => {
      events.push(event)
      if (event === 'started') stop.abort()
    },
  })
  expect((await failure(running)).failure).toBe('aborted')
  expect(events).toEqual(['started', 'ended'])
})
