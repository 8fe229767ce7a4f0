// fleet-controller: the hub. The controllers stand in the order in which data travels through them.
import { hostname, tmpdir } from 'node:os'
import { SHARD_REF_LABEL } from '../api/labels.ts'
import { createPublisher, publishedBundles } from '../bundle/publish.ts'
import { CONTROLLER_USAGE, CONTROLLERS, type ControllerConfig, type ControllerName, controllerConfig } from '../config/controller.ts'
import { createLogger } from '../config/logger.ts'
import { IS_BUNDLED } from '../config/version.ts'
import { createBundleController } from '../deployment/bundle-controller.ts'
import { createDeploymentFinalizer } from '../deployment/finalize.ts'
import { bundleSecrets } from '../deployment/secrets.ts'
import { systemClock } from '../lib/controller/clock.ts'
import type { Controller } from '../lib/controller/controller.ts'
import { createEventRecorder } from '../lib/controller/events.ts'
import type { Logger } from '../lib/controller/log.ts'
import { createManager, type Runnable } from '../lib/controller/manager.ts'
import type { ControllerMetrics } from '../lib/controller/metrics.ts'
import type { GitBackend } from '../lib/git/types.ts'
import { createGitWorkerBackend } from '../lib/git/worker-backend.ts'
import { createClient, type KubeClient } from '../lib/kube/client.ts'
import { loadConnection } from '../lib/kube/connection.ts'
import { createInformerFactory, type InformerFactory } from '../lib/kube/informer.ts'
import type { KubeObject } from '../lib/kube/types.ts'
import { createGitRepoController } from '../source/git-repo-controller.ts'
import { createRestrictions } from '../source/restrictions.ts'
import { createWebhookListener } from '../source/webhooks/listener.ts'
import { createReceiver } from '../source/webhooks/receiver.ts'
import { createBundleDeploymentDisplayController } from '../status/bundle-deployment-display.ts'
import { createClusterGroupStatusController } from '../status/cluster-group-status.ts'
import { createClusterStatusController } from '../status/cluster-status.ts'
import { createContentController } from '../status/content-references.ts'
import { createGitRepoStatusController } from '../status/git-repo-status.ts'
import { createStatusInformers } from '../status/informers.ts'
import { elect, serveProgram } from './parts.ts'
import { runProgram } from './program.ts'
import { compileValuesTemplate } from './values-templates.ts'

async function run(config: ControllerConfig, signal: AbortSignal): Promise<void> {
  const log = createLogger('fleet-controller', config.debug)
  const { host: serviceHost, port: servicePort } = config.inCluster
  const connection = await loadConnection({ kubeconfig: config.kubeconfig, serviceHost, servicePort })
  const client = createClient(connection)
  const informers = createInformerFactory(client, { log })
  const servers = await serveProgram(config)
  const backend = createGitWorkerBackend({ log, ...(IS_BUNDLED ? { workerEntry: new URL(import.meta.url) } : {}) })
  try {
    const parts = { client, informers, backend, log, metrics: servers.metrics }
    const controllers = createControllers(config, parts)
    const runnables = createListeners(config, parts)
    const leaderElection = elect(config, { connection, name: config.lease, log })
    await createManager({ informers: [informers], controllers, runnables, leaderElection, log }).run(signal)
  } finally {
    await Promise.all([servers.stop(), backend.close(), client.close()])
  }
}

/** What all controllers are made with. */
interface Parts {
  readonly client: KubeClient
  readonly informers: InformerFactory
  readonly backend: GitBackend
  readonly log: Logger
  readonly metrics: ControllerMetrics | undefined
}

/** The controllers of this process. A controller that is not made asks for no cache. */
function createControllers(config: ControllerConfig, { client, informers, backend, log, metrics }: Parts): Controller[] {
  const { shard, proxy } = config
  const events = (component: string) =>
    createEventRecorder(client, { component: shard ? `${component}-${shard}` : component, clock: systemClock, log })
  const isOurs = ({ metadata }: KubeObject) => (metadata.labels?.[SHARD_REF_LABEL] ?? '') === shard
  const common = (name: ControllerName) => ({
    client,
    informers,
    log: log.child({ controller: name }),
    clock: systemClock,
    workers: config.workers[name],
    metrics,
    shard,
  })
  const status = (name: ControllerName) => ({ ...common(name), informers: createStatusInformers(informers), handles: isOurs })

  const makers: Record<ControllerName, () => Controller[]> = {
    gitrepo: () => {
      const publisher = createPublisher({
        client,
        bundles: informers.informer(publishedBundles),
        valuesSecrets: informers.informer(bundleSecrets),
        log,
      })
      const gitDefaults = () => ({ proxy: { http: proxy.http, https: proxy.https, none: proxy.none } })
      const restrictions = createRestrictions(informers)
      const source = {
        backend,
        publisher,
        events: events('fleet-gitops'),
        random: Math.random,
        tempDir: tmpdir(),
        pid: process.pid,
        systemNamespace: config.namespace,
        gitDefaults,
        authorize: restrictions.authorize,
        restrictions: restrictions.informers,
      }
      return [createGitRepoController({ ...common('gitrepo'), ...source }), createGitRepoStatusController(status('gitrepo'))]
    },
    bundle: () => [
      createBundleController({
        ...common('bundle'),
        events: events('fleet-bundle-ctrl'),
        compileTemplate: compileValuesTemplate,
      }),
    ],
    bundledeployment: () => [
      createDeploymentFinalizer(common('bundledeployment')),
      createBundleDeploymentDisplayController(status('bundledeployment')),
    ],
    cluster: () => [createClusterStatusController(status('cluster'))],
    clustergroup: () => [createClusterGroupStatusController(status('clustergroup'))],
    // reference counts must not miss a shard, so one process counts for all
    content: () => (shard ? [] : [createContentController(status('content'))]),
  }
  return CONTROLLERS.filter((name) => config.controllers.has(name)).flatMap((name) => makers[name]())
}

/** What listens on every replica. */
function createListeners(config: ControllerConfig, { client, informers, log }: Parts): Runnable[] {
  if (!config.webhooks) return []
  const common = { clock: systemClock, log: log.child({ part: 'webhooks' }) }
  const answer = createReceiver({ ...common, client, informers, systemNamespace: config.namespace })
  return [createWebhookListener({ ...common, ...config.webhooks, answer })]
}

await runProgram(
  {
    name: 'fleet-controller',
    usage: CONTROLLER_USAGE,
    configure: (args) => controllerConfig(args, process.env, { hostname: hostname(), pid: process.pid }),
    run,
  },
  process.argv.slice(2),
)
