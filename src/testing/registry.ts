// The registry of Debian's package docker-registry on 127.0.0.1, for tests: with a folder of its own, and whatever of TLS, accounts and tokens they ask for.
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { freePorts } from '../devcluster/ports.ts'
import { findProgram } from './find-program.ts'
import { createLocalCertificate, type LocalCertificate } from './local-certificate.ts'

/** The program; undefined if it, or openssl, is not installed: then tests skip. */
export const REGISTRY_PROGRAM = findProgram('openssl') && findProgram('docker-registry')

const START_LIMIT_MS = 60_000

/** Accounts of a guarded registry. There is no program here that makes such hashes, so they are fixed. */
export const PUSHER = { username: 'pusher', password: 'push-canary-1' }
export const PULLER = { username: 'puller', password: 'pull-canary-2' }
const HTPASSWD = `pusher:$2y$05$abcdefghijklmnopqrstuugVy7Iz0Z4paQMWve3Gv81Wq2oZAHeJ6
puller:$2y$05$abcdefghijklmnopqrstuuQAwH.VGTpV20o7woNzwxQoV78PeIf7q
`

export interface TestRegistryOptions {
  readonly tls?: boolean
  /** only for {@link PUSHER} and {@link PULLER} */
  readonly guarded?: boolean
  /** tokens are asked for at `realm`, signed by what is certified in `certificate` (PEM) */
  readonly tokens?: { readonly realm: string; readonly service: string; readonly issuer: string; readonly certificate: string }
  /** manifests may be deleted; default true */
  readonly deletes?: boolean
}

/** A registry that runs. */
export interface TestRegistry {
  /** `127.0.0.1:port` */
  readonly host: string
  /** the authority of its certificate; empty without TLS */
  readonly ca: string
  /** Ends the program; what was pushed stays. */
  down(): Promise<void>
  /** Starts it again at the same place. */
  up(): Promise<void>
  stop(): Promise<void>
}

/** Starts a registry; it has a port and a folder of its own. */
export async function startTestRegistry(options: TestRegistryOptions = {}): Promise<TestRegistry> {
  const dir = await mkdtemp(join(tmpdir(), 'registry-test-'))
  const certificate = options.tls ? await createLocalCertificate(dir) : undefined
  const host = `127.0.0.1:${(await freePorts(1))[0]}`
  await writeFile(join(dir, 'htpasswd'), HTPASSWD)
  if (options.tokens) await writeFile(join(dir, 'tokens.crt'), options.tokens.certificate)
  await writeFile(join(dir, 'config.yml'), JSON.stringify(configOf(dir, host, options, certificate)))
  let child: ChildProcess | undefined

  async function down(): Promise<void> {
    const running = child
    child = undefined
    if (!running || running.exitCode !== null || running.signalCode !== null) return
    const over = once(running, 'exit')
    running.kill('SIGKILL')
    await over
  }

  async function up(): Promise<void> {
    const started = spawn(REGISTRY_PROGRAM ?? '', ['serve', join(dir, 'config.yml')], { stdio: 'ignore', env: { PATH: process.env.PATH } })
    child = started
    const until = Date.now() + START_LIMIT_MS
    while (!(await answers(`http://${host}`))) {
      if (started.exitCode !== null || Date.now() > until) {
        await down()
        throw new Error(`the registry at ${host} does not start`)
      }
      await pause(50)
    }
  }

  await up()
  return {
    host,
    ca: certificate?.ca ?? '',
    down,
    up,
    async stop() {
      await down()
      await rm(dir, { recursive: true, force: true })
    },
  }
}

function configOf(dir: string, addr: string, options: TestRegistryOptions, certificate: LocalCertificate | undefined): object {
  const { tokens, guarded, deletes = true } = options
  return {
    version: '0.1',
    log: { level: 'error', accesslog: { disabled: true } },
    storage: { filesystem: { rootdirectory: join(dir, 'data') }, delete: { enabled: deletes } },
    http: { addr, ...(certificate ? { tls: { certificate: join(dir, 'tls.crt'), key: join(dir, 'tls.key') } } : {}) },
    ...(guarded ? { auth: { htpasswd: { realm: 'test', path: join(dir, 'htpasswd') } } } : {}),
    ...(tokens
      ? {
          auth: { token: { realm: tokens.realm, service: tokens.service, issuer: tokens.issuer, rootcertbundle: join(dir, 'tokens.crt') } },
        }
      : {}),
  }
}

/** Any answer counts: one with TLS tells those who come without that they are wrong. */
async function answers(url: string): Promise<boolean> {
  return fetch(url, { signal: AbortSignal.timeout(2_000) }).then(
    () => true,
    () => false,
  )
}
