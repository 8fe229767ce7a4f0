// The file that is started: runs the program under whose name it was.
import { enableCompileCache } from 'node:module'
import { basename } from 'node:path'

enableCompileCache()

/** Program → its module; imported when it is the one, so that a program does not load the others. */
const PROGRAMS: Readonly<Record<string, () => Promise<unknown>>> = {
  'fleet-controller': () => import('./fleet-controller.ts'),
  'fleet-agent': () => import('./fleet-agent.ts'),
  fleet: () => import('./fleet.ts'),
}

/** What Deployments of upstream call the programs. */
const UPSTREAM_NAMES: Readonly<Record<string, string>> = { fleetcontroller: 'fleet-controller', fleetagent: 'fleet-agent' }

async function main(): Promise<void> {
  const name = basename(process.argv[1] ?? '')
  const program = PROGRAMS[UPSTREAM_NAMES[name] ?? name]
  if (program) return void (await program())
  process.stderr.write(`this file is started as one of: ${Object.keys(PROGRAMS).join(', ')}; it was started as ${name}\n`)
  process.exitCode = 2
}

await main()
