// The helm command owns fields under its own name. So fields are lent to it before it works, that it may drop some, and taken back afterwards.
import { isDeepStrictEqual } from 'node:util'
import { type Clock, sleep } from '../../lib/controller/clock.ts'
import { inParallel } from '../../lib/controller/parallel.ts'
import type { ApplyMethod } from '../../lib/helm/release.ts'
import type { KubeClient } from '../../lib/kube/client.ts'
import type { KubeObject } from '../../lib/kube/types.ts'
import { kindKey } from './bundle-kinds.ts'
import { asAppliedBy, FIELD_MANAGER, fromHelm, type Handover, HELM_MANAGER, handOver } from './field-manager.ts'
import { distinct, identityOf } from './identity.ts'
import { placeOf } from './place.ts'

/** What helm is about to write. */
export interface Loan {
  readonly client: KubeClient
  readonly namespace: string
  readonly method: ApplyMethod
  readonly objects: readonly KubeObject[]
  /** The objects of all earlier revisions, each as often as it occurs. */
  readonly earlier: readonly KubeObject[]
  /** Kinds that come with the release and may not be served yet, as {@link kindKey} names them. */
  readonly newKinds: ReadonlySet<string>
  readonly clock: Clock
  readonly signal: AbortSignal | undefined
}

const PARALLEL = 16
/** A client remembers for a few seconds that a kind is missing. */
const KNOWN_ATTEMPTS = 12
const KNOWN_PAUSE_MS = 500

/** Runs helm. In the end, however it goes, the fields of the objects belong to the agent as if it had written them itself. */
export async function onLoan<T>(loan: Loan, run: () => Promise<T>): Promise<T> {
  if (loan.method === 'ssa') await lend(loan)
  let result: T
  try {
    result = await run()
  } catch (error) {
    await takeBack({ ...loan, objects: [...loan.objects, ...loan.earlier] }) // earlier ones may have been restored
    throw error
  }
  await takeBack(loan)
  return result
}

/** Lets the next apply of helm drop fields. Where all earlier revisions have the very same object nothing is dropped. */
async function lend({ objects, earlier, newKinds, ...loan }: Loan): Promise<void> {
  const known = Map.groupBy(earlier, (object) => identityOf(object, loan.namespace))
  const isChanged = (object: KubeObject): boolean => {
    const before = known.get(identityOf(object, loan.namespace))
    return before === undefined || before.some((old) => !isDeepStrictEqual(old, object))
  }
  const isThere = (object: KubeObject): boolean => earlier.length > 0 || !newKinds.has(kindKey(object)) // asking too early would be remembered
  const changed = objects.filter((object) => isThere(object) && isChanged(object))
  await handOverAll(changed, asAppliedBy(HELM_MANAGER), loan)
}

/** The release is what it is by now, whether or not this works: it is tried again with the next version. */
export async function takeBack(loan: Omit<Loan, 'earlier'>): Promise<void> {
  if (loan.signal?.aborted) return
  try {
    await untilKnown(loan)
    await handOverAll(loan.objects, loan.method === 'ssa' ? asAppliedBy(FIELD_MANAGER) : fromHelm, loan)
  } catch {
    // see above
  }
}

/** Waits until the client knows kinds that were installed just now. */
async function untilKnown({ client, objects, newKinds, clock, signal }: Omit<Loan, 'earlier'>): Promise<void> {
  const samples = new Map(objects.filter((object) => newKinds.has(kindKey(object))).map((object) => [kindKey(object), object]))
  let attempts = KNOWN_ATTEMPTS
  for (const object of samples.values()) {
    while (attempts > 0 && !(await placeOf(client, object, 'default'))) {
      attempts--
      await sleep(clock, KNOWN_PAUSE_MS, signal)
    }
  }
}

async function handOverAll(
  objects: readonly KubeObject[],
  handover: Handover,
  { client, namespace, signal }: Pick<Loan, 'client' | 'namespace' | 'signal'>,
): Promise<void> {
  const named = distinct(objects, namespace).filter(({ metadata }) => metadata.name)
  await inParallel(named, PARALLEL, async (object) => {
    const ref = await placeOf(client, object, namespace)
    if (ref) await handOver(client, ref, handover, signal)
  })
}
