// `npm run build`: dist/fleet.mjs, started as dist/fleet-controller, dist/fleet-agent or dist/fleet.
import { buildPrograms } from './lib/build.ts'

const started = Date.now()
await buildPrograms()
console.log(`built dist/fleet-controller, dist/fleet-agent and dist/fleet in ${((Date.now() - started) / 1000).toFixed(1)} s`)
