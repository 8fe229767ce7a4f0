// Helm's own storage: a release revision is a Secret whose `release` key holds base64(gzip(JSON)).

import { gunzipSync, gzipSync } from 'node:zlib'
import type { KubeObject } from '../kube/types.ts'

/** Selects all release Secrets. */
export const RELEASE_SELECTOR = 'owner=helm'

/** How the objects of a revision were written: server-side apply or by the client. */
export type ApplyMethod = 'ssa' | 'csa'

/** States of a revision, as Helm writes them. */
export type ReleaseState =
  | 'unknown'
  | 'deployed'
  | 'uninstalled'
  | 'superseded'
  | 'failed'
  | 'uninstalling'
  | 'pending-install'
  | 'pending-upgrade'
  | 'pending-rollback'

/** `Chart.yaml` of the chart of a release. */
export interface ChartMetadata {
  name?: string
  version?: string
  annotations?: Record<string, string> | null
  [field: string]: unknown
}

/** A revision as it is stored. Only what is read here is named; encoding keeps the rest. */
export interface HelmRelease {
  name: string
  namespace: string
  version: number
  info: { status: ReleaseState; description?: string; [field: string]: unknown }
  chart?: { metadata?: ChartMetadata | null; [field: string]: unknown } | null
  config?: Record<string, unknown> | null
  /** YAML documents without hooks. */
  manifest?: string
  hooks?: unknown[] | null
  apply_method?: string
  [field: string]: unknown
}

/** A release Secret as the API returns it (data in base64). */
export interface ReleaseSecret extends KubeObject {
  type?: string
  data?: Record<string, string>
}

/** Largest decoded revision that is read; a Secret holds 1 MiB, which gzip can blow up a thousandfold. */
const MAX_RELEASE_BYTES = 64 * 2 ** 20
const GZIP_MAGIC = 0x1f8b

/** `sh.helm.release.v1.NAME.vN` */
export function releaseSecretName(release: string, version: number): string {
  return `sh.helm.release.v1.${release}.v${version}`
}

/** The revision a Secret holds. Throws if it holds none, naming the Secret. */
export function decodeRelease(secret: ReleaseSecret): HelmRelease {
  const { namespace, name } = secret.metadata
  try {
    return parse(Buffer.from(secret.data?.release ?? '', 'base64').toString('latin1'))
  } catch (error) {
    throw new Error(`secret ${namespace}/${name} does not hold a Helm release: ${(error as Error).message}`, { cause: error })
  }
}

function parse(encoded: string): HelmRelease {
  const bytes = Buffer.from(encoded, 'base64')
  const json = bytes.length > 2 && bytes.readUInt16BE(0) === GZIP_MAGIC ? gunzipSync(bytes, { maxOutputLength: MAX_RELEASE_BYTES }) : bytes
  const release = JSON.parse(json.toString('utf8')) as Partial<HelmRelease> | null
  if (!release?.name || typeof release.version !== 'number' || !release.info) throw new Error('name, version or info are missing')
  return release as HelmRelease
}

/** The value of `data.release` (base64, as the API wants it) for a revision. */
export function encodeRelease(release: HelmRelease): string {
  return Buffer.from(gzipSync(JSON.stringify(release), { level: 9 }).toString('base64')).toString('base64')
}
