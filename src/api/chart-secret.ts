// Secrets with credentials for chart downloads, as GitRepos and HelmOps name them (spec 1.2, 6.4, 8.7).
import { TerminalError } from '../lib/controller/errors.ts'

/** What a server may be shown, and how it is reached. */
export interface ChartCredentials {
  readonly username?: string | undefined
  readonly password?: string | undefined
  /** PEM */
  readonly caBundle?: string | undefined
  readonly insecureSkipTLSVerify?: boolean | undefined
  readonly basicHTTP?: boolean | undefined
  /** For charts in git repositories that are reached by ssh. */
  readonly sshPrivateKey?: string | undefined
  /** Lines of a known_hosts file; the keys of large hosting services are known anyway. */
  readonly sshKnownHosts?: string | undefined
}

const TRUE = new Set(['1', 't', 'T', 'TRUE', 'true', 'True'])

/** Reads a secret that `helmSecretName` names; values are base64. Throws TerminalError when only half of a login is there. */
export function credentialsOfSecret(data: Readonly<Record<string, string>> = {}, name: string): ChartCredentials {
  const text = (key: string): string => Buffer.from(data[key] ?? '', 'base64').toString('utf8')
  return checkLogin(
    {
      username: text('username'),
      password: text('password'),
      caBundle: text('cacerts'),
      insecureSkipTLSVerify: TRUE.has(text('insecureSkipVerify')),
      basicHTTP: TRUE.has(text('basicHTTP')),
      sshPrivateKey: text('ssh-privatekey'),
      sshKnownHosts: text('known_hosts'),
    },
    `the secret ${name}`,
  )
}

/** The credentials, if they have a user name and a password or neither. Throws TerminalError that says what is missing where. */
export function checkLogin(credentials: ChartCredentials, where: string): ChartCredentials {
  const { username, password } = credentials
  if (Boolean(username) === Boolean(password)) return credentials
  const [given, missing] = username ? ['username', 'password'] : ['password', 'username']
  throw new TerminalError(`${where} has a ${given} and no ${missing}: add it`)
}
