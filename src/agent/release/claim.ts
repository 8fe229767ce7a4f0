// Before a first installation: may the release have its objects? Nothing is written but the namespace until all of them are free or its own.
import { inParallel } from '../../lib/controller/parallel.ts'
import { HelmError } from '../../lib/helm/errors.ts'
import type { KubeClient } from '../../lib/kube/client.ts'
import { isAlreadyExists } from '../../lib/kube/errors.ts'
import type { KubeObject, ObjectRef } from '../../lib/kube/types.ts'
import { isDefinition, kindKey, ownKinds } from './bundle-kinds.ts'
import type { DeployRequest, ReleaseRef } from './engine.ts'
import { FIELD_MANAGER } from './field-manager.ts'
import { foreignMarks } from './ownership.ts'
import { placeOf } from './place.ts'
import { refusalOf } from './refusal.ts'

const PARALLEL = 16

/** Creates the namespace if it has to, and throws when an object exists that belongs to somebody else. In a namespace that was just created none does. */
export async function claim(client: KubeClient, { release, rendered, settings }: DeployRequest): Promise<void> {
  const places = settings.takeOwnership ? [] : await placesOf(client, rendered.manifests, release)
  await refuseForeign(
    client,
    places.filter(({ namespace }) => namespace !== release.namespace),
    release,
  )
  const isNew = settings.createNamespace && (await createNamespace(client, release.namespace))
  if (isNew) return
  await refuseForeign(
    client,
    places.filter(({ namespace }) => namespace === release.namespace),
    release,
  )
}

/** Where the objects live, as far as they can exist: a kind whose definition comes with the release may be new. */
async function placesOf(client: KubeClient, objects: readonly KubeObject[], { namespace }: ReleaseRef): Promise<ObjectRef[]> {
  const own = ownKinds(objects)
  const known = new Set<string>()
  for (const { apiVersion, kind, metadata } of objects.filter(isDefinition)) {
    if (own.size > 0 && (await client.find({ apiVersion, kind, name: metadata.name }))) known.add(metadata.name)
  }
  const existing = objects.filter((object) => {
    const definition = own.get(kindKey(object))
    return definition === undefined || known.has(definition)
  })
  const places = await inParallel(existing, PARALLEL, (object) => placeOf(client, object, namespace))
  return places.filter((place) => place !== undefined)
}

async function refuseForeign(client: KubeClient, places: readonly ObjectRef[], release: ReleaseRef): Promise<void> {
  const problems = await inParallel(places, PARALLEL, (place) => problemOf(client, place, release))
  const [first] = problems.filter((problem) => problem !== undefined)
  if (first) throw first
}

async function problemOf(client: KubeClient, place: ObjectRef, release: ReleaseRef): Promise<HelmError | undefined> {
  const what = `${place.kind} "${place.name}" in namespace "${place.namespace ?? ''}"`
  let live: KubeObject | undefined
  try {
    live = await client.find<KubeObject>(place)
  } catch (error) {
    throw refusalOf(error, `unable to continue with install: could not get information about the resource ${what}`)
  }
  const marks = live && foreignMarks(live, release)
  if (marks === undefined) return undefined
  return new HelmError(
    'ownership',
    `unable to continue with install: ${what} exists and cannot be imported into the current release: ${marks}`,
  )
}

/** False when it exists. */
async function createNamespace(client: KubeClient, name: string): Promise<boolean> {
  try {
    await client.create({ apiVersion: 'v1', kind: 'Namespace', metadata: { name, labels: { name } } }, { fieldManager: FIELD_MANAGER })
    return true
  } catch (error) {
    if (isAlreadyExists(error)) return false
    throw refusalOf(error, `failed to create namespace ${name}`)
  }
}
