// `npm run demo`: a hub and a downstream cluster on this machine, a git repository on loopback, and a GitRepo that follows it.
//   --once   also commits a change, waits until it has arrived, prints how long it took, and ends
import { ensureControlPlane } from './control-plane.ts'
import { buildIfNeeded } from './lib/build.ts'
import { runDemo } from './lib/demo/demo.ts'

const unknown = process.argv.slice(2).filter((arg) => arg !== '--once')
if (unknown.length > 0) {
  console.error(`npm run demo takes --once and nothing else, not ${unknown.join(' ')}`)
  process.exit(2)
}
const stop = new AbortController()
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => stop.abort())
try {
  await buildIfNeeded()
  const { bin } = await ensureControlPlane()
  await runDemo({ bin, once: process.argv.includes('--once'), signal: stop.signal })
} catch (error) {
  console.error(error instanceof Error ? error.message : error)
  process.exitCode = stop.signal.aborted ? 0 : 1
}
process.exit()
