// Reading the ConfigMaps and Secrets that a pod refers to, each at most once per use.
import type { ConfigMap, Secret } from './types.ts'

/** Something a container needs is missing or wrong; becomes the reason and message of its waiting state. */
export class PodConfigError extends Error {
  override readonly name = 'PodConfigError'
}

/** The objects of the pod's namespace; undefined when there is no such object. */
export interface PodSources {
  configMap(name: string): Promise<ConfigMap | undefined>
  secret(name: string): Promise<Secret | undefined>
}

/** Data of a ConfigMap as bytes. @throws PodConfigError when it is missing and not optional; an optional one is empty */
export async function configMapData(sources: PodSources, name: string, optional = false): Promise<Map<string, Buffer>> {
  const object = await sources.configMap(name)
  if (object === undefined && !optional) throw new PodConfigError(`configmap "${name}" not found`)
  return new Map([
    ...Object.entries(object?.data ?? {}).map(([key, value]) => [key, Buffer.from(value)] as const),
    ...Object.entries(object?.binaryData ?? {}).map(([key, value]) => [key, Buffer.from(value, 'base64')] as const),
  ])
}

/** Data of a Secret as bytes. @throws PodConfigError when it is missing and not optional; an optional one is empty */
export async function secretData(sources: PodSources, name: string, optional = false): Promise<Map<string, Buffer>> {
  const object = await sources.secret(name)
  if (object === undefined && !optional) throw new PodConfigError(`secret "${name}" not found`)
  return new Map(Object.entries(object?.data ?? {}).map(([key, value]) => [key, Buffer.from(value, 'base64')]))
}
