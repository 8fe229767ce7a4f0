// The controllers of the hub, in the order in which data travels through them: clusters join, repositories are read, bundles spread, status comes back.
import { randomBytes } from 'node:crypto'
import { tmpdir } from 'node:os'
import { CONTROLLER_CONFIG_NAME, SHARD_REF_LABEL, VERSION_ANNOTATION } from '../api/labels.ts'
import { chartSourceFor } from '../bundle/chart-source/git-repo-charts.ts'
import { ociSecrets } from '../bundle/oci-secrets.ts'
import { createContentStorage } from '../bundle/oci-storage.ts'
import { cachedStorageSecrets } from '../bundle/oci-storage-secrets.ts'
import { createPublisher, publishedBundles, publishedScans } from '../bundle/publish.ts'
import { CONTROLLERS, type ControllerConfig, type ControllerName } from '../config/controller.ts'
import { type ConfigMapObject, followHubConfig } from '../config/hub-config.ts'
import { VERSION } from '../config/version.ts'
import { createBundleController } from '../deployment/bundle-controller.ts'
import { createDeploymentFinalizer } from '../deployment/finalize.ts'
import { bundleCache } from '../deployment/indexes.ts'
import { bundleSecrets } from '../deployment/secrets.ts'
import { createHelmOpController } from '../helmop/helm-op-controller.ts'
import { createImageRegistry } from '../imagescan/registry.ts'
import { createImageScanController } from '../imagescan/scan-controller.ts'
import { createWriteBackController } from '../imagescan/write-back-controller.ts'
import { createChartVersions } from '../lib/charts/chart-versions.ts'
import type { ChartDownloader } from '../lib/charts/downloads.ts'
import { systemClock } from '../lib/controller/clock.ts'
import type { Controller } from '../lib/controller/controller.ts'
import { createEventRecorder } from '../lib/controller/events.ts'
import type { Logger } from '../lib/controller/log.ts'
import type { Runnable } from '../lib/controller/manager.ts'
import { untilAborted } from '../lib/controller/parts.ts'
import { createStatusWriter } from '../lib/controller/status.ts'
import type { GitBackend } from '../lib/git/types.ts'
import type { GitWriter } from '../lib/git/write/types.ts'
import type { KubeClient } from '../lib/kube/client.ts'
import type { KubeConnection } from '../lib/kube/connection.ts'
import type { InformerFactory } from '../lib/kube/informer.ts'
import type { KubeObject } from '../lib/kube/types.ts'
import type { Registries } from '../lib/oci/registry.ts'
import { createClusterLifecycleController } from '../registration/cluster-lifecycle-controller.ts'
import { REGISTRATION_CONTROLLERS } from '../registration/controllers.ts'
import { createRegistrationInformers } from '../registration/informers.ts'
import type { RegistrationDeps } from '../registration/settings.ts'
import { createScheduleController } from '../schedule/controller.ts'
import type { ProcessMetrics } from '../server/metrics.ts'
import { createGitDefaults } from '../source/git-defaults.ts'
import { createGitRepoController } from '../source/git-repo-controller.ts'
import { createRancherCertificates } from '../source/rancher-certificates.ts'
import { createRestrictions } from '../source/restrictions.ts'
import { createSecretReader, SECRET } from '../source/secrets.ts'
import { createWebhookListener } from '../source/webhooks/listener.ts'
import { createReceiver } from '../source/webhooks/receiver.ts'
import { createBundleDeploymentDisplayController } from '../status/bundle-deployment-display.ts'
import { createClusterGroupStatusController } from '../status/cluster-group-status.ts'
import { createClusterStatusController } from '../status/cluster-status.ts'
import { createContentController } from '../status/content-references.ts'
import { createGitRepoStatusController } from '../status/git-repo-status.ts'
import { createHelmOpStatusController } from '../status/helm-op-status.ts'
import { createStatusInformers } from '../status/informers.ts'
import { fleetMetrics, METRIC_KINDS } from '../status/metrics/fleet-metrics.ts'
import { compileValuesTemplate } from '../target/compile-template.ts'

/** What all controllers are made with. */
export interface HubParts {
  readonly connection: KubeConnection
  readonly client: KubeClient
  readonly informers: InformerFactory
  readonly backend: GitBackend & GitWriter
  readonly charts: ChartDownloader
  readonly registries: Registries
  readonly log: Logger
  readonly metrics: ProcessMetrics | undefined
}

/** The controllers that the settings ask for. A controller that is not made asks for no cache. */
export function createControllers(config: ControllerConfig, parts: HubParts): Controller[] {
  const { shard } = config
  const { client, informers, registries, log, metrics } = parts
  const common = (name: ControllerName) => ({
    client,
    informers,
    log: log.child({ controller: name }),
    clock: systemClock,
    workers: config.workers[name],
    metrics,
    shard,
  })
  const isOurs = ofShard(shard)
  const status = (name: ControllerName) => ({ ...common(name), informers: createStatusInformers(informers), handles: isOurs })
  const recorder = (component: string) =>
    createEventRecorder(client, { component: shard ? `${component}-${shard}` : component, clock: systemClock, log })

  let registration: RegistrationDeps | undefined
  const joining = () => {
    registration ??= registrationDeps(config, parts)
    return registration
  }

  const makers: Record<ControllerName, () => Controller[]> = {
    registration: () => {
      const { cleanup: _cleanup, ...others } = REGISTRATION_CONTROLLERS
      return Object.values(others).map((create) => create(joining()))
    },
    cluster: () => [
      createClusterLifecycleController({ ...common('cluster'), bundles: bundleCache, handles: isOurs }),
      createClusterStatusController(status('cluster')),
    ],
    gitrepo: () => [
      createGitRepoController({ ...common('gitrepo'), ...gitRepoDeps(config, parts), events: recorder('fleet-gitops') }),
      createGitRepoStatusController(status('gitrepo')),
    ],
    helmop: () => [
      createHelmOpController({
        ...common('helmop'),
        versions: createChartVersions({ proxy: config.proxy }),
        certificates: createRancherCertificates({ client, informers }),
        events: recorder('fleet-helmops'),
        random: Math.random,
        systemNamespace: config.namespace,
      }),
      createHelmOpStatusController(status('helmop')),
    ],
    bundle: () => [
      createBundleController({
        ...common('bundle'),
        events: recorder('fleet-bundle-ctrl'),
        compileTemplate: compileValuesTemplate,
        registries,
      }),
    ],
    bundledeployment: () => [
      createDeploymentFinalizer(common('bundledeployment')),
      createBundleDeploymentDisplayController(status('bundledeployment')),
    ],
    clustergroup: () => [createClusterGroupStatusController(status('clustergroup'))],
    schedule: () => [
      createScheduleController({
        ...common('schedule'),
        handles: isOurs,
        localZone: Intl.DateTimeFormat().resolvedOptions().timeZone,
        events: recorder('fleet-schedule'),
      }),
    ],
    imagescan: () => {
      const scanning = { ...common('imagescan'), handles: isOurs, random: Math.random }
      return [
        createImageScanController({ ...scanning, registry: createImageRegistry(registries) }),
        createWriteBackController({ ...scanning, ...writeBackDeps(config, parts) }),
      ]
    },
    content: () => [createContentController(status('content'))],
    cleanup: () => [REGISTRATION_CONTROLLERS.cleanup(joining())],
  }
  return CONTROLLERS.filter((name) => config.controllers.has(name)).flatMap((name) => makers[name]())
}

function ofShard(shard: string): (object: KubeObject) => boolean {
  return ({ metadata }) => (metadata.labels?.[SHARD_REF_LABEL] ?? '') === shard
}

/** What listens on every replica. */
export function createListeners(config: ControllerConfig, { client, informers, log }: HubParts): Runnable[] {
  if (!config.webhooks) return []
  const common = { clock: systemClock, log: log.child({ part: 'webhooks' }) }
  const answer = createReceiver({ ...common, client, informers, systemNamespace: config.namespace })
  return [createWebhookListener({ ...common, ...config.webhooks, answer })]
}

/** The gauges of objects, which the leader alone shows: sums over replicas would count twice. */
export function createObjectMetrics({ controllers, shard }: ControllerConfig, { informers, metrics }: HubParts): Runnable[] {
  const kinds = new Set(METRIC_KINDS.filter((kind) => controllers.has(kind)))
  if (!metrics || kinds.size === 0) return []
  const caches = createStatusInformers(informers)
  return [
    {
      name: 'object metrics',
      async run(signal) {
        const remove = metrics.add(() => fleetMetrics(caches, kinds, ofShard(shard)))
        await untilAborted(signal)
        remove()
      },
    },
  ]
}

function gitRepoDeps(config: ControllerConfig, parts: HubParts) {
  const { client, informers, backend, charts, log, metrics } = parts
  const { namespace } = config
  const restrictions = createRestrictions(informers)
  const secrets = createSecretReader(client, informers.informer({ type: SECRET, metadataOnly: true }))
  const defaults = gitDefaults(config, parts)
  return {
    backend,
    publisher: createPublisher({
      client,
      bundles: informers.informer(publishedBundles),
      valuesSecrets: informers.informer(bundleSecrets),
      scans: config.imageScans ? informers.informer(publishedScans) : undefined,
      charts: chartSourceFor({ downloader: charts, secrets, caBundle: () => defaults.current().caBundle }),
      storage: contentStorage(config, parts),
      log,
    }),
    random: Math.random,
    tempDir: tmpdir(),
    pid: process.pid,
    systemNamespace: namespace,
    gitDefaults: defaults.current,
    gitDefaultsInformers: defaults.informers,
    authorize: restrictions.authorize,
    restrictions: restrictions.informers,
    counts: metrics?.git,
  }
}

/** How git servers are reached, where a GitRepo does not say. */
function gitDefaults(config: ControllerConfig, { client, informers, log }: HubParts) {
  const { namespace } = config
  const hubConfig = followHubConfig(hubConfigMaps(informers, namespace), { ...hubConfigMap(namespace), log })
  return createGitDefaults({
    client,
    informers,
    systemNamespace: namespace,
    settings: () => ({
      proxy: config.proxy,
      proxyCaBundle: config.proxyCaBundle,
      timeoutMs: hubConfig.current()?.gitClientTimeoutMs,
      insecureSkipHostKeyChecks: config.insecureSkipHostKeyChecks,
    }),
    log,
  })
}

/** New image versions come into repositories by the rights and ways by which these are read. */
function writeBackDeps(config: ControllerConfig, parts: HubParts) {
  const { authorize } = createRestrictions(parts.informers)
  return { backend: parts.backend, tempDir: tmpdir(), pid: process.pid, gitDefaults: gitDefaults(config, parts).current, authorize }
}

/** Where the configuration of the hub is, and which version of it is ours. */
function hubConfigMap(namespace: string) {
  return { namespace, name: CONTROLLER_CONFIG_NAME, version: VERSION, versionAnnotation: VERSION_ANNOTATION }
}

/** The same cache as that of registration. */
function hubConfigMaps(informers: InformerFactory, namespace: string) {
  const fieldSelector = `metadata.name=${CONTROLLER_CONFIG_NAME}`
  return informers.informer<ConfigMapObject>({ type: { apiVersion: 'v1', kind: 'ConfigMap' }, namespace, fieldSelector })
}

/** Where contents lie that do not lie in the cluster; undefined when that is switched off. */
function contentStorage({ ociStorage }: ControllerConfig, { client, informers, registries }: HubParts) {
  if (!ociStorage) return undefined
  const metadata = informers.informer({ type: SECRET, metadataOnly: true })
  const secrets = cachedStorageSecrets({ client, clock: systemClock, metadata, contents: informers.informer(ociSecrets) })
  return createContentStorage({ client, registries, secrets })
}

/** What the controllers of registration share: one status writer, so that none stumbles over what another has just written. */
function registrationDeps(config: ControllerConfig, { connection, client, informers: factory, log, metrics }: HubParts): RegistrationDeps {
  const { namespace: systemNamespace, agents, tokenTtlRequired, bootstrap } = config
  const informers = createRegistrationInformers(factory, systemNamespace)
  return {
    client,
    connection,
    informers,
    config: followHubConfig(informers.configMaps, { ...hubConfigMap(systemNamespace), log }),
    settings: { systemNamespace, version: VERSION, agent: agents, tokenTtlRequired, bootstrap },
    statuses: createStatusWriter(client),
    events: createEventRecorder(client, { component: 'fleet-agentmanagement', clock: systemClock, log }),
    log,
    clock: systemClock,
    workers: config.workers.registration,
    metrics,
    randomBytes,
  }
}
