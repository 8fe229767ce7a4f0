// Runs the rest of the test in namespaces of its own: network, mounts, processes. When they end, nothing of it is left on the machine.
import { spawn } from 'node:child_process'

const DIE_WITH_US = ['setpriv', '--pdeathsig', 'KILL']
const NAMESPACES = ['unshare', '--net', '--mount', '--pid', '--propagation', 'private', '--fork', '--kill-child=KILL', '--mount-proc']

/**
 * Starts a command as the first process of new namespaces and gives its exit code. Its death, our death and `signal` end all that it started.
 * It is in a group of its own: Ctrl-C reaches us alone.
 */
export function runApart(command: readonly string[], env: NodeJS.ProcessEnv, signal: AbortSignal): Promise<number> {
  const [program = '', ...args] = [...DIE_WITH_US, ...NAMESPACES, '--', ...command]
  const child = spawn(program, args, {
    stdio: ['ignore', 'inherit', 'inherit'],
    detached: true,
    env,
  })
  return new Promise((resolve, reject) => {
    const kill = () => {
      try {
        if (child.pid !== undefined) process.kill(-child.pid, 'SIGKILL')
      } catch {
        // it has ended
      }
    }
    // nothing in there is worth a farewell: the kernel takes processes, mounts and networks down
    signal.addEventListener('abort', kill)
    child.once('error', (error) => reject(new Error(`setpriv could not be started: ${error.message}`)))
    child.once('exit', (code) => {
      kill()
      resolve(code ?? 1)
    })
  })
}
