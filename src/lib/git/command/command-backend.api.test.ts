import { tmpdir } from 'node:os'
import { describe } from 'vitest'
import { SSH_SERVER_PROBLEM, type SshServer, startSshServer } from '../../../testing/ssh-server.ts'
import { describeGitBackend, describeGitBackendOver } from '../git-backend.contract.ts'
import { createCommandBackend } from './command-backend.ts'
import { findGitCommand } from './find-git.ts'

const found = await findGitCommand(process.env.PATH ?? '')
const problem = 'problem' in found ? found.problem : undefined
if (problem) process.stdout.write(`git command skipped: ${problem}\n`)

const create = () => {
  if ('problem' in found) throw new Error(found.problem)
  const backend = createCommandBackend({ command: found, tempDir: tmpdir() })
  return { backend, close: () => backend.close() }
}

describe.skipIf(problem !== undefined)('git command', () => {
  describeGitBackend('command', create)
})

describe.skipIf(problem !== undefined || SSH_SERVER_PROBLEM !== undefined)('git command over ssh', () => {
  describeOver('command, over ssh', {})
  describeOver('command, over ssh with the first version of the protocol', { acceptsProtocol: false })
})

function describeOver(name: string, options: Parameters<typeof startSshServer>[0]): void {
  let server: SshServer
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
