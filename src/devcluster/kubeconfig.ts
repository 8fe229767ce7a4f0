/** What a kubeconfig for one cluster and one user consists of. */
export interface KubeconfigParts {
  /** Name of its cluster, user and context. */
  readonly name: string
  /** URL of the API server. */
  readonly server: string
  /** CA certificate, PEM. */
  readonly ca: string
  /** A bearer token, or a file that holds one and is read again when it changes. */
  readonly user: { readonly token: string } | { readonly tokenFile: string }
  readonly namespace?: string
}

/** Text of a kubeconfig file (JSON, which is YAML too). */
export function renderKubeconfig(parts: KubeconfigParts): string {
  const { name, server, ca, user, namespace } = parts
  const config = {
    apiVersion: 'v1',
    kind: 'Config',
    'current-context': name,
    clusters: [{ name, cluster: { server, 'certificate-authority-data': Buffer.from(ca).toString('base64') } }],
    users: [{ name, user }],
    contexts: [{ name, context: { cluster: name, user: name, ...(namespace === undefined ? {} : { namespace }) } }],
  }
  return `${JSON.stringify(config, null, 2)}\n`
}
