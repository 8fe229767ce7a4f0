// A real sshd on 127.0.0.1 with keys of its own, in which the user who runs the tests logs in and runs git. Needs sshd, ssh-keygen and git.
import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { connect } from 'node:net'
import { tmpdir, userInfo } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { freePorts } from '../devcluster/ports.ts'
import { eventually } from './eventually.ts'

const run = promisify(execFile)
const SSHD = ['/usr/sbin/sshd', '/usr/local/sbin/sshd', '/sbin/sshd'].find((path) => existsSync(path))
/** An sshd of root insists on this folder; that of other users does not. */
const PRIVILEGE_FOLDER = '/run/sshd'

/** Why there can be no server here; undefined if there can. */
export const SSH_SERVER_PROBLEM: string | undefined = SSHD ? undefined : 'sshd is not installed (Debian: openssh-server)'

type KeyName = 'ed25519' | 'rsa' | 'ecdsa'

export interface SshServer {
  readonly user: string
  readonly port: number
  /** Private keys that may log in. */
  readonly keys: Readonly<Record<KeyName, string>>
  /** A private key that may not. */
  readonly strangerKey: string
  /** Line of known_hosts with the server's key. */
  readonly knownHosts: string
  /** Public key of the authority that signed the server's certificate, as `type base64`. */
  readonly authority: string
  /** Address of a bare repository on this machine. */
  url(dir: string): string
  stop(): Promise<void>
}

interface SshServerOptions {
  /** The server lets clients choose the version of git's protocol, as hosting services do; default true. */
  readonly acceptsProtocol?: boolean
  /** The server shows a certificate for these names besides its key. */
  readonly certifiedFor?: readonly string[]
}

export async function startSshServer({ acceptsProtocol = true, certifiedFor }: SshServerOptions = {}): Promise<SshServer> {
  if (!SSHD) throw new Error(SSH_SERVER_PROBLEM)
  const dir = await mkdtemp(join(tmpdir(), 'ssh-server-'))
  const path = (name: string): string => join(dir, name)
  const makeKey = (name: string, type: string, ...more: string[]) =>
    run('ssh-keygen', ['-q', '-t', type, ...more, '-N', '', '-C', name, '-f', path(name)])
  await Promise.all([
    makeKey('host', 'ed25519'),
    makeKey('authority', 'ed25519'),
    makeKey('stranger', 'ed25519'),
    makeKey('ed25519', 'ed25519'),
    makeKey('rsa', 'rsa', '-b', '2048'),
    makeKey('ecdsa', 'ecdsa', '-b', '256'),
  ])
  const read = (name: string): Promise<string> => readFile(path(name), 'utf8')
  const [ed25519, rsa, ecdsa, strangerKey] = await Promise.all(['ed25519', 'rsa', 'ecdsa', 'stranger'].map(read))
  const allowed = await Promise.all(['ed25519.pub', 'rsa.pub', 'ecdsa.pub'].map(read))
  await writeFile(path('allowed'), allowed.join(''), { mode: 0o600 })
  if (certifiedFor)
    await run('ssh-keygen', ['-q', '-s', path('authority'), '-I', 'test', '-h', '-n', certifiedFor.join(','), path('host.pub')])
  const [port = 0] = await freePorts(1)
  const config = [
    `Port ${port}`,
    'ListenAddress 127.0.0.1',
    `HostKey ${path('host')}`,
    ...(certifiedFor ? [`HostCertificate ${path('host-cert.pub')}`] : []),
    `AuthorizedKeysFile ${path('allowed')}`,
    'PidFile none',
    'StrictModes no',
    'UsePAM no',
    'PermitRootLogin yes',
    'PasswordAuthentication no',
    'KbdInteractiveAuthentication no',
    'MaxStartups 100',
    ...(acceptsProtocol ? ['AcceptEnv GIT_PROTOCOL'] : []),
  ]
  await writeFile(path('config'), `${config.join('\n')}\n`)
  if (process.getuid?.() === 0) await mkdir(PRIVILEGE_FOLDER, { recursive: true })
  const child = spawn(SSHD, ['-D', '-e', '-f', path('config')], { stdio: 'ignore' })
  await eventually(() => connects(port), { what: 'sshd listening' })
  const { username: user } = userInfo()
  const publicKey = async (name: string): Promise<string> => (await read(name)).split(' ').slice(0, 2).join(' ')
  return {
    user,
    port,
    keys: { ed25519: ed25519 ?? '', rsa: rsa ?? '', ecdsa: ecdsa ?? '' },
    strangerKey: strangerKey ?? '',
    knownHosts: `[127.0.0.1]:${port} ${await publicKey('host.pub')}\n`,
    authority: await publicKey('authority.pub'),
    url: (repository) => `ssh://${user}@127.0.0.1:${port}${repository}`,
    async stop() {
      await end(child)
      await rm(dir, { recursive: true, force: true })
    },
  }
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const ended = new Promise((resolve) => child.once('exit', resolve))
  child.kill()
  await ended
}

function connects(port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, '127.0.0.1', () => {
      socket.destroy()
      resolve()
    })
    socket.once('error', reject)
  })
}
