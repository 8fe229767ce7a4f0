// The helm command (version 4): every process gets private homes, a time limit, and a slot.

import { exec } from '../exec/exec.ts'
import { createSlots, type Slots } from '../exec/slots.ts'
import {
  dryRunUpgradeArgs,
  type HelmTarget,
  type RollbackOptions,
  rollbackArgs,
  type TemplateOptions,
  templateArgs,
  type UninstallOptions,
  type UpgradeOptions,
  uninstallArgs,
  upgradeArgs,
} from './args.ts'
import { toHelmError } from './errors.ts'
import type { HelmRelease } from './release.ts'

export interface HelmConfig {
  /** Path of the program. */
  binary: string
  /** A folder of this process alone: caches, configuration and data of helm. */
  home: string
  /** Further environment of the child processes: proxies, certificate files. */
  env: Readonly<Record<string, string>>
  /** How many helm processes work at a time; one takes up to 100 MB. */
  concurrency: number
  /** How many may wait for objects to become ready, beside those that work; default 4 × concurrency. */
  waiting?: number | undefined
  /** From its abort on no process is started: whoever waits for a slot gets its reason as the error. What runs goes on. */
  stopping?: AbortSignal | undefined
  /** Told of each child, see `ExecOptions.onChild`. */
  onChild?: ((pid: number, event: 'started' | 'ended') => void) | undefined
}

export interface Helm {
  /** Renders a chart without asking a cluster (but for `lookup`): YAML documents with `# Source:` comments, hooks and definitions included. */
  template(options: TemplateOptions, signal?: AbortSignal): Promise<string>
  /** The custom resource definitions in the `crds` folders of a chart and its sub-charts: YAML documents. */
  showDefinitions(chart: string, signal?: AbortSignal): Promise<string>
  /** Renders a chart as the next revision of a release. */
  dryRunUpgrade(options: TemplateOptions & HelmTarget, signal?: AbortSignal): Promise<HelmRelease>
  /** Installs or upgrades, and returns the new revision. */
  upgrade(options: UpgradeOptions, signal?: AbortSignal): Promise<HelmRelease>
  rollback(options: RollbackOptions, signal?: AbortSignal): Promise<void>
  uninstall(options: UninstallOptions, signal?: AbortSignal): Promise<void>
}

/** Rendering never takes long; what talks to a cluster gets this beyond the time it may wait itself. */
const RENDER_TIMEOUT_MS = 120_000
const CLUSTER_TIMEOUT_MS = 600_000
/** Manifests can be large: a release Secret of 1 MiB unpacks to a multiple of it. */
const MAX_OUTPUT_BYTES = 64 * 2 ** 20

/** The helm command of `config`. All methods throw `HelmError` when helm refuses, `ExecError` when the process does not end by itself. */
export function createHelm(config: HelmConfig): Helm {
  const working = createSlots(config.concurrency)
  const waiting = createSlots(config.waiting ?? config.concurrency * 4) // whoever waits for readiness must not keep others from working
  const env = {
    ...config.env,
    HOME: config.home,
    HELM_CACHE_HOME: `${config.home}/cache`,
    HELM_CONFIG_HOME: `${config.home}/config`,
    HELM_DATA_HOME: `${config.home}/data`,
    HELM_PLUGINS: `${config.home}/plugins`,
    KUBECACHEDIR: `${config.home}/discovery`,
    TMPDIR: config.home,
  }

  function run(args: readonly string[], timeoutMs: number, signal: AbortSignal | undefined): Promise<string> {
    return exec(config.binary, args, { env, timeoutMs, maxOutputBytes: MAX_OUTPUT_BYTES, signal, onChild: config.onChild }).then(
      (result) => result.stdout,
      (error) => Promise.reject(toHelmError(error)),
    )
  }

  function inSlot<T>(slots: Slots, work: () => Promise<T>, signal: AbortSignal | undefined): Promise<T> {
    const signals = [signal, config.stopping].filter((each) => each !== undefined)
    return slots.run(work, AbortSignal.any(signals))
  }

  function runWaiting(args: readonly string[], timeoutSeconds: number | undefined, signal: AbortSignal | undefined): Promise<string> {
    const seconds = Math.max(timeoutSeconds ?? 0, 0)
    const slots = seconds > 0 ? waiting : working
    return inSlot(slots, () => run(args, CLUSTER_TIMEOUT_MS + seconds * 1_000, signal), signal)
  }

  return {
    template: (options, signal) => inSlot(working, () => run(templateArgs(options), RENDER_TIMEOUT_MS, signal), signal),
    showDefinitions: (chart, signal) => inSlot(working, () => run(['show', 'crds', chart], RENDER_TIMEOUT_MS, signal), signal),
    dryRunUpgrade: async (options, signal) => {
      const output = await inSlot(working, () => run(dryRunUpgradeArgs(options), RENDER_TIMEOUT_MS, signal), signal)
      return JSON.parse(output) as HelmRelease
    },
    upgrade: async (options, signal) => JSON.parse(await runWaiting(upgradeArgs(options), options.timeoutSeconds, signal)) as HelmRelease,
    rollback: async (options, signal) => void (await runWaiting(rollbackArgs(options), options.timeoutSeconds, signal)),
    uninstall: async (options, signal) => void (await runWaiting(uninstallArgs(options), options.timeoutSeconds, signal)),
  }
}
