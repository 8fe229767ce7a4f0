// Which of the programs that build images is used.
import { hasDocker } from '../control-plane/look.ts'
import { createBuildah, type Storage } from './buildah.ts'
import { isInstalled } from './command.ts'
import { createDocker } from './docker.ts'
import type { Engine } from './engine.ts'
import type { ToolName } from './options.ts'

/**
 * The program that was asked for, or the first that works.
 * @param storage where buildah keeps images; default: where its user keeps them
 * @throws Error that says what to install
 */
export async function findEngine(wanted: ToolName | undefined, storage?: Storage): Promise<Engine> {
  if (wanted !== 'buildah' && (await hasDocker())) return createDocker()
  if (wanted === 'docker') throw new Error('no Docker engine answers: start it, or use --tool buildah')
  if (await isInstalled('buildah')) return createBuildah(storage)
  throw new Error('images are built by Docker or buildah, and neither is here: install one of them (Debian: apt-get install buildah)')
}
