// What an API server was asked, by whom, and what became of it: its audit log, kept to service accounts.
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** One request of a service account. */
export interface Asked {
  /** `system:serviceaccount:NAMESPACE:NAME` */
  readonly user: string
  /** in whose name, if not its own */
  readonly impersonated: string | undefined
  readonly verb: string
  /** as in {@link resourceText} */
  readonly resource: string
  readonly namespace: string
  readonly name: string
  readonly path: string
  /** HTTP status; 0 while it is not known */
  readonly code: number
  /** why it was refused */
  readonly message: string
}

export interface AuditLogs {
  /** Arguments of the API server of a cluster. */
  apiServerArgs(cluster: string): readonly string[]
  /** All that service accounts have asked so far. */
  asked(cluster: string): Asked[]
  remove(): void
}

const POLICY = {
  apiVersion: 'audit.k8s.io/v1',
  kind: 'Policy',
  omitStages: ['RequestReceived'],
  rules: [{ level: 'Metadata', userGroups: ['system:serviceaccounts'] }, { level: 'None' }],
}

interface AuditEvent {
  readonly verb: string
  readonly requestURI: string
  readonly user: { readonly username: string }
  readonly impersonatedUser?: { readonly username: string }
  readonly objectRef?: {
    readonly resource?: string
    readonly subresource?: string
    readonly apiGroup?: string
    readonly namespace?: string
    readonly name?: string
  }
  readonly responseStatus?: { readonly code?: number; readonly message?: string }
}

/** `resource.group/subresource`, as RBAC rules are written in tables; group and subresource only where there are any. */
export function resourceText(group: string, resource: string, subresource = ''): string {
  return `${resource}${group && `.${group}`}${subresource && `/${subresource}`}`
}

/** Audit logs in a temporary folder. */
export function createAuditLogs(): AuditLogs {
  const dir = mkdtempSync(join(tmpdir(), 'fleet-audit-'))
  const policy = join(dir, 'policy.json')
  writeFileSync(policy, JSON.stringify(POLICY))
  const fileOf = (cluster: string) => join(dir, `${cluster}.log`)
  return {
    apiServerArgs: (cluster) => ['--audit-policy-file', policy, '--audit-log-path', fileOf(cluster)],
    asked(cluster) {
      if (!existsSync(fileOf(cluster))) return []
      const lines = readFileSync(fileOf(cluster), 'utf8').split('\n')
      return lines.slice(0, -1).map((line) => read(JSON.parse(line) as AuditEvent))
    },
    remove: () => rmSync(dir, { recursive: true, force: true, maxRetries: 3 }),
  }
}

function read({ verb, requestURI, user, impersonatedUser, objectRef = {}, responseStatus = {} }: AuditEvent): Asked {
  const { apiGroup = '', resource = '', subresource, namespace = '', name = '' } = objectRef
  return {
    user: user.username,
    impersonated: impersonatedUser?.username,
    verb,
    resource: resource && resourceText(apiGroup, resource, subresource),
    namespace,
    name,
    path: requestURI,
    code: responseStatus.code ?? 0,
    message: responseStatus.message ?? '',
  }
}
