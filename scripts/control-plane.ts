// `npm run control-plane`: builds or finds the programs of a test control plane and prints their folder as the last line of stdout.
import { ensureControlPlane } from './lib/control-plane/ensure.ts'

export { ensureControlPlane } from './lib/control-plane/ensure.ts'

if (import.meta.main) {
  try {
    console.log((await ensureControlPlane()).bin)
  } catch (error) {
    console.error(error instanceof Error ? error.message : error)
    process.exitCode = 1
  }
}
