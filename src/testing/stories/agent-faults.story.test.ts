// One request of an operation goes wrong: the API server refuses it, or the connection breaks before or after it got there. Each request in turn, each in a
// deployment of its own; nobody restarts the agent, and everything has to end well.
import { beforeAll, describe, expect, test } from 'vitest'
import { useAgent } from '../agent-scene.ts'
import type { Call, Mishap, Verdict } from '../call-proxy.ts'
import { isWrite } from '../kill-points.ts'
import { allWell, type Cell, cellOf, openCells, operations, PATIENCE_MS } from '../release-cells.ts'

const MISHAPS: readonly Mishap[] = [409, 429, 500, 'no connection', 'no answer']
/** The native engine is cheap enough for reads to be tried, too. */
const ENGINES = [
  { engine: 'native', steps: 20, counts: (call: Call) => !call.watch },
  { engine: 'helm', steps: 14, counts: isWrite },
] as const

describe.each(ENGINES)('with the engine $engine', ({ engine, steps, counts }) => {
  const plan = Array.from({ length: steps }, (_, step) => MISHAPS.map((mishap) => ({ mishap, step }))).flat()
  const passed: number[] = []
  let happened = new Set<number>()
  let cells: Cell[] = []
  const judge = (call: Call): Verdict => {
    const index = cellOf(cells, call)
    const planned = plan[index]
    if (!planned || !counts(call)) return 'pass'
    const count = passed[index] ?? 0
    passed[index] = count + 1
    if (count !== planned.step) return 'pass'
    happened.add(index)
    return planned.mishap
  }
  const scene = useAgent({ env: { FLEET_RELEASE_ENGINE: engine }, judge })

  beforeAll(async () => {
    cells = await openCells(
      scene,
      plan.map(({ mishap, step }) => `${String(mishap).replace(' ', '-')}-${step}`),
    )
    scene.start()
  })

  test.each(operations(scene).map((operation) => [operation.title, operation] as const))(
    'any request of %s may go wrong',
    { timeout: 3 * PATIENCE_MS },
    async (_, operation) => {
      passed.length = 0
      happened = new Set()
      await Promise.all(cells.map((cell) => operation.begin(cell)))
      await allWell(operation, cells)
      // the last cells were done before it was their turn, so no request is left out
      const spared = plan.filter((_, index) => !happened.has(index))
      expect(spared.some(({ step }) => step === steps - 1)).toBe(true)
      expect(happened.size).toBeGreaterThan(4 * MISHAPS.length)
      expect(scene.isRunning).toBe(true)
    },
  )
})
