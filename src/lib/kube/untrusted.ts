// Kubeconfigs that came out of a Secret: whoever wrote it must not make us run programs or read our own files (CVE-2022-24817).
import { type KubeconfigContext, KubeconfigError } from './kubeconfig.ts'

const ALLOWED = {
  cluster: ['server', 'certificate-authority-data', 'tls-server-name', 'proxy-url', 'insecure-skip-tls-verify'],
  user: ['token', 'client-certificate-data', 'client-key-data', 'username', 'password', 'as', 'as-uid', 'as-groups', 'as-user-extra'],
} as const

/** Throws KubeconfigError when the context uses anything but credentials and certificates that are in the text itself. */
export function checkUntrusted(context: KubeconfigContext): void {
  for (const part of ['cluster', 'user'] as const) {
    const allowed: readonly string[] = ALLOWED[part]
    const refused = Object.keys(context[part]).find((field) => !allowed.includes(field))
    if (refused)
      throw new KubeconfigError(
        `the kubeconfig must not use ${refused}: only a token, certificates and passwords that it contains itself are accepted`,
      )
  }
}
