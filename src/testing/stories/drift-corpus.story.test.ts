// Ten charts of different kinds, each deployed by helm and, rendered, by the agent itself: nothing is called drift but what a user does.
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { CASES } from '../drift/cases.ts'
import type { LiveObject } from '../drift/controllers.ts'
import { DriftScene, type Form } from '../drift/scene.ts'
import { consistently, eventually } from '../eventually.ts'

const FORMS: readonly Form[] = ['chart', 'plain']
const ALL = CASES.flatMap((each) => FORMS.map((form) => ({ ...each, form, name: `${each.chart}-${form}` })))
const NAMES = ALL.map(({ name }) => name)

/** A correction that failed, because an object changed in the middle of it, is tried again after half a minute. */
const CORRECTION_MS = 100_000

const scene = new DriftScene()
beforeAll(() => scene.open())
afterAll(() => scene.close())

/** All is as it was deployed, and at no moment was anything else said. */
async function expectClean(): Promise<void> {
  const results = await Promise.allSettled(NAMES.map((name) => scene.clean(name)))
  const problems = results.flatMap((result) => (result.status === 'rejected' ? [String(result.reason)] : []))
  expect({ problems, findings: scene.findings }).toEqual({ problems: [], findings: [] })
}

describe('no drift', () => {
  test('is found in what has just been deployed', async () => {
    await Promise.all(ALL.map(({ chart, form }) => scene.deploy(chart, form)))
    await expectClean()
    await scene.settled()
  })

  test('is found in what controllers do', async () => {
    const before = scene.requests.length
    await Promise.all(ALL.map(({ chart, form, controllers }) => controllers(scene.place(chart, form))))
    await scene.settled(before)
    await expectClean()
  })

  test('is looked for by an agent at rest: it waits for events', async () => {
    // controllers of a busy cluster may have something left to do, which the agent then looks at
    await eventually(async () => {
      const [requests, versions] = [scene.requests.length, await scene.versions()]
      await consistently(() => expect(scene.requests.slice(requests)).toEqual([]))
      expect(await scene.versions()).toEqual(versions)
    })
  })

  test('is found after a restart of the agent, which writes nothing', async () => {
    const [requests, versions] = [scene.requests.length, await scene.versions()]
    await scene.stopAgent()
    scene.startAgent()
    await scene.settled(requests)
    expect(await scene.versions()).toEqual(versions)
    await expectClean()
  })

  test('is found after a restart of the API server', async () => {
    const requests = scene.requests.length
    await scene.cluster.stopApiServer()
    await scene.cluster.startApiServer()
    await scene.settled(requests)
    await expectClean()
  })
})

describe('a change by a user', () => {
  test.concurrent.each(ALL)('of chart $chart as $form is reported, and undone where that is wanted', async (each) => {
    const { name } = each
    const { target, patch, undo, undone } = each.change(scene.place(each.chart, each.form))
    const before = await scene.client.get<LiveObject>(target)
    const make = async (): Promise<void> => {
      await scene.client.patch(target, patch(await scene.client.get(target)), { type: 'merge', fieldManager: 'user' })
    }
    const corrected = (release: string | undefined) =>
      eventually(
        async () => {
          expect(await scene.client.get<LiveObject>(target)).toMatchObject(undone ?? undo(before))
          const { status } = await scene.read(name)
          expect(status).toMatchObject({ nonModified: true, release: expect.not.stringMatching(`^${release}$`) })
        },
        { what: `${name} corrected`, timeoutMs: CORRECTION_MS },
      )

    await make()
    await eventually(async () => expect(await scene.modified(name)).toEqual([{ ...target, patch: undo(before) }]), {
      what: `change of ${name}`,
    })
    const { status: first } = await scene.read(name)
    await scene.change(name, { correctDrift: { enabled: true } })
    await corrected(first?.release)
    const { status: second } = await scene.read(name)
    await scene.change(name, { correctDrift: { enabled: true, force: true } })
    await make()
    await corrected(second?.release)
  })
})
