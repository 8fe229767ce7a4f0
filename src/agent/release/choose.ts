// Which engine deploys a bundle.
import type { Rendered } from '../render/render.ts'
import type { DeployRequest, ReleaseSettings } from './engine.ts'

/**
 * Who keeps releases:
 * - `auto`: the native engine for plain manifests and kustomizations that need nothing of Helm, helm for the rest
 * - `native`: the native engine for charts, too; helm only for what needs it
 * - `helm`: helm for everything
 */
export type EngineChoice = 'auto' | 'native' | 'helm'

/** The engine for a bundle: whatever asks for hooks, waiting, undoing or a folder of definitions is Helm's. */
export function chooseEngine(
  { rendered, settings }: Pick<DeployRequest, 'rendered' | 'settings'>,
  choice: EngineChoice,
): 'native' | 'helm' {
  if (choice === 'helm' || needsHelm(rendered, settings)) return 'helm'
  return choice === 'native' || rendered.style.chart === undefined ? 'native' : 'helm'
}

function needsHelm({ hooks, definitions, manifests }: Rendered, { atomic, timeoutSeconds }: ReleaseSettings): boolean {
  if (hooks.length > 0 || definitions.trim() !== '' || atomic || timeoutSeconds > 0) return true
  return manifests.some(({ metadata }) => !metadata.name) // a name that the server makes up
}
