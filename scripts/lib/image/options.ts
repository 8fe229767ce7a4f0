// What `npm run image` is asked for, and what the Containerfile says. Pure.
import { parseArgs } from 'node:util'

export interface ImageOptions {
  /** undefined: docker when its engine answers, else buildah */
  readonly tool: ToolName | undefined
  readonly tag: string
  /** build on Debian's packages and this checkout even when registries can be reached */
  readonly offlineBase: boolean
}

export type ToolName = 'docker' | 'buildah'

/** The stages of the Containerfile that become images, and the images' names. */
export const IMAGES = [
  { target: 'fleet', repository: 'fleet/fleet' },
  { target: 'fleet-agent', repository: 'fleet/fleet-agent' },
] as const
export type Target = (typeof IMAGES)[number]['target']

export const USAGE = `npm run image [-- OPTION …]: builds the images fleet/fleet and fleet/fleet-agent, and writes what is in them to dist/images/
  --tool docker|buildah  default: docker when its engine answers, else buildah
  --tag TAG              default: the version in package.json
  --offline-base         do not build from the base images of the Containerfile but from Debian's packages and what this checkout has built;
                         what happens by itself when no registry can be reached`

const TAG = /^[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}$/

/** @throws Error with one sentence for the user */
export function parseOptions(args: readonly string[], version: string): ImageOptions {
  const { values } = parseArgs({
    args: [...args],
    options: { tool: { type: 'string' }, tag: { type: 'string', default: version }, 'offline-base': { type: 'boolean', default: false } },
  })
  const { tool, tag, 'offline-base': offlineBase } = values
  if (tool !== undefined && tool !== 'docker' && tool !== 'buildah') throw new Error(`--tool is docker or buildah, not ${tool}`)
  if (!TAG.test(tag)) throw new Error(`--tag ${tag} is no tag: use letters, digits, "_", "." and "-"`)
  return { tool, tag, offlineBase }
}

/** The default of an ARG of the Containerfile. @throws Error when there is none */
export function defaultOf(containerfile: string, arg: string): string {
  const value = containerfile.match(new RegExp(`^ARG ${arg}=(\\S+)$`, 'm'))?.[1]
  if (value === undefined) throw new Error(`the Containerfile gives ARG ${arg} no default`)
  return value
}

/** What the Containerfile copies out of its stages, a row for each COPY. */
export function copiedFromStages(containerfile: string): { stage: string; paths: string[] }[] {
  const lines = [...containerfile.matchAll(/^COPY --from=(\S+) (.+)$/gm)]
  return lines.map(([, stage = '', rest = '']) => ({ stage, paths: rest.trim().split(/\s+/).slice(0, -1) }))
}

/** Host that an image is pulled from, as docker reads its name. */
export function registryOf(image: string): string {
  const [first = '', ...rest] = image.split('/')
  const named = rest.length > 0 && (/[.:]/.test(first) || first === 'localhost')
  return named && first !== 'docker.io' ? first : 'registry-1.docker.io'
}
