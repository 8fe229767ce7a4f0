// A git server on 127.0.0.1: real bare repositories in a temporary folder, served over smart HTTP(S) by `git http-backend`. Needs git, and openssl for TLS.
import { spawn } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { createServer as createHttp, type IncomingMessage, type ServerResponse } from 'node:http'
import { createServer as createHttps } from 'node:https'
import type { Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { freePorts } from '../devcluster/ports.ts'
import { createTestRepository, type FileMap, GIT_ENVIRONMENT, type TestRepository } from './git-repository.ts'
import { createLocalCertificate } from './local-certificate.ts'

export interface GitServerOptions {
  /** Asks for this user and password. */
  readonly auth?: { readonly username: string; readonly password: string } | undefined
  /** Serves https with a certificate for 127.0.0.1 and localhost. */
  readonly tls?: boolean | undefined
}

/** A request the server got. */
export interface SeenRequest {
  readonly method: string
  /** Path and query. */
  readonly path: string
  readonly authorization: string | undefined
  readonly atMs: number
}

/** What goes wrong with requests. */
export interface GitFault {
  /** Answers with this status. */
  readonly status?: number
  readonly headers?: Readonly<Record<string, string>>
  /** Answers status 200 (or `status`) with this text. */
  readonly body?: string
  /** Never answers. */
  readonly hang?: boolean
  /** Only requests whose path and query match. */
  readonly only?: RegExp
  /** Passes this many bytes of the answer on, then cuts the connection. */
  readonly cutAfterBytes?: number
  /** Passes the first bytes on, then says nothing more. */
  readonly stallAfterBytes?: number
}

/** A test repository and what the server knows of it. */
export interface ServedRepository extends TestRepository {
  /** Ends in `.git`. */
  readonly url: string
  requests(): readonly SeenRequest[]
  /** From now on requests for this repository fail; undefined: no longer. */
  fault(fault: GitFault | undefined): void
}

export interface GitServer {
  readonly url: string
  /** PEM of the authority that signed the server's certificate; empty without TLS. */
  readonly ca: string
  auth: GitServerOptions['auth']
  readonly seen: readonly SeenRequest[]
  /** A new repository with one first commit on `branch` (default master). */
  repository(name: string, files?: FileMap, options?: { branch?: string; anyCommit?: boolean }): Promise<ServedRepository>
  /** Closes the port and all connections. */
  goAway(): Promise<void>
  /** Listens again on the same port. */
  comeBack(): Promise<void>
  stop(): Promise<void>
}

export async function startGitServer(options: GitServerOptions = {}): Promise<GitServer> {
  const dir = await mkdtemp(join(tmpdir(), 'git-server-'))
  const tls = options.tls ? await createLocalCertificate(dir) : undefined
  const seen: SeenRequest[] = []
  const faults = new Map<string, GitFault>()
  const sockets = new Set<Socket>()
  let auth = options.auth
  const [port = 0] = await freePorts(1) // nobody else is given it while the server is away

  function handle(request: IncomingMessage, response: ServerResponse): void {
    const path = request.url ?? '/'
    seen.push({ method: request.method ?? 'GET', path, authorization: request.headers.authorization, atMs: Date.now() })
    const fault = faults.get(path.split('/')[1] ?? '')
    const active = fault && (fault.only?.test(path) ?? true) ? fault : undefined
    if (active?.hang) return
    if (active?.status !== undefined || active?.body !== undefined) {
      response.writeHead(active.status ?? 200, { ...active.headers }).end(active.body ?? 'made to fail\n')
      return
    }
    if (auth && request.headers.authorization !== basic(auth)) {
      response.writeHead(401, { 'www-authenticate': 'Basic realm="test"' }).end('authentication required\n')
      return
    }
    serve(dir, request, response, active)
  }

  const server = tls ? createHttps({ cert: tls.cert, key: tls.key }, handle) : createHttp(handle)
  server.on('connection', (socket: Socket) => {
    sockets.add(socket)
    socket.on('close', () => sockets.delete(socket))
  })

  async function comeBack(): Promise<void> {
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject)
      server.listen(port, '127.0.0.1', resolve)
    })
  }

  async function goAway(): Promise<void> {
    if (!server.listening) return
    const closed = new Promise<void>((resolve) => server.close(() => resolve()))
    for (const socket of sockets) socket.destroy()
    await closed
  }

  await comeBack()
  const url = `${tls ? 'https' : 'http'}://127.0.0.1:${port}`
  return {
    url,
    ca: tls?.ca ?? '',
    seen,
    get auth() {
      return auth
    },
    set auth(value) {
      auth = value
    },
    async repository(name, files = {}, { branch = 'master', anyCommit = true } = {}) {
      const repository = await createTestRepository(join(dir, `${name}.git`), { branch, anyCommit })
      await repository.commit(files, { branch })
      return {
        ...repository,
        url: `${url}/${name}.git`,
        requests: () => seen.filter((request) => request.path.startsWith(`/${name}.git/`)),
        fault: (fault) => {
          if (fault) faults.set(`${name}.git`, fault)
          else faults.delete(`${name}.git`)
        },
      }
    },
    goAway,
    comeBack,
    async stop() {
      await goAway()
      await rm(dir, { recursive: true, force: true, maxRetries: 3 })
    },
  }
}

/** The common gateway interface of `git http-backend`. */
function serve(root: string, request: IncomingMessage, response: ServerResponse, fault: GitFault | undefined): void {
  const url = new URL(request.url ?? '/', 'http://git')
  const header = (name: string): string => String(request.headers[name] ?? '')
  const child = spawn('git', ['http-backend'], {
    stdio: ['pipe', 'pipe', 'ignore'],
    env: {
      ...GIT_ENVIRONMENT,
      GIT_PROJECT_ROOT: root,
      GIT_HTTP_EXPORT_ALL: '1',
      PATH_INFO: decodeURIComponent(url.pathname),
      QUERY_STRING: url.search.slice(1),
      REQUEST_METHOD: request.method ?? 'GET',
      CONTENT_TYPE: header('content-type'),
      HTTP_CONTENT_ENCODING: header('content-encoding'),
      GIT_PROTOCOL: header('git-protocol'),
      ...(header('content-length') ? { CONTENT_LENGTH: header('content-length') } : {}),
    },
  })
  const chunks: Buffer[] = []
  request.pipe(child.stdin)
  child.stdin.on('error', () => {}) // it may end before it read everything
  child.on('error', () => response.writeHead(500).end())
  child.stdout.on('data', (chunk: Buffer) => chunks.push(chunk))
  child.stdout.on('end', () => answer(response, Buffer.concat(chunks), fault))
}

function answer(response: ServerResponse, output: Buffer, fault: GitFault | undefined): void {
  const split = output.indexOf('\r\n\r\n')
  if (response.destroyed || response.headersSent) return
  if (split < 0) {
    response.writeHead(500).end()
    return
  }
  const headers = output
    .toString('utf8', 0, split)
    .split('\r\n')
    .map((line): [string, string] => [line.slice(0, line.indexOf(':')).toLowerCase(), line.slice(line.indexOf(':') + 1).trim()])
  const status = Number.parseInt(headers.find(([name]) => name === 'status')?.[1] ?? '200', 10)
  const body = output.subarray(split + 4)
  response.writeHead(status, Object.fromEntries(headers.filter(([name]) => name !== 'status')))
  const keep = fault?.cutAfterBytes ?? fault?.stallAfterBytes
  if (keep === undefined) response.end(body)
  else response.write(body.subarray(0, keep), () => fault?.cutAfterBytes !== undefined && response.destroy())
}

function basic({ username, password }: { username: string; password: string }): string {
  return `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`
}
