// Starts one container as a program of this host.
import type { HostProcesses } from '../host-process.ts'
import { expand, resolveEnv } from './env.ts'
import type { NodeFacts } from './fields.ts'
import { mountedPaths, rewritePaths } from './mounts.ts'
import type { PodFolder } from './pod-folder.ts'
import { SERVICE_ACCOUNT_PATH, writePodKubeconfig } from './pod-folder.ts'
import type { PortMap } from './probe-loop.ts'
import type { PodSources } from './sources.ts'
import type { Execution } from './supervisor.ts'
import type { Container, Pod } from './types.ts'

/** Which container of which pod a program is for. */
export interface ContainerContext {
  readonly node: string
  readonly namespace: string
  readonly pod: string
  readonly container: string
}

/** The program that stands for an image. */
export interface HostProgram {
  /** Program and all its arguments. */
  readonly command: readonly string[]
  /** Added to the environment of the container, and stronger; it must hold the PATH, as nothing of our own environment is passed on. */
  readonly env?: Readonly<Record<string, string>>
  /** Where the ports of the container are on this host, when not at the same numbers; for probes. */
  readonly ports?: PortMap
}

/**
 * Decides whether an image is ours, and what runs in its place.
 * @param command command and arguments of the container, with variables and mounted paths replaced when it is about to start
 */
export type ImagePrograms = (image: string, command: string[], context: ContainerContext) => HostProgram | undefined

/** What is needed to start containers of a pod. */
export interface LaunchContext {
  readonly pod: Pod
  readonly node: NodeFacts
  readonly folder: PodFolder
  readonly sources: PodSources
  readonly images: ImagePrograms
  readonly processes: HostProcesses
  /** URL of the API server as seen by the pods. */
  readonly server: string
}

/** The program of a container as far as can be said before it starts; undefined for images that are not ours. */
export function programOf(context: Pick<LaunchContext, 'pod' | 'node' | 'images'>, container: Container): HostProgram | undefined {
  return callImages(context, container, [...(container.command ?? []), ...(container.args ?? [])])
}

function callImages(
  { pod, node, images }: Pick<LaunchContext, 'pod' | 'node' | 'images'>,
  container: Container,
  command: string[],
): HostProgram | undefined {
  const { namespace = 'default', name } = pod.metadata
  return images(container.image ?? '', command, { node: node.name, namespace, pod: name, container: container.name })
}

/** Starts the program of a container. @throws PodConfigError when something that its environment refers to is missing */
export async function launchContainer(context: LaunchContext, container: Container): Promise<Execution> {
  const { pod, node, folder, sources, processes } = context
  const mounts = mountedPaths(container, pod.spec.volumes ?? [], folder.volumes)
  const credentials = mounts.find(({ mountPath }) => mountPath === SERVICE_ACCOUNT_PATH)?.hostPath
  if (credentials !== undefined) await writePodKubeconfig(folder, pod, context.server, credentials)
  const { hostname, port } = new URL(context.server)
  const base = {
    HOME: folder.home,
    HOSTNAME: pod.metadata.name,
    TMPDIR: mounts.find(({ mountPath }) => mountPath === '/tmp')?.hostPath ?? folder.tmp,
    KUBERNETES_SERVICE_HOST: hostname,
    KUBERNETES_SERVICE_PORT: port || '443',
    KUBERNETES_SERVICE_PORT_HTTPS: port || '443',
    ...(credentials === undefined ? {} : { KUBECONFIG: folder.kubeconfig }),
  }
  const env = await resolveEnv(pod, container, node, sources, base)
  const argv = [...(container.command ?? []), ...(container.args ?? [])]
  const command = argv.map((arg) => rewritePaths(expand(arg, env), mounts))
  const program = callImages(context, container, command)
  if (program === undefined) throw new Error(`no program stands for image "${container.image ?? ''}" with the command ${command.join(' ')}`)
  const own = Object.entries(env).map(([name, value]) => [
    name,
    Object.hasOwn(base, name) && base[name as keyof typeof base] === value ? value : rewritePaths(value, mounts),
  ])
  const started = processes.start({
    name: `${pod.metadata.namespace}/${pod.metadata.name} ${container.name}`,
    command: program.command,
    logFile: folder.logFile(container.name),
    env: { ...Object.fromEntries(own), ...program.env },
    cwd: folder.home,
  })
  return {
    id: `process://${started.pid ?? 'none'}`,
    ports: program.ports ?? {},
    exited: started.exited,
    kill: started.kill,
    stop: (graceMs) => started.stop(graceMs),
  }
}

/** Stands for a container of an image that is not ours: it completes at once, or runs without doing anything until it is stopped. */
export function pretendContainer(completes: boolean): Execution {
  const end = Promise.withResolvers<{ code: number }>()
  if (completes) end.resolve({ code: 0 })
  return {
    id: 'none://',
    ports: {},
    exited: end.promise,
    kill: () => end.resolve({ code: 0 }),
    stop() {
      end.resolve({ code: 0 })
      return end.promise
    },
  }
}
