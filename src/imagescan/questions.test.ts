import { beforeEach, expect, test } from 'vitest'
import { createFakeClock, type FakeClock } from '../testing/fake-clock.ts'
import type { Question } from './question.ts'
import { createQuestions, DIGEST_RETRY_MS, type Questions } from './questions.ts'
import { intervalMsOf, nextQuestionMs } from './scan-schedule.ts'

const never = new AbortController().signal
const question = (id: string): Question => ({ id, repository: { host: 'h', path: id }, access: {}, canonical: `h/${id}` })
let clock: FakeClock
let asked: string[]
let answer: () => Promise<string[]>
let digestOf: () => Promise<string>
let createdIn: () => Promise<number | undefined>
let aborted: string[]
let questions: Questions

beforeEach(() => {
  clock = createFakeClock(1_000_000)
  asked = []
  aborted = []
  answer = async () => ['1.0']
  digestOf = async () => 'sha256:0'
  createdIn = async () => 7
  questions = createQuestions({
    clock,
    random: () => 0.5,
    registry: {
      tags: ({ id }, signal) => {
        asked.push(id)
        signal.addEventListener('abort', () => aborted.push(id))
        return answer()
      },
      digest: ({ id }, tag) => {
        asked.push(`${id}:${tag}`)
        return digestOf()
      },
      created: ({ id }, digest) => {
        asked.push(`${id}@${digest}`)
        return createdIn()
      },
    },
  })
})

test('whoever asks the same shares an answer, for tags and digests', async () => {
  for (const key of ['a', 'b', 'c']) questions.follow(key, question(key === 'c' ? 'two' : 'one'))
  const answers = await Promise.all(['a', 'b', 'c'].map((key) => questions.ask(key, never)))
  expect(answers[0]).toEqual({ at: 1_000_000, failures: 0, jitter: 0.5, tags: ['1.0'] })
  await Promise.all(['a', 'b'].map((key) => questions.digest(key, '1.0', never)))
  expect(asked).toEqual(['one', 'two', 'one:1.0'])
  expect(questions.follow('d', question('one'))).toBe(answers[0])
  await questions.ask('a', never)
  await questions.digest('b', '1.0', never)
  expect(asked.slice(3)).toEqual(['one', 'one:1.0'])
})

test('errors are answers, counted until there is another', async () => {
  questions.follow('a', question('one'))
  answer = () => Promise.reject(new Error('away'))
  expect(await questions.ask('a', never)).toMatchObject({ failures: 1, error: new Error('away') })
  expect(await questions.ask('a', never)).toMatchObject({ failures: 2 })
  answer = async () => []
  expect(await questions.ask('a', never)).toMatchObject({ failures: 0, tags: [] })
})

test('a digest that failed is asked for again after a while', async () => {
  questions.follow('a', question('one'))
  await questions.ask('a', never)
  digestOf = () => Promise.reject(new Error('away'))
  await expect(questions.digest('a', 't', never)).rejects.toThrow('away')
  await expect(questions.digest('a', 't', never)).rejects.toThrow('away')
  expect(asked).toEqual(['one', 'one:t'])
  await clock.advance(DIGEST_RETRY_MS)
  digestOf = async () => 'sha256:1'
  expect(await questions.digest('a', 't', never)).toBe('sha256:1')
})

test('what an image says is asked for once, whatever tag it has and however often tags are listed', async () => {
  for (const key of ['a', 'b']) questions.follow(key, question('one'))
  await questions.ask('a', never)
  expect(await Promise.all(['a', 'b'].map((key) => questions.created(key, 'sha256:1', never)))).toEqual([7, 7])
  await questions.ask('a', never)
  createdIn = () => Promise.reject(new Error('away'))
  expect(await questions.created('a', 'sha256:1', never)).toBe(7)
  await expect(questions.created('a', 'sha256:2', never)).rejects.toThrow('away')
  await expect(questions.created('b', 'sha256:2', never)).rejects.toThrow('away')
  expect(asked).toEqual(['one', 'one@sha256:1', 'one', 'one@sha256:2'])
  await clock.advance(DIGEST_RETRY_MS)
  createdIn = async () => undefined
  expect(await questions.created('a', 'sha256:2', never)).toBeUndefined()
  for (let index = 3; index < 2_010; index++) await questions.created('a', `sha256:${index}`, never)
  asked.length = 0
  await questions.created('a', 'sha256:1', never)
  await questions.created('a', 'sha256:2009', never)
  expect(asked).toEqual(['one@sha256:1'])
})

test('a question that nobody follows ends, one that others follow does not', async () => {
  answer = () => new Promise(() => {})
  questions.follow('a', question('one'))
  questions.follow('b', question('one'))
  const stop = new AbortController()
  const waiting = questions.ask('a', stop.signal)
  questions.forget('a')
  expect(aborted).toEqual([])
  stop.abort(new Error('stop'))
  await expect(waiting).rejects.toThrow('stop')
  questions.follow('b', question('two'))
  expect(aborted).toEqual(['one'])
  questions.close()
  expect(questions.follow('a', question('one'))).toBeUndefined()
})

test('intervals: the default, the shortest, jitter, and backoff that doubles up to a limit', () => {
  expect([undefined, '', '0s', '-1m', 'nonsense'].map(intervalMsOf)).toEqual([900_000, 900_000, 900_000, 900_000, 900_000])
  expect([intervalMsOf('1ms'), intervalMsOf('2m')]).toEqual([1_000, 120_000])
  const after = (failures: number, intervalMs: number, jitter = 0, error?: object): number =>
    nextQuestionMs(intervalMs, { at: 0, failures, jitter, ...(failures ? { error: error ?? new Error('x') } : { tags: [] }) })
  expect([after(0, 60_000), after(0, 60_000, 0.5)]).toEqual([60_000, 63_000])
  expect([1, 2, 3, 6, 99].map((failures) => after(failures, 900_000))).toEqual([30_000, 60_000, 120_000, 900_000, 900_000])
  expect([1, 2, 99].map((failures) => after(failures, 1_000))).toEqual([1_000, 2_000, 600_000])
  expect(after(1, 60_000, 0, { retryAfterMs: 3_600_000 })).toBe(3_600_000)
})
