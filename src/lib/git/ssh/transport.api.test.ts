import { describe } from 'vitest'
import { SSH_SERVER_PROBLEM, type SshServer, startSshServer } from '../../../testing/ssh-server.ts'
import { describeGitBackendOver } from '../git-backend.contract.ts'
import { createGitWorkerBackend } from '../worker-backend.ts'

if (SSH_SERVER_PROBLEM) process.stdout.write(`git over ssh skipped: ${SSH_SERVER_PROBLEM}\n`)

describe.skipIf(SSH_SERVER_PROBLEM !== undefined)('git over ssh', () => {
  describeOver('isomorphic in a worker, over ssh', {})
  describeOver('isomorphic in a worker, over ssh with the first version of the protocol', { acceptsProtocol: false })
})

function describeOver(name: string, options: Parameters<typeof startSshServer>[0]): void {
  let server: SshServer
  const create = () => {
    const backend = createGitWorkerBackend()
    return { backend, close: () => backend.close() }
  }
  describeGitBackendOver(name, create, {
    async open() {
      server = await startSshServer(options)
    },
    remote: ({ dir }) => ({
      url: server.url(dir),
      credentials: { kind: 'ssh', privateKey: server.keys.ed25519 },
      hostKeys: { known: [{ name: 'the test', text: server.knownHosts }] },
    }),
    close: () => server?.stop(),
  })
}
