// A server that gives tokens for registries, as their protocol asks for it: who may do what is decided by the test. Needs openssl.
import { randomUUID, sign } from 'node:crypto'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createLocalCertificate } from './local-certificate.ts'

interface SeenRequest {
  readonly scope: readonly string[]
  readonly authorization: string | undefined
}

export interface TokenServer {
  readonly realm: string
  readonly service: string
  readonly issuer: string
  /** What the registry verifies tokens with; PEM. */
  readonly certificate: string
  readonly seen: SeenRequest[]
  /** Seconds that tokens are said to be good for. */
  life: number
  stop(): Promise<void>
}

/** `accounts`: what each user (as `name:password`, empty for nobody) may do. */
export async function startTokenServer(accounts: Readonly<Record<string, readonly string[]>>): Promise<TokenServer> {
  const dir = await mkdtemp(join(tmpdir(), 'token-test-'))
  const { ca, cert, key } = await createLocalCertificate(dir)
  await rm(dir, { recursive: true })
  const [service, issuer] = ['test-registry', 'test-issuer']
  const seen: SeenRequest[] = []
  const server = createServer((request, response) => {
    const scope = new URL(request.url ?? '/', 'http://x').searchParams.getAll('scope')
    const { authorization } = request.headers
    seen.push({ scope, authorization })
    const account = Buffer.from(authorization?.split(' ')[1] ?? '', 'base64').toString()
    const allowed = accounts[account]
    if (!allowed) return void response.writeHead(401).end()
    const access = scope.map((one) => {
      const [type = '', name = '', actions = ''] = one.split(':')
      return { type, name, actions: actions.split(',').filter((action) => allowed.includes(action)) }
    })
    const now = Math.floor(Date.now() / 1_000)
    const claims = { iss: issuer, sub: 'test', aud: service, exp: now + 600, nbf: now - 60, iat: now, jti: randomUUID(), access }
    response.writeHead(200, { 'content-type': 'application/json' })
    response.end(JSON.stringify({ token: jwt(claims, cert, key), expires_in: handle.life }))
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const handle: TokenServer = {
    realm: `http://127.0.0.1:${(server.address() as AddressInfo).port}/token`,
    service,
    issuer,
    certificate: ca,
    seen,
    life: 300,
    async stop() {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
  return handle
}

function jwt(claims: object, cert: string, key: string): string {
  const der = cert.replace(/-----[A-Z ]+-----|\s/g, '')
  const encode = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url')
  const signed = `${encode({ typ: 'JWT', alg: 'ES256', x5c: [der] })}.${encode(claims)}`
  return `${signed}.${sign('sha256', Buffer.from(signed), { key, dsaEncoding: 'ieee-p1363' }).toString('base64url')}`
}
