// Arguments of the helm command (version 4). Pure: every flag that is passed anywhere is decided here.

/** What every command that talks to a cluster needs. */
export interface HelmTarget {
  release: string
  namespace: string
  /** Path of a kubeconfig file. */
  kubeconfig: string
}

/** How Helm waits: for everything to be ready for so many seconds, or (undefined) for hooks only. */
export interface HelmWait {
  timeoutSeconds?: number | undefined
  /** Wait for Jobs to complete, too; only together with `timeoutSeconds`. */
  waitForJobs?: boolean | undefined
}

export interface TemplateOptions {
  release: string
  namespace: string
  chart: string
  values?: string | undefined
  /** Version of the cluster as `.Capabilities` shows it, e.g. `v1.36.3`. */
  kubeVersion?: string | undefined
  /** `apps/v1` and `apps/v1/Deployment` entries of `.Capabilities.APIVersions`. */
  apiVersions?: readonly string[] | undefined
  upgrade?: boolean | undefined
  enableDns?: boolean | undefined
  skipSchemaValidation?: boolean | undefined
  /** Lets `lookup` read the cluster of this kubeconfig; version and kinds come from there, too. */
  lookup?: { kubeconfig: string } | undefined
}

export interface UpgradeOptions extends HelmTarget, HelmWait {
  chart: string
  values?: string | undefined
  createNamespace?: boolean | undefined
  takeOwnership?: boolean | undefined
  /** Server-side apply (true), by the client (false). */
  serverSide: boolean
  forceReplace?: boolean | undefined
  rollbackOnFailure?: boolean | undefined
  maxHistory: number
  skipSchemaValidation?: boolean | undefined
  /** Labels of the release Secret. */
  labels?: Readonly<Record<string, string>> | undefined
}

export interface RollbackOptions extends HelmTarget, HelmWait {
  version: number
  forceReplace?: boolean | undefined
  maxHistory: number
}

export interface UninstallOptions extends HelmTarget {
  /** Keeps the revisions, marked as uninstalled. */
  keepHistory?: boolean | undefined
  timeoutSeconds?: number | undefined
}

/** Time limit of a hook when nobody sets one, in seconds. */
const HOOK_TIMEOUT_SECONDS = 300
/** A single argument may not be longer than 128 KiB on Linux. */
const API_VERSIONS_PER_FLAG = 500

/** Asks the cluster while rendering, but does not check whether the result could be installed: that is what the installation does. */
const LOOK_ONLY = ['--dry-run=server', '--take-ownership', '--disable-openapi-validation']

/** `helm template`: hooks and the contents of `crds/` are part of the output. */
export function templateArgs(options: TemplateOptions): string[] {
  const { apiVersions = [], lookup } = options
  return [
    ...['template', options.release, options.chart, '--namespace', options.namespace, '--include-crds'],
    ...flag('--values', options.values),
    ...(lookup ? [...LOOK_ONLY, '--kubeconfig', lookup.kubeconfig] : flag('--kube-version', options.kubeVersion)),
    ...(lookup ? [] : chunks(apiVersions, API_VERSIONS_PER_FLAG).flatMap((list) => ['--api-versions', list.join(',')])),
    ...when(options.upgrade, '--is-upgrade'),
    ...when(options.enableDns, '--enable-dns'),
    ...when(options.skipSchemaValidation, '--skip-schema-validation'),
  ]
}

/**
 * `helm upgrade --dry-run`: renders as {@link templateArgs} does, but knows the history of the release (`.Release.Revision`).
 * The answer is JSON.
 */
export function dryRunUpgradeArgs(options: TemplateOptions & HelmTarget): string[] {
  return [
    ...['upgrade', options.release, options.chart, '--namespace', options.namespace, '--kubeconfig', options.kubeconfig],
    ...[
      '--install',
      `--dry-run=${options.lookup ? 'server' : 'client'}`,
      '--reset-values',
      '--output',
      'json',
      '--disable-openapi-validation',
      '--take-ownership',
    ],
    ...flag('--values', options.values),
    ...when(options.enableDns, '--enable-dns'),
    ...when(options.skipSchemaValidation, '--skip-schema-validation'),
  ]
}

/** `helm upgrade --install`; the answer is JSON. */
export function upgradeArgs(options: UpgradeOptions): string[] {
  return [
    ...['upgrade', options.release, options.chart, '--install', '--output', 'json', '--hide-notes'],
    ...targetArgs(options),
    ...flag('--values', options.values),
    '--reset-values', // without values Helm would take those of the release before
    ...when(options.createNamespace, '--create-namespace'),
    ...when(options.takeOwnership, '--take-ownership'),
    `--server-side=${options.serverSide}`,
    // A field that somebody else changed is ours again. The server checks the schema itself; asking for it beforehand costs more than all the rest.
    ...(options.serverSide ? ['--force-conflicts', '--disable-openapi-validation'] : []),
    ...when(options.forceReplace, '--force-replace'),
    ...when(options.rollbackOnFailure, '--rollback-on-failure'),
    ...when(options.skipSchemaValidation, '--skip-schema-validation'),
    ...waitArgs(options),
    ...['--history-max', String(options.maxHistory)],
    ...flag('--labels', labelText(options.labels)),
  ]
}

/** `helm rollback` by the client: what is missing is created, what differs is merged or (`forceReplace`) replaced. */
export function rollbackArgs(options: RollbackOptions): string[] {
  return [
    ...['rollback', options.release, String(options.version)],
    ...targetArgs(options),
    '--server-side=false',
    ...when(options.forceReplace, '--force-replace'),
    ...waitArgs(options),
    ...['--history-max', String(options.maxHistory)],
  ]
}

/** `helm uninstall`; a release that is not there counts as uninstalled. */
export function uninstallArgs(options: UninstallOptions): string[] {
  const seconds = positive(options.timeoutSeconds) ?? HOOK_TIMEOUT_SECONDS
  return [
    ...['uninstall', options.release, ...targetArgs(options), '--ignore-not-found', '--timeout', `${seconds}s`],
    ...when(options.keepHistory, '--keep-history'),
  ]
}

function targetArgs({ namespace, kubeconfig }: HelmTarget): string[] {
  return ['--namespace', namespace, '--kubeconfig', kubeconfig]
}

function waitArgs({ timeoutSeconds, waitForJobs }: HelmWait): string[] {
  const seconds = positive(timeoutSeconds)
  const strategy = seconds === undefined ? 'hookOnly' : 'watcher'
  return [`--wait=${strategy}`, '--timeout', `${seconds ?? HOOK_TIMEOUT_SECONDS}s`, ...when(waitForJobs, '--wait-for-jobs')]
}

function positive(value: number | undefined): number | undefined {
  return value !== undefined && value > 0 ? value : undefined
}

function labelText(labels: Readonly<Record<string, string>> | undefined): string | undefined {
  const entries = Object.entries(labels ?? {})
  return entries.length > 0 ? entries.map(([key, value]) => `${key}=${value}`).join(',') : undefined
}

function flag(name: string, value: string | undefined): string[] {
  return value === undefined ? [] : [name, value]
}

function when(condition: boolean | undefined, name: string): string[] {
  return condition ? [name] : []
}

function chunks<T>(list: readonly T[], size: number): T[][] {
  return Array.from({ length: Math.ceil(list.length / size) }, (_, i) => list.slice(i * size, (i + 1) * size))
}
