// Credentials printed by a program (`users[].user.exec`), as cloud providers' command lines give them.
import { execa } from 'execa'
import { type ClusterEntry, type ExecEntry, KubeconfigError } from './kubeconfig.ts'

/** What a credential plugin gave us. */
export interface ExecCredential {
  readonly token?: string
  /** PEM. */
  readonly clientCertificate?: string
  readonly clientKey?: string
  /** Milliseconds since 1970; Infinity when the plugin does not say. */
  readonly expiresAt: number
}

const TIMEOUT_MS = 60_000
const MAX_OUTPUT_BYTES = 2 ** 20
const QUOTED_STDERR = 500
const API_VERSIONS = ['client.authentication.k8s.io/v1', 'client.authentication.k8s.io/v1beta1']

/** Runs the plugin with the environment of this process. Throws KubeconfigError; its standard output, which holds the credential, is never quoted. */
export async function runExecPlugin(exec: ExecEntry, cluster: ClusterEntry): Promise<ExecCredential> {
  if (!API_VERSIONS.includes(exec.apiVersion))
    throw new KubeconfigError(
      `the credential plugin ${exec.command} uses apiVersion "${exec.apiVersion}": supported are ${API_VERSIONS.join(' and ')}`,
    )
  const info = {
    apiVersion: exec.apiVersion,
    kind: 'ExecCredential',
    spec: { interactive: false, ...(exec.provideClusterInfo ? { cluster: clusterInfo(cluster) } : {}) },
  }
  const env = Object.fromEntries((exec.env ?? []).map(({ name, value }) => [name, value]))
  const result = await execa(exec.command, exec.args ?? [], {
    env: { ...env, KUBERNETES_EXEC_INFO: JSON.stringify(info) },
    stdin: 'ignore',
    timeout: TIMEOUT_MS,
    maxBuffer: MAX_OUTPUT_BYTES,
    reject: false,
  })
  if (result.failed)
    throw new KubeconfigError(
      `the credential plugin ${exec.command} failed: ${failure(result)}${exec.installHint ? ` (${exec.installHint})` : ''}`,
    )
  return parseExecCredential(result.stdout, exec)
}

function failure({
  timedOut,
  exitCode,
  code,
  stderr,
}: {
  timedOut: boolean
  exitCode?: number | undefined
  code?: string | undefined
  stderr: string
}): string {
  if (timedOut) return `no answer within ${TIMEOUT_MS / 1_000} s`
  if (exitCode === undefined) return code ?? 'could not be started'
  return `exit code ${exitCode}: ${stderr.trim().slice(0, QUOTED_STDERR)}`
}

function parseExecCredential(output: string, { command }: ExecEntry): ExecCredential {
  let status: Record<string, unknown> | undefined
  try {
    status = (JSON.parse(output) as { status?: Record<string, unknown> }).status
  } catch {
    // the message would quote the output
    throw new KubeconfigError(`the credential plugin ${command} printed something that is not JSON`)
  }
  const { token, clientCertificateData, clientKeyData, expirationTimestamp } = status ?? {}
  const hasToken = typeof token === 'string' && token !== ''
  const hasCertificate = typeof clientCertificateData === 'string' && typeof clientKeyData === 'string'
  if (!hasToken && !hasCertificate)
    throw new KubeconfigError(`the credential plugin ${command} printed neither a token nor a certificate with its key`)
  const expiresAt = typeof expirationTimestamp === 'string' ? Date.parse(expirationTimestamp) : Number.NaN
  return {
    ...(hasToken ? { token } : {}),
    ...(hasCertificate ? { clientCertificate: clientCertificateData, clientKey: clientKeyData } : {}),
    expiresAt: Number.isNaN(expiresAt) ? Infinity : expiresAt,
  }
}

function clusterInfo(cluster: ClusterEntry): object {
  return {
    server: cluster.server,
    'certificate-authority-data': cluster['certificate-authority-data'],
    'insecure-skip-tls-verify': cluster['insecure-skip-tls-verify'],
    'tls-server-name': cluster['tls-server-name'],
    'proxy-url': cluster['proxy-url'],
  }
}
