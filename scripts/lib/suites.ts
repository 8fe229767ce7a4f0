// Where the conformance suites lie, if they are checked out beside the repository: tests read vectors and recordings from there.
import { join } from 'node:path'
import { ROOT } from './run.ts'

const SUITES = join(ROOT, '..', 'shared')

/** Environment variable → folder; what is set already stays. */
export function suiteFolders(env: NodeJS.ProcessEnv): Record<'VECTORS' | 'FLEET_FIXTURES', string> {
  return {
    VECTORS: env.VECTORS ?? join(SUITES, 'conformance', 'vectors'),
    FLEET_FIXTURES: env.FLEET_FIXTURES ?? join(SUITES, 'fixtures'),
  }
}
