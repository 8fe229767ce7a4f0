// The configuration of the hub: ConfigMap `fleet-controller`, key `config`, YAML or JSON (spec 2.3). Changes are adopted while the process runs.
import type { Logger } from '../lib/controller/log.ts'
import { formatDuration, parseDuration } from '../lib/duration/duration.ts'
import { isMap } from '../lib/json/is-map.ts'
import type { Informer } from '../lib/kube/informer.ts'
import type { KubeObject } from '../lib/kube/types.ts'
import { parseYaml } from '../lib/yaml/parse.ts'
import { bytesOf, fieldOf, flagOf, mapOf, mapsOf, type Settings, textOf, textsOf } from './typed-settings.ts'

/** What the configuration says of the management cluster as a member of its own fleet. */
export interface BootstrapConfig {
  /** Workspace of the cluster `local`; empty or `-`: the management cluster is no member. */
  readonly namespace: string
  readonly agentNamespace: string
  readonly localAgentDisabled: boolean
  readonly clusterLabels: Readonly<Record<string, string>>
  /** Repository of the GitRepo `bootstrap`; empty: there is none. */
  readonly repo: string
  readonly secret: string
  readonly branch: string
  readonly paths: readonly string[]
}

/** The parsed configuration. Texts that are not given are empty. */
export interface HubConfig {
  readonly agentImage: string
  readonly agentImagePullPolicy: string
  readonly systemDefaultRegistry: string
  /** Go duration, `0s` if not given. */
  readonly agentCheckinInterval: string
  /** Go duration, `0s` if not given. */
  readonly garbageCollectionInterval: string
  readonly gitClientTimeoutMs: number
  readonly manageAgent: boolean
  /** Address under which agents reach this cluster. */
  readonly apiServerURL: string
  /** PEM. */
  readonly apiServerCA: Buffer
  readonly bootstrap: BootstrapConfig
  readonly ignoreClusterRegistrationLabels: boolean
  readonly agentTLSMode: string
  readonly agentWorkers: { readonly bundledeployment: string; readonly drift: string }
  /** Names of secrets in the system namespace. */
  readonly imagePullSecrets: readonly string[]
}

/** A configuration, and durations in it that could not be read: those are as if they were not given. */
interface ParsedHubConfig {
  readonly config: HubConfig
  readonly dropped: readonly string[]
}

const MAX_CONFIG_BYTES = 2 ** 20
const GIT_CLIENT_TIMEOUT = 30_000_000_000n

/**
 * Reads the text of the configuration; undefined or empty gives the defaults. `version` names the default image of the agent.
 * Keys are taken in any case, as in other releases. Throws an error for users when the text is no map, or a setting is of the wrong kind.
 */
export function parseHubConfig(text: string | undefined, version: string): ParsedHubConfig {
  const root = readMap(text)
  const bootstrap = mapOf(root, 'bootstrap')
  const workers = mapOf(root, 'agentWorkers')
  const dropped: string[] = []
  const duration = (name: string): bigint => {
    const read = readDuration(fieldOf(root, name))
    if (read === undefined) dropped.push(name)
    return read ?? 0n
  }
  const config: HubConfig = {
    agentImage: textOf(root, 'agentImage') || `rancher/fleet-agent:${version}`,
    agentImagePullPolicy: textOf(root, 'agentImagePullPolicy'),
    systemDefaultRegistry: textOf(root, 'systemDefaultRegistry'),
    agentCheckinInterval: formatDuration(duration('agentCheckinInterval')),
    garbageCollectionInterval: formatDuration(duration('garbageCollectionInterval')),
    gitClientTimeoutMs: Number((duration('gitClientTimeout') || GIT_CLIENT_TIMEOUT) / 1_000_000n),
    manageAgent: flagOf(root, 'manageAgent') ?? true,
    apiServerURL: textOf(root, 'apiServerURL'),
    apiServerCA: bytesOf(root, 'apiServerCA'),
    bootstrap: {
      namespace: textOf(bootstrap, 'namespace'),
      agentNamespace: textOf(bootstrap, 'agentNamespace'),
      localAgentDisabled: flagOf(bootstrap, 'localAgentDisabled') ?? false,
      clusterLabels: textsOf(bootstrap, 'clusterLabels'),
      repo: textOf(bootstrap, 'repo'),
      secret: textOf(bootstrap, 'secret'),
      branch: textOf(bootstrap, 'branch'),
      paths: splitPaths(textOf(bootstrap, 'paths')),
    },
    ignoreClusterRegistrationLabels: flagOf(root, 'ignoreClusterRegistrationLabels') ?? false,
    // an empty mode is one that does not exist: whoever writes it is told so by the import
    agentTLSMode: fieldOf(root, 'agentTLSMode') === undefined ? 'system-store' : textOf(root, 'agentTLSMode'),
    agentWorkers: { bundledeployment: textOf(workers, 'bundledeployment'), drift: textOf(workers, 'drift') },
    imagePullSecrets: mapsOf(root, 'imagePullSecrets')
      .map((reference) => textOf(reference, 'name'))
      .filter(Boolean),
  }
  return { config, dropped }
}

function readMap(text: string | undefined): Settings {
  const value = text ? parsed(text) : undefined
  if (value === null || value === undefined) return { name: '', fields: {} }
  if (!isMap(value)) throw new Error('the configuration is no map of settings')
  return { name: '', fields: value }
}

function parsed(text: string): unknown {
  try {
    return parseYaml(text, { maxBytes: MAX_CONFIG_BYTES })
  } catch (error) {
    throw new Error(`the configuration is no valid YAML: ${error instanceof Error ? error.message : String(error)}`, { cause: error })
  }
}

function splitPaths(text: string): string[] {
  return text === '' ? [] : text.split(/\s*,\s*/)
}

/** Nanoseconds; undefined for what is given and cannot be used. A plain 0 stands for the default. */
function readDuration(value: unknown): bigint | undefined {
  if (value === undefined || value === 0 || value === 0n) return 0n
  if (typeof value !== 'string') return undefined
  try {
    const duration = parseDuration(value)
    return duration < 0n ? undefined : duration
  } catch {
    return undefined // said by the caller, with the name of the setting
  }
}

/** A ConfigMap as it is cached. */
export interface ConfigMapObject extends KubeObject {
  readonly data?: Readonly<Record<string, string>> | null
}

/** The configuration as it is now. */
export interface HubConfigSource {
  /** Undefined until a configuration could be read for the first time. */
  current(): HubConfig | undefined
  /** Calls `handler` after each adopted change. The returned function ends it. */
  onChange(handler: () => void): () => void
}

interface HubConfigOptions {
  readonly namespace: string
  /** Name of the ConfigMap. */
  readonly name: string
  /** The running version: a configuration annotated for another one is not adopted while we run. */
  readonly version: string
  /** Key of the annotation. */
  readonly versionAnnotation: string
  readonly log: Logger
}

/** Follows the ConfigMap in a cache. When there is none, the defaults hold until it appears; when it goes or cannot be read, the last one stays. */
export function followHubConfig(configMaps: Informer<ConfigMapObject>, options: HubConfigOptions): HubConfigSource {
  const { namespace, name, version, versionAnnotation, log } = options
  const handlers = new Set<() => void>()
  let adopted: { readonly text: string | undefined; readonly config: HubConfig } | undefined
  const defaults = parseHubConfig(undefined, version).config

  configMaps.subscribe(({ type, object }) => {
    if (object.metadata.name !== name || object.metadata.namespace !== namespace || type === 'deleted') return
    const text = object.data?.config
    if (adopted && adopted.text === text) return
    const annotated = object.metadata.annotations?.[versionAnnotation]
    if (adopted && annotated !== version) {
      log.info({ annotated, version }, 'changed configuration is for another version, keeping the one in use')
      return
    }
    adopt(text)
  })

  function adopt(text: string | undefined): void {
    try {
      const { config, dropped } = parseHubConfig(text, version)
      if (dropped.length > 0)
        log.warn({ settings: dropped }, 'ignoring durations of the configuration that cannot be read: write 90s, 15m or 1h30m')
      adopted = { text, config }
    } catch (error) {
      log.error({ err: error }, 'configuration cannot be read, keeping the one in use')
      return
    }
    for (const handler of handlers) handler()
  }

  return {
    current: () => adopted?.config ?? (configMaps.synced && !configMaps.get(name, namespace) ? defaults : undefined),
    onChange(handler) {
      handlers.add(handler)
      return () => handlers.delete(handler)
    },
  }
}
