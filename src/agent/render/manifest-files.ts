// Which files of a bundle of plain manifests are deployed, and how (spec 7.2).
import { posix } from 'node:path'

/** Files of a bundle of plain manifests by what happens to them. */
export interface ManifestFiles {
  /** Below `templates/`: rendered by Helm although there is no chart. */
  templates: string[]
  /** Deployed as they are. */
  manifests: string[]
}

const MANIFEST = /\.(yaml|yml|json)$/
const BUNDLE_FILE = /(^|\/)fleet\.ya?ml$/

/** Chooses by name; folders that are bundles or charts of their own are left out, in the order of names. */
export function chooseManifests(names: readonly string[]): ManifestFiles {
  const foreign = names.filter(startsOther).map((name) => `${posix.dirname(name)}/`)
  const chosen = names
    .filter((name) => MANIFEST.test(name) && !isRootContentFile(name) && !foreign.some((folder) => name.startsWith(folder)))
    .sort()
  return { templates: chosen.filter(isTemplate), manifests: chosen.filter((name) => !isTemplate(name)) }
}

function startsOther(name: string): boolean {
  return name.includes('/') && (BUNDLE_FILE.test(name) || name.endsWith('/Chart.yaml'))
}

function isRootContentFile(name: string): boolean {
  return !name.includes('/') && BUNDLE_FILE.test(name)
}

function isTemplate(name: string): boolean {
  return name.startsWith('templates/')
}
