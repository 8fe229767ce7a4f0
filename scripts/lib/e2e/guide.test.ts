import { expect, test } from 'vitest'
import { blocksOf, blockWith, withOurs } from './guide.ts'

const PAGE = `# Page

## One

\`\`\`
kubectl get a
# no heading
\`\`\`

text

\`\`\`yaml
a: b
\`\`\`

## Two

\`\`\`
kubectl get b
\`\`\`
`

test('blocks stand below their headings', () => {
  expect(blocksOf(PAGE)).toEqual([
    { heading: 'One', language: '', text: 'kubectl get a\n# no heading\n' },
    { heading: 'One', language: 'yaml', text: 'a: b\n' },
    { heading: 'Two', language: '', text: 'kubectl get b\n' },
  ])
})

test('a block that is not there, or not the only one, is an error', () => {
  expect(blockWith(PAGE, 'Two', 'get')).toBe('kubectl get b\n')
  expect(() => blockWith(PAGE, 'Two', 'nothing')).toThrow('0 blocks')
  expect(() => blockWith(PAGE, 'One', 'a')).toThrow('2 blocks')
})

test('what the guide does not say cannot be replaced', () => {
  expect(withOurs('get a a', { a: 'b' })).toBe('get b b')
  expect(() => withOurs('get a', { c: 'b' })).toThrow('"c"')
})
