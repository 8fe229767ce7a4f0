// The environment and command line of a container, as the kubelet would make them.
import type { NodeFacts } from './fields.ts'
import { podField, resourceField } from './fields.ts'
import type { PodSources } from './sources.ts'
import { configMapData, PodConfigError, secretData } from './sources.ts'
import type { Container, EnvFrom, EnvVar, KeyRef, Pod } from './types.ts'

/** Names that the environment of a program cannot have. */
const BAD_NAME = /[=\0]/

/**
 * The environment of a container: envFrom first, then env in its order, each value expanded with what came before it.
 * @param base variables that are there before, such as KUBERNETES_SERVICE_HOST
 * @throws PodConfigError when something it refers to is missing
 */
export async function resolveEnv(
  pod: Pod,
  container: Container,
  node: NodeFacts,
  sources: PodSources,
  base: Readonly<Record<string, string>>,
): Promise<Record<string, string>> {
  const env: Record<string, string> = { ...base }
  for (const source of container.envFrom ?? []) Object.assign(env, await envFrom(source, sources))
  for (const variable of container.env ?? []) {
    const value = await envValue(variable, pod, container, node, sources, env)
    if (value !== undefined) env[variable.name] = value
  }
  return env
}

async function envFrom({ prefix = '', configMapRef, secretRef }: EnvFrom, sources: PodSources): Promise<Record<string, string>> {
  const data = new Map<string, Buffer>()
  if (configMapRef?.name !== undefined) add(data, await configMapData(sources, configMapRef.name, configMapRef.optional))
  if (secretRef?.name !== undefined) add(data, await secretData(sources, secretRef.name, secretRef.optional))
  const entries = [...data].map(([key, value]) => [`${prefix}${key}`, value.toString('utf8')] as const)
  return Object.fromEntries(entries.filter(([name]) => !BAD_NAME.test(name)))
}

function add(into: Map<string, Buffer>, from: ReadonlyMap<string, Buffer>): void {
  for (const [key, value] of from) into.set(key, value)
}

async function envValue(
  variable: EnvVar,
  pod: Pod,
  container: Container,
  node: NodeFacts,
  sources: PodSources,
  env: Readonly<Record<string, string>>,
): Promise<string | undefined> {
  const { value, valueFrom } = variable
  if (valueFrom?.fieldRef !== undefined) return podField(pod, node, valueFrom.fieldRef.fieldPath)
  if (valueFrom?.resourceFieldRef !== undefined) return resourceField(pod, node, container, valueFrom.resourceFieldRef)
  if (valueFrom?.configMapKeyRef !== undefined) return keyValue('configmap', valueFrom.configMapKeyRef, configMapData, sources)
  if (valueFrom?.secretKeyRef !== undefined) return keyValue('secret', valueFrom.secretKeyRef, secretData, sources)
  return expand(value ?? '', env)
}

async function keyValue(
  kind: 'configmap' | 'secret',
  { name = '', key, optional }: KeyRef,
  read: typeof configMapData,
  sources: PodSources,
): Promise<string | undefined> {
  const value = (await read(sources, name, optional)).get(key)
  if (value === undefined && !optional) throw new PodConfigError(`couldn't find key ${key} in ${kind} "${name}"`)
  return value?.toString('utf8')
}

/** Replaces `$(NAME)` by a variable; unknown names stay as they are, `$$` is a `$` that expands nothing. */
export function expand(text: string, env: Readonly<Record<string, string>>): string {
  return text.replace(/\$(\$|\(([^()]*)\))/g, (whole, what: string, name: string | undefined) => {
    if (what === '$') return '$'
    return name !== undefined && Object.hasOwn(env, name) ? (env[name] ?? '') : whole
  })
}
