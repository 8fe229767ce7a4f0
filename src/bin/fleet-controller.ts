// fleet-controller: the hub. What it does stands in hub.ts, controller by controller.
import { hostname, tmpdir } from 'node:os'
import { CONTROLLER_USAGE, type ControllerConfig, controllerConfig } from '../config/controller.ts'
import { createLogger } from '../config/logger.ts'
import { GIT_WORKER_ENTRY } from '../config/version.ts'
import { createChartDownloader } from '../lib/charts/downloads.ts'
import { createManager } from '../lib/controller/manager.ts'
import { locate } from '../lib/exec/locate.ts'
import { chooseBackend } from '../lib/git/choose-backend.ts'
import { createGitWorkerBackend } from '../lib/git/worker-backend.ts'
import { createClient } from '../lib/kube/client.ts'
import { loadConnection } from '../lib/kube/connection.ts'
import { createInformerFactory } from '../lib/kube/informer.ts'
import { createRegistries } from '../lib/oci/registry.ts'
import { createControllers, createListeners, createObjectMetrics } from './hub.ts'
import { elect, serveProgram } from './parts.ts'
import { runProgram } from './program.ts'

async function run(config: ControllerConfig, signal: AbortSignal): Promise<void> {
  const log = createLogger('fleet-controller', config.debug)
  const { host: serviceHost, port: servicePort } = config.inCluster
  const connection = await loadConnection({ kubeconfig: config.kubeconfig, serviceHost, servicePort })
  const client = createClient(connection)
  const informers = createInformerFactory(client, { log })
  const waitingFor = new Set(['caches'])
  const servers = await serveProgram(config, () => [...waitingFor])
  const backend = chooseBackend({
    backend: createGitWorkerBackend({ log, workerEntry: GIT_WORKER_ENTRY }),
    searchPath: config.searchPath,
    tempDir: tmpdir(),
    warn: (repo, warning) => log.warn({ repo, warning }, 'git repository is read in part'),
  })
  const helm = (await locate(config.helmBinary, config.searchPath)) ?? config.helmBinary
  const charts = createChartDownloader({ helm, backend, proxy: config.proxy, tempDir: tmpdir(), pid: process.pid })
  const registries = createRegistries({ proxy: config.proxy })
  try {
    const parts = { connection, client, informers, backend, charts, registries, log, metrics: servers.metrics }
    const controllers = createControllers(config, parts)
    const runnables = [...createListeners(config, parts), ...createObjectMetrics(config, parts)]
    const leaderElection = elect(config, { connection, name: config.lease, log })
    await createManager({ informers: [informers], controllers, runnables, leaderElection, log, onSynced: () => waitingFor.clear() }).run(
      signal,
    )
  } finally {
    await Promise.all([servers.stop(), charts.close(), registries.close(), backend.close(), client.close()])
  }
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
