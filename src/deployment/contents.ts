// Where the files of a bundle are, and what they are called (spec 2.7 steps 4, 5, 7).
import { promisify } from 'node:util'
import { gzip } from 'node:zlib'
import type { Bundle } from '../api/bundle.ts'
import type { Content } from '../api/content.ts'
import { contentIdOf, encodeContent } from '../api/content-id.ts'
import { CONTENT } from '../api/kinds.ts'
import type { Clock } from '../lib/controller/clock.ts'
import { TerminalError } from '../lib/controller/errors.ts'
import type { KubeClient } from '../lib/kube/client.ts'
import { isAlreadyExists } from '../lib/kube/errors.ts'
import type { Informer, InformerOptions } from '../lib/kube/informer.ts'
import type { KubeObject } from '../lib/kube/types.ts'
import { parseStrictVersion } from '../lib/semver/version.ts'
import { createNewest } from './newest.ts'

/** `stored`: in a Content. `registry`: in an OCI registry. `chart`: the agent downloads a chart. */
export interface Contents {
  readonly kind: 'stored' | 'registry' | 'chart'
  /** First part of deployment ids; empty for charts. */
  readonly id: string
  /** Hash of stored contents, in hex. */
  readonly sha256?: string | undefined
}

/** The contents of a bundle. The hash in its status is taken over if it is about this generation. Throws TerminalError for a chart whose version is a range. */
export function contentsOf({ metadata, spec, status }: Bundle): Contents {
  if (spec.helmOpOptions) {
    checkChartVersion(spec.helm?.version ?? '')
    return { kind: 'chart', id: '' }
  }
  if (spec.contentsId) return { kind: 'registry', id: spec.contentsId }
  const known = status?.observedGeneration === metadata.generation ? status?.resourcesSha256Sum : undefined
  if (known) return { kind: 'stored', id: contentIdOf(known), sha256: known }
  const { id, sha256 } = encodeContent(spec.resources)
  return { kind: 'stored', id, sha256 }
}

function checkChartVersion(version: string): void {
  if (version === '' || parseStrictVersion(version.replace(/^v/, ''))) return
  throw new TerminalError(
    `chart version cannot be deployed; check HelmOp status for more details: ${JSON.stringify(version)} is no exact version`,
  )
}

/** Only the names of contents are cached, not what is in them. */
const contentNames: InformerOptions<KubeObject> = { type: CONTENT, metadataOnly: true }

export interface ContentStore {
  /** Its events tell which contents came and went. */
  readonly informer: Informer<KubeObject>
  /** Makes sure that the stored contents of a bundle exist. */
  ensure(bundle: Bundle, contents: Contents): Promise<void>
}

/** Stores contents once for all bundles that have the same. */
export function createContentStore(
  client: KubeClient,
  informers: { informer(options: InformerOptions<KubeObject>): Informer<KubeObject> },
  clock: Clock,
): ContentStore {
  const informer = informers.informer(contentNames)
  const newest = createNewest(informer, clock)
  const creating = new Map<string, Promise<void>>()

  async function create(bundle: Bundle, id: string): Promise<void> {
    const content = await newContent(bundle, id)
    try {
      const { apiVersion, kind, metadata } = await client.create(content)
      newest.wrote({ apiVersion, kind, metadata })
    } catch (error) {
      if (!isAlreadyExists(error)) throw error
    }
  }

  return {
    informer,
    async ensure(bundle, { kind, id }) {
      if (kind !== 'stored') return
      const known = newest.get(id)
      if (known && !known.metadata.deletionTimestamp) return
      const request = creating.get(id) ?? create(bundle, id).finally(() => creating.delete(id))
      creating.set(id, request)
      await request
    },
  }
}

/** Packed by a thread of the runtime: contents may have megabytes. */
async function newContent(bundle: Bundle, id: string): Promise<Content> {
  const { json, sha256 } = encodeContent(bundle.spec.resources)
  const packed = await promisify(gzip)(json)
  return { ...CONTENT, metadata: { name: id }, content: packed.toString('base64'), sha256sum: sha256 }
}
