// A chart repository and an OCI registry on 127.0.0.1: charts are packed in memory, and the server can be told to fail. Needs openssl for TLS.
import { createHash } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { createServer as createHttp, type IncomingMessage, type ServerResponse } from 'node:http'
import { createServer as createHttps } from 'node:https'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { pack } from 'tar-stream'
import { stringifyYaml } from '../lib/yaml/stringify.ts'
import { createLocalCertificate } from './local-certificate.ts'

export interface ChartServerOptions {
  /** Asks for this user and password. */
  readonly auth?: { readonly username: string; readonly password: string } | undefined
  /** Serves https with a certificate for 127.0.0.1. */
  readonly tls?: boolean | undefined
}

/** A request the server got. */
export interface SeenChartRequest {
  readonly path: string
  readonly authorization: string | undefined
}

/** What else an index says of a version. */
export interface PublishOptions {
  /** address of the archive; relative to the repository by default */
  readonly url?: string
  readonly digest?: string
}

export interface ChartServer {
  readonly url: string
  /** PEM of the authority that signed the server's certificate; empty without TLS. */
  readonly ca: string
  readonly seen: SeenChartRequest[]
  /** Address of a repository. */
  repository(name: string): string
  /** Adds a version to the index of a repository; it has a Chart.yaml unless `files` has one. Returns the address of the archive. */
  publish(
    repository: string,
    name: string,
    version: string,
    files?: Readonly<Record<string, string>>,
    options?: PublishOptions,
  ): Promise<string>
  /** Adds a version to the registry as `oci://host/<repository>/<name>`, and returns that address. */
  push(repository: string, name: string, version: string, files?: Readonly<Record<string, string>>): Promise<string>
  /** Answers a path with these bytes. */
  serve(path: string, body: Buffer | string): string
  /** Answers a path in a way of its own. */
  handle(path: string, handler: (request: IncomingMessage, response: ServerResponse) => void): string
  stop(): Promise<void>
}

/** An archive of files as helm packs them. */
export async function packFiles(files: Readonly<Record<string, string | { link: string }>>): Promise<Buffer> {
  const tar = pack()
  for (const [name, content] of Object.entries(files)) {
    if (typeof content === 'string') tar.entry({ name }, content)
    else tar.entry({ name, type: 'symlink', linkname: content.link })
  }
  tar.finalize()
  const chunks: Buffer[] = []
  for await (const chunk of tar as unknown as AsyncIterable<Buffer>) chunks.push(chunk)
  return gzipSync(Buffer.concat(chunks))
}

export async function startChartServer(options: ChartServerOptions = {}): Promise<ChartServer> {
  const dir = await mkdtemp(join(tmpdir(), 'chart-server-'))
  const tls = options.tls ? await createLocalCertificate(dir) : undefined
  await rm(dir, { recursive: true })
  const indexes = new Map<string, Record<string, object[]>>()
  const handlers = new Map<string, (request: IncomingMessage, response: ServerResponse) => void>()
  const seen: SeenChartRequest[] = []
  const tags = new Map<string, string[]>()

  function listener(request: IncomingMessage, response: ServerResponse): void {
    const path = new URL(request.url ?? '/', 'http://server').pathname
    seen.push({ path, authorization: request.headers.authorization })
    const { auth } = options
    if (auth && request.headers.authorization !== `Basic ${Buffer.from(`${auth.username}:${auth.password}`).toString('base64')}`) {
      response.writeHead(401, { 'www-authenticate': 'Basic realm="test"' }).end('authentication required\n')
      return
    }
    const handler = handlers.get(path)
    if (handler) handler(request, response)
    else response.writeHead(path === '/v2/' ? 200 : 404).end('no such file\n')
  }

  const server = tls ? createHttps({ cert: tls.cert, key: tls.key }, listener) : createHttp(listener)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const host = `127.0.0.1:${(server.address() as AddressInfo).port}`
  const url = `${tls ? 'https' : 'http'}://${host}`

  function handle(path: string, handler: (request: IncomingMessage, response: ServerResponse) => void): string {
    handlers.set(path, handler)
    return `${url}${path}`
  }

  function serve(path: string, body: Buffer | string, type = 'application/octet-stream'): string {
    return handle(path, (_request, response) => void response.writeHead(200, { 'content-type': type }).end(body))
  }

  function chart(name: string, version: string, files: Readonly<Record<string, string>>): Promise<Buffer> {
    const all = { 'Chart.yaml': `apiVersion: v2\nname: ${name}\nversion: ${version}\n`, ...files }
    return packFiles(Object.fromEntries(Object.entries(all).map(([path, content]) => [`${name}/${path}`, content])))
  }

  return {
    url,
    ca: tls?.ca ?? '',
    seen,
    serve,
    handle,
    repository: (name) => `${url}/${name}`,
    async publish(repository, name, version, files = {}, { url: address, digest } = {}) {
      const file = `${name}-${version}.tgz`
      const archive = await chart(name, version, files)
      const index = indexes.get(repository) ?? {}
      const entry = { name, version, urls: [address ?? file], digest: digest ?? sha256(archive) }
      index[name] = [entry, ...(index[name] ?? [])]
      indexes.set(repository, index)
      serve(`/${repository}/index.yaml`, stringifyYaml({ apiVersion: 'v1', entries: index, generated: '2025-01-01T00:00:00Z' }))
      return serve(`/${repository}/${file}`, archive)
    },
    async push(repository, name, version, files = {}) {
      const at = `/v2/${repository}/${name}`
      const archive = await chart(name, version, files)
      const config = Buffer.from(JSON.stringify({ apiVersion: 'v2', name, version }))
      const describe = (mediaType: string, blob: Buffer) => ({ mediaType, digest: `sha256:${sha256(blob)}`, size: blob.length })
      const manifest = Buffer.from(
        JSON.stringify({
          schemaVersion: 2,
          mediaType: MANIFEST,
          config: describe('application/vnd.cncf.helm.config.v1+json', config),
          layers: [describe('application/vnd.cncf.helm.chart.content.v1.tar+gzip', archive)],
        }),
      )
      for (const blob of [archive, config]) serve(`${at}/blobs/sha256:${sha256(blob)}`, blob)
      for (const reference of [version, `sha256:${sha256(manifest)}`]) serveManifest(`${at}/manifests/${reference}`, manifest)
      tags.set(at, [...(tags.get(at) ?? []), version])
      serve(`${at}/tags/list`, JSON.stringify({ name: `${repository}/${name}`, tags: tags.get(at) }), 'application/json')
      return `oci://${host}/${repository}/${name}`
    },
    async stop() {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()))
      server.closeAllConnections()
      await closed
    },
  }

  function serveManifest(path: string, manifest: Buffer): void {
    handle(path, (_request, response) => {
      const headers = { 'content-type': MANIFEST, 'docker-content-digest': `sha256:${sha256(manifest)}`, 'content-length': manifest.length }
      response.writeHead(200, headers).end(manifest)
    })
  }
}

const MANIFEST = 'application/vnd.oci.image.manifest.v1+json'

function sha256(data: Buffer): string {
  return createHash('sha256').update(data).digest('hex')
}
