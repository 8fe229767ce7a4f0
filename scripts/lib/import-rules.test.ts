import { describe, expect, test } from 'vitest'
import { findCycle, forbiddenImports } from './import-rules.ts'

describe('forbiddenImports', () => {
  test('lets a stage import the stages before it and the libraries', () => {
    expect(
      forbiddenImports([
        { from: 'src/target/match.ts', to: 'src/bundle/draft.ts' },
        { from: 'src/source/poll.ts', to: 'src/lib/git/git.ts' },
      ]),
    ).toEqual([])
  })

  test('names an import against the direction of the data', () => {
    const [problem] = forbiddenImports([{ from: 'src/bundle/read.ts', to: 'src/target/match.ts' }])
    expect(problem).toContain('src/bundle/ must not import src/target/')
  })

  test('keeps the libraries free of Fleet', () => {
    expect(forbiddenImports([{ from: 'src/lib/kube/client.ts', to: 'src/api/kinds.ts' }])).toHaveLength(1)
  })

  test('lets the agent read contents, and nothing else of the bundle stage', () => {
    expect(forbiddenImports([{ from: 'src/agent/a.ts', to: 'src/bundle/read-contents.ts' }])).toEqual([])
    expect(forbiddenImports([{ from: 'src/agent/a.ts', to: 'src/bundle/scan.ts' }])).toHaveLength(1)
  })

  test('lets a test use the helpers of src/testing, and a program not', () => {
    expect(forbiddenImports([{ from: 'src/lib/kube/client.api.test.ts', to: 'src/testing/cluster.ts' }])).toEqual([])
    expect(forbiddenImports([{ from: 'src/agent/agent.ts', to: 'src/testing/cluster.ts' }])).toHaveLength(1)
  })
})

describe('findCycle', () => {
  test('finds the files of a cycle', () => {
    expect(
      findCycle([
        { from: 'a', to: 'b' },
        { from: 'b', to: 'c' },
        { from: 'c', to: 'a' },
      ]),
    ).toEqual(['a', 'b', 'c', 'a'])
  })

  test('takes no notice of imports of types alone', () => {
    expect(
      findCycle([
        { from: 'a', to: 'b' },
        { from: 'b', to: 'a', typeOnly: true },
      ]),
    ).toBeUndefined()
  })
})
