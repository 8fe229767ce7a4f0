// SIGKILL at every write of an installation, an upgrade, a correction and a removal, with both engines. Many deployments of one agent stop before a write each,
// the first one before its first, the second one before its second, and so on; then the agent dies with its helm processes, and is started again.
// That a write has gone through but was not answered is the same as being killed before the next one: nothing that the agent knew is left.
import { spawn } from 'node:child_process'
import { beforeAll, describe, expect, test } from 'vitest'
import { killGroup } from '../../devcluster/host-process.ts'
import { useAgent } from '../agent-scene.ts'
import type { Call, Verdict } from '../call-proxy.ts'
import { eventually } from '../eventually.ts'
import type { SeenRequest } from '../fault-proxy.ts'
import { createKillPoints, isWrite } from '../kill-points.ts'
import { processesWith } from '../processes-of.ts'
import { allWell, type Cell, cellOf, type Operation, openCells, operations, PATIENCE_MS } from '../release-cells.ts'

/** More than any operation writes. */
const CELLS = 16
const ENGINES = ['native', 'helm'] as const
/** What an attempt would do does not count. */
const isStep = (request: SeenRequest): boolean => isWrite(request) && !request.path.includes('dryRun=')

describe.each(ENGINES)('an agent with the engine %s that is killed before', (engine) => {
  const points = Array.from({ length: CELLS }, () => createKillPoints(isStep))
  let cells: Cell[] = []
  const judge = (call: Call): Verdict => {
    const point = points[cellOf(cells, call)]
    return point ? point.gate(call) || 'hold' : 'pass'
  }
  // helm processes are held, too
  const env = { FLEET_RELEASE_ENGINE: engine, FLEET_HELM_PROCESSES: String(CELLS) }
  const scene = useAgent({ env, judge })

  beforeAll(async () => {
    cells = await openCells(
      scene,
      points.map((_, step) => `kill-${step}`),
    )
    scene.start()
    // the agent collects forgotten releases only after something has gone well
    await scene.deploy(scene.clusterNamespace, {
      files: { 'a.json': { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'steady' } } },
    })
    await scene.ready(scene.clusterNamespace)
  })

  /** True when the cell was stopped before it was done. */
  async function isStruck(operation: Operation, cell: Cell, step: number, reached: Promise<void>): Promise<boolean> {
    let struck = false
    const stopped = reached.then(() => {
      struck = true
    })
    const done = eventually(async () => struck || operation.isDone(cell), {
      what: `${operation.title}, cell ${step}`,
      timeoutMs: PATIENCE_MS,
    })
    await Promise.race([stopped, done])
    return struck
  }

  const all = operations(scene).map((operation) => [operation.title, operation] as const)
  test.each(all)('any write of %s', { timeout: 3 * PATIENCE_MS }, async (_, operation) => {
    const reached = points.map((point, step) => point.arm(step))
    await Promise.all(cells.map((cell) => operation.begin(cell)))
    const struck = await Promise.all(cells.map((cell, step) => isStruck(operation, cell, step, reached[step]!)))
    await scene.kill()
    for (const point of points) point.disarm()
    scene.start()
    expect(struck.at(-1), 'more writes than cells').toBe(false)
    expect(struck.slice(0, 4)).toEqual([true, true, true, true])
    await allWell(operation, cells)
    expect((await scene.ready(scene.clusterNamespace)).status?.release).toMatch(/:1$/)
  })
})

describe.skipIf(process.platform !== 'linux')('an agent that dies alone', () => {
  const point = createKillPoints(isStep)
  let cells: Cell[] = []
  const judge = (call: Call): Verdict => (cellOf(cells, call) < 0 ? 'pass' : point.gate(call) || 'hold')
  const scene = useAgent({ env: { FLEET_RELEASE_ENGINE: 'helm' }, judge })
  const [install] = operations(scene)

  /** Processes that work in the folder of the scene: helm has its kubeconfig there. */
  const helms = (): number[] => processesWith(`${scene.dir}/fleet-agent-`)

  test('leaves a helm process, which the next one ends before it begins', async () => {
    cells = await openCells(scene, ['alone'])
    const { command, ...options } = scene.command
    const agent = spawn(command[0]!, command.slice(1), { ...options, detached: true, stdio: 'ignore' })
    try {
      const reached = point.arm(2)
      await install!.begin(cells[0]!)
      await reached
      process.kill(agent.pid!, 'SIGKILL')
      const left = helms()
      expect(left.length).toBeGreaterThan(0)
      point.disarm()
      scene.start()
      await allWell(install!, cells)
      expect(helms().filter((pid) => left.includes(pid))).toEqual([])
    } finally {
      killGroup(agent.pid!, 'SIGKILL')
    }
  })
})
