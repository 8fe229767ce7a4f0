// What Go answers to some 1,500 expressions and templates, recorded: testing/answers.json.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { TemplateExecError, TemplateSyntaxError } from './errors.ts'
import { compileTemplate } from './template.ts'

/** Text; null for an error while it runs, false for an error of syntax. */
type Answer = string | null | false

interface Answers {
  readonly data: unknown
  readonly expressions: Record<string, [expression: string, answer: Answer][]>
  readonly templates: [template: string, answer: Answer][]
}

const answers = JSON.parse(readFileSync(join(import.meta.dirname, 'testing', 'answers.json'), 'utf8')) as Answers

function answer(text: string): Answer {
  try {
    const random = (count: number) => new Uint8Array(count)
    return compileTemplate(text, { name: 'values', delimiters: ['${', '}'], random, now: () => 0 }).render(answers.data)
  } catch (error) {
    if (error instanceof TemplateSyntaxError) return false
    if (error instanceof TemplateExecError) return null
    throw error
  }
}

describe('Go answers the same to expressions about', () => {
  test.each(Object.entries(answers.expressions))('%s', (_, expressions) => {
    const expected = expressions.map(([expression, text]) => [expression, typeof text === 'string' ? `[${text}]` : text])
    expect(expressions.map(([expression]) => [expression, answer(`[\${ ${expression} }]`)])).toEqual(expected)
  })
})

test('Go answers the same to templates', () => {
  expect(answers.templates.map(([template]) => [template, answer(template)])).toEqual(answers.templates)
})
