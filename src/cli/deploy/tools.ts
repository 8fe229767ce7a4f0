// The programs that rendering and deploying need.
import type { RenderTools } from '../../agent/render/render.ts'
import type { CliConfig } from '../../config/cli.ts'
import { locate } from '../../lib/exec/locate.ts'
import { createSlots } from '../../lib/exec/slots.ts'
import { createHelm } from '../../lib/helm/helm.ts'

/** One deployment is rendered at a time. */
const CONCURRENCY = 2

/** helm and kubectl from the search path; `home` is a folder of this call alone. */
export async function renderTools({ helmBinary, kubectlBinary, searchPath, childEnv }: CliConfig, home: string): Promise<RenderTools> {
  const [helm, kubectl] = await Promise.all([locate(helmBinary, searchPath), locate(kubectlBinary, searchPath)])
  return {
    helm: createHelm({ binary: helm, home, env: childEnv, concurrency: CONCURRENCY }),
    kustomize: { binary: kubectl, home, slots: createSlots(CONCURRENCY) },
  }
}
