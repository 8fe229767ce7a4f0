import { randomUUID } from 'node:crypto'
import { resolve } from 'node:path'
import { GIT_WORKER_ENTRY } from '../../config/version.ts'
import { WaitingError } from '../../lib/controller/errors.ts'
import { chooseBackend } from '../../lib/git/choose-backend.ts'
import { GitError } from '../../lib/git/errors.ts'
import type { GitRemote } from '../../lib/git/types.ts'
import { createGitWorkerBackend } from '../../lib/git/worker-backend.ts'
import { type Call, defineCommand } from '../command.ts'
import { readSmallText } from '../files.ts'
import { credentialsOf, hostKeysOf, refOf } from './access.ts'
import { checkOut } from './checkout.ts'

const FLAGS = {
  branch: { type: 'text', short: 'b', help: 'a branch; master if neither branch nor revision is given' },
  revision: { type: 'text', help: 'a tag, a branch or a commit; goes before --branch' },
  'ca-bundle-file': { type: 'text', value: 'FILE', help: 'certificates to trust, beside the usual ones' },
  'proxy-ca-bundle': {
    type: 'text',
    value: 'PEM',
    env: 'PROXY_CA_BUNDLE',
    hidden: true,
    help: 'certificates of the proxy, or a file with them',
  },
  username: { type: 'text', short: 'u', help: 'user name; needs --password-file' },
  'password-file': { type: 'text', value: 'FILE', help: 'a file with the password or token' },
  'ssh-private-key-file': { type: 'text', value: 'FILE', help: 'a file with the key for ssh, without passphrase' },
  'known-hosts-file': { type: 'text', value: 'FILE', help: 'keys of ssh servers; those of large hosting services are known' },
  'known-hosts': { type: 'text', value: 'TEXT', env: 'FLEET_KNOWN_HOSTS', hidden: true, help: 'the same as text' },
  'insecure-skip-host-key-checks': {
    type: 'boolean',
    help: 'take any key of the ssh server, and with it anybody in between',
  },
  'insecure-skip-tls': { type: 'boolean', help: 'do not verify certificates' },
  'github-app-id': { type: 'text', help: 'id of a GitHub App' },
  'github-app-installation-id': { type: 'text', help: 'id of its installation' },
  'github-app-key-file': { type: 'text', value: 'FILE', help: 'a file with its key' },
} as const

export const gitcloner = defineCommand({
  description:
    'Writes the files of a git repository, as they are at a branch, a tag or a commit, into a folder that is new or empty. ' +
    'Without its history.',
  arguments: [
    { name: 'REPO', help: 'URL of the repository' },
    { name: 'PATH', help: 'folder to write into' },
  ],
  flags: FLAGS,
  examples: [
    ['fleet gitcloner https://git.example.com/shop.git shop --branch main', 'the newest commit of a branch'],
    [
      'fleet gitcloner https://git.example.com/shop.git shop --revision v1.2.0 --username me --password-file token',
      'a tag of a private repository',
    ],
    ['fleet gitcloner git@git.example.com:shop.git shop --ssh-private-key-file key --known-hosts-file known_hosts', 'over ssh'],
  ],
  async run(call) {
    const { args, flags, io, cwd, signal, log } = call
    const [repo = '', path = ''] = args
    const target = resolve(cwd, path)
    if (flags.branch && flags.revision) io.warn('--revision and --branch are both given: the revision is taken')
    if (flags.username && !flags['password-file']) io.warn('--username is of no use without --password-file: going on without it')
    const remote = await remoteOf(call, repo)
    const backend = chooseBackend({
      backend: createGitWorkerBackend({ log, workerEntry: GIT_WORKER_ENTRY }),
      searchPath: call.config.searchPath,
      tempDir: call.config.tempDir,
      warn: (_, message) => io.warn(message),
    })
    const progress = io.progress('cloning')
    try {
      const commit = await checkOut({ backend, remote, ref: refOf(flags), path: target, unique: randomUUID(), signal })
      progress.done()
      io.note(`commit ${commit} is in ${path}`)
    } catch (error) {
      throw mapped(error)
    } finally {
      progress.done()
      await backend.close()
    }
  },
})

async function remoteOf(call: Call<typeof FLAGS>, repo: string): Promise<GitRemote> {
  const { flags, config } = call
  const credentials = credentialsOf(repo, {
    username: flags.username,
    password: await readSmallText(call, flags['password-file']),
    sshPrivateKey: await readSmallText(call, flags['ssh-private-key-file']),
    githubApp: {
      id: flags['github-app-id'],
      installationId: flags['github-app-installation-id'],
      privateKey: await readSmallText(call, flags['github-app-key-file']),
    },
  })
  const file = flags['known-hosts-file']
  const knownHosts = file
    ? { name: file, text: await readSmallText(call, file) }
    : { name: 'FLEET_KNOWN_HOSTS', text: flags['known-hosts'] }
  const proxyBundle = flags['proxy-ca-bundle']
  const proxyCertificates = proxyBundle?.includes('-----BEGIN') ? proxyBundle : await readSmallText(call, proxyBundle)
  const certificates = [await readSmallText(call, flags['ca-bundle-file']), proxyCertificates].filter(Boolean).join('\n')
  return {
    url: repo,
    credentials,
    hostKeys: hostKeysOf(knownHosts, flags['insecure-skip-host-key-checks']),
    caBundle: certificates || undefined,
    insecureSkipTLSVerify: flags['insecure-skip-tls'],
    proxy: config.proxy,
  }
}

/** A server that does not answer is worth another try. */
function mapped(error: unknown): unknown {
  const isTemporary = error instanceof GitError && (error.kind === 'unreachable' || error.kind === 'timeout')
  return isTemporary ? new WaitingError(error.message, { cause: error }) : error
}
