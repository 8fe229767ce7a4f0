// A registry on 127.0.0.1 that knows the tags and digests of images, and nothing else of them: enough for whoever looks for new ones.
import { createHash } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { createServer as createHttp, type IncomingMessage, type ServerResponse } from 'node:http'
import { createServer as createHttps } from 'node:https'
import type { Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { freePorts } from '../devcluster/ports.ts'
import { createLocalCertificate } from './local-certificate.ts'

export interface ImageRegistryOptions {
  /** asks for this user and password */
  readonly auth?: { readonly username: string; readonly password: string }
  readonly tls?: boolean
}

export interface ImageRegistryServer {
  /** `127.0.0.1:port` */
  readonly host: string
  /** PEM of the authority that signed the certificate; empty without TLS */
  readonly ca: string
  /** methods and paths of the requests so far, refused ones left out */
  readonly seen: string[]
  /** Puts images under tags, in this order. What they hold does not matter: `content` makes one differ from another. */
  push(repository: string, tags: readonly string[], content?: string): void
  /** The digest that a push of this content has. */
  digest(repository: string, tag: string, content?: string): string
  down(): Promise<void>
  up(): Promise<void>
}

export async function startImageRegistry(options: ImageRegistryOptions = {}): Promise<ImageRegistryServer> {
  const dir = await mkdtemp(join(tmpdir(), 'image-registry-'))
  const tls = options.tls ? await createLocalCertificate(dir) : undefined
  await rm(dir, { recursive: true, force: true })
  const repositories = new Map<string, Map<string, string>>()
  const seen: string[] = []
  const sockets = new Set<Socket>()
  const [port = 0] = await freePorts(1) // nobody else is given it while the server is away

  function handle(request: IncomingMessage, response: ServerResponse): void {
    const { pathname } = new URL(request.url ?? '/', 'http://registry')
    const wanted = options.auth && `Basic ${Buffer.from(`${options.auth.username}:${options.auth.password}`).toString('base64')}`
    if (wanted && request.headers.authorization !== wanted) {
      response.writeHead(401, { 'www-authenticate': 'Basic realm="test"' }).end()
      return
    }
    seen.push(`${request.method} ${pathname}`)
    const list = /^\/v2\/(.+)\/tags\/list$/.exec(pathname)
    const manifest = /^\/v2\/(.+)\/manifests\/([^/]+)$/.exec(pathname)
    const tags = repositories.get(list?.[1] ?? manifest?.[1] ?? '')
    const digest = tags?.get(manifest?.[2] ?? '')
    if (list && tags) response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify({ tags: [...tags.keys()] }))
    else if (digest) response.writeHead(200, { 'docker-content-digest': digest }).end()
    else response.writeHead(404).end('{"errors":[{"code":"NAME_UNKNOWN"}]}')
  }

  const server = tls ? createHttps({ cert: tls.cert, key: tls.key }, handle) : createHttp(handle)
  server.on('connection', (socket: Socket) => {
    sockets.add(socket)
    socket.on('close', () => sockets.delete(socket))
  })

  async function up(): Promise<void> {
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject)
      server.listen(port, '127.0.0.1', resolve)
    })
  }

  async function down(): Promise<void> {
    if (!server.listening) return
    const closed = new Promise<void>((resolve) => server.close(() => resolve()))
    for (const socket of sockets) socket.destroy()
    await closed
  }

  await up()
  return {
    host: `127.0.0.1:${port}`,
    ca: tls?.ca ?? '',
    seen,
    push(repository, tags, content = '') {
      const known = repositories.get(repository) ?? new Map<string, string>()
      for (const tag of tags) known.set(tag, digestOf(repository, tag, content))
      repositories.set(repository, known)
    },
    digest: (repository, tag, content = '') => digestOf(repository, tag, content),
    down,
    up,
  }
}

function digestOf(repository: string, tag: string, content: string): string {
  return `sha256:${createHash('sha256').update(`${repository}:${tag} ${content}`).digest('hex')}`
}
