// Who downloads charts for `fleet apply`, and what servers are shown (spec 6.4).
import { type CredentialsByFolder, credentialsByPath } from '../../bundle/chart-source/credentials.ts'
import type { ChartSource } from '../../bundle/charts.ts'
import type { Call } from '../command.ts'
import { readSmallText } from '../files.ts'
import type { APPLY_FLAGS } from './flags.ts'

/** What a download depends on: credentials and how servers are reached. */
export type ChartCall = Pick<Call, 'io' | 'cwd' | 'config'> & {
  readonly flags: Partial<Call<typeof APPLY_FLAGS>['flags']>
}

export interface OpenCharts {
  readonly source: ChartSource
  close(): Promise<void>
}

/** The downloader that the flags describe; its parts are loaded when the first chart is asked for. Throws TerminalError for files that cannot be used. */
export async function openCharts(call: ChartCall): Promise<OpenCharts> {
  const credentials = await credentialsOf(call)
  let opened: Promise<OpenCharts> | undefined
  async function load(): Promise<OpenCharts> {
    const { createDownloads } = await import('./downloads.ts')
    return createDownloads(call, credentials)
  }
  const open = () => {
    opened ??= load()
    return opened
  }
  return {
    source: {
      download: async (request, context) => (await open()).source.download(request, context),
      dependencies: async (tree, folder, context) => (await open()).source.dependencies(tree, folder, context),
    },
    close: async () => (await opened?.catch(() => undefined))?.close(), // what was not opened need not be closed
  }
}

/** Credentials by path win, and then nothing else counts (spec 6.4). */
async function credentialsOf(call: ChartCall): Promise<CredentialsByFolder> {
  const { flags } = call
  const byPath = flags['helm-credentials-by-path-file']
  if (byPath) return credentialsByPath((await readSmallText(call, byPath)) ?? '', byPath)
  const password = flags.username ? await readSmallText(call, flags['password-file']) : undefined
  const caBundle = await readSmallText(call, flags['cacerts-file'])
  const sshPrivateKey = await readSmallText(call, flags['ssh-privatekey-file'])
  const own = {
    sshPrivateKey,
    sshKnownHosts: flags['known-hosts'],
    // a line break at the end comes from the editor
    ...(password === undefined ? {} : { username: flags.username, password: password.replace(/\r?\n$/, '') }),
    caBundle,
    insecureSkipTLSVerify: flags['helm-insecure-skip-tls'] ?? false,
    basicHTTP: flags['helm-basic-http'] ?? false,
  }
  return () => own
}
