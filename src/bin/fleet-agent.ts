// fleet-agent: finds its hub, follows its BundleDeployments there and deploys them in its own cluster.
import { availableParallelism, hostname, tmpdir } from 'node:os'
import { startAgent } from '../agent/agent.ts'
import { AGENT_USAGE, type AgentProgramConfig, agentConfig } from '../config/agent.ts'
import { createLogger } from '../config/logger.ts'
import { systemClock } from '../lib/controller/clock.ts'
import { loadConnection } from '../lib/kube/connection.ts'
import { elect, serveProgram } from './parts.ts'
import { runProgram } from './program.ts'

async function run(config: AgentProgramConfig, signal: AbortSignal): Promise<void> {
  const log = createLogger('fleet-agent', config.debug)
  const { host: serviceHost, port: servicePort } = config.inCluster
  const connection = await loadConnection({ kubeconfig: config.kubeconfig, serviceHost, servicePort })
  const servers = await serveProgram(config)
  try {
    const leaderElection = elect(config, { connection, name: 'fleet-agent', log })
    await startAgent(config, { connection, log, clock: systemClock, random: Math.random, metrics: servers.metrics, leaderElection }, signal)
  } finally {
    await servers.stop()
  }
}

await runProgram(
  {
    name: 'fleet-agent',
    usage: AGENT_USAGE,
    configure: (args) =>
      agentConfig(args, process.env, { hostname: hostname(), pid: process.pid, cpus: availableParallelism(), tempDir: tmpdir() }),
    run,
  },
  process.argv.slice(2),
)
