// Programs started on this machine: output in log files, end observable, killed with us and with everything they started.
import { spawn, spawnSync } from 'node:child_process'
import { closeSync, openSync, readFileSync } from 'node:fs'

/** How a program is started. */
interface HostProcessOptions {
  /** Shown in errors, for example `hub kube-apiserver`. */
  readonly name: string
  /** Program and arguments. */
  readonly command: readonly string[]
  /** Both output streams are appended to this file. */
  readonly logFile: string
  /** Complete environment of the program; without it, the environment of this process. */
  readonly env?: Readonly<Record<string, string>>
  readonly cwd?: string
}

/** How a program ended: its exit code, or 128 + signal number as a shell would say it; 127 when it could not be started. */
export interface HostProcessExit {
  readonly code: number
  readonly signal?: NodeJS.Signals
}

/** A running or ended program. */
export interface HostProcess {
  readonly name: string
  readonly pid: number | undefined
  readonly logFile: string
  /** Undefined while it runs. */
  readonly exit: HostProcessExit | undefined
  /** Resolves when it has ended; never rejects. */
  readonly exited: Promise<HostProcessExit>
  /** Sends the signal to the program and everything it started; no effect after its end. */
  kill(signal: NodeJS.Signals): void
  /** SIGTERM, then SIGKILL after `graceMs`; resolves when it has ended. */
  stop(graceMs: number): Promise<HostProcessExit>
}

/** A family of programs that ends together, at the latest when this process does. */
export interface HostProcesses {
  start(options: HostProcessOptions): HostProcess
  /** Numbers of those that run. */
  pids(): number[]
  /** Kills all at once and resolves when they have ended; nothing can be started afterwards. */
  close(): Promise<void>
}

const SIGNAL_NUMBERS: Readonly<Record<string, number>> = {
  SIGHUP: 1,
  SIGINT: 2,
  SIGQUIT: 3,
  SIGABRT: 6,
  SIGKILL: 9,
  SIGSEGV: 11,
  SIGPIPE: 13,
  SIGTERM: 15,
}

const FIND_SETPRIV = 'setpriv --pdeathsig KILL true && command -v setpriv'

/** An empty family. Where `setpriv` can do it (Linux), the kernel kills the programs even when this process is killed without a chance to act. */
export function createHostProcesses(): HostProcesses {
  const launcher = deathSignalLauncher()
  const running = new Set<HostProcess>()
  let closed = false
  function killAll(): void {
    for (const child of running) child.kill('SIGKILL')
  }
  process.once('exit', killAll)
  return {
    start(options) {
      if (closed) throw new Error(`${options.name}: not started, everything is being stopped`)
      const child = startHostProcess(options, launcher)
      running.add(child)
      void child.exited.then(() => running.delete(child))
      return child
    },
    pids() {
      return [...running].flatMap((child) => child.pid ?? [])
    },
    async close() {
      closed = true
      killAll()
      await Promise.all([...running].map((child) => child.exited))
      process.removeListener('exit', killAll)
    },
  }
}

// The group of its own keeps a Ctrl-C at the terminal from reaching the program: we decide the order of the end.
function startHostProcess(options: HostProcessOptions, launcher: readonly string[]): HostProcess {
  const [program = '', ...args] = [...launcher, ...options.command]
  const log = openSync(options.logFile, 'a', 0o600)
  const child = spawn(program, args, { stdio: ['ignore', log, log], detached: true, cwd: options.cwd, env: options.env })
  closeSync(log)
  const { pid } = child
  let exit: HostProcessExit | undefined
  const exited = new Promise<HostProcessExit>((resolve) => {
    function finish(ended: HostProcessExit): void {
      exit ??= ended
      if (pid !== undefined) killGroup(pid, 'SIGKILL')
      resolve(exit)
    }
    child.once('error', () => finish({ code: 127 }))
    child.once('exit', (code, signal) =>
      finish(signal === null ? { code: code ?? 0 } : { code: 128 + (SIGNAL_NUMBERS[signal] ?? 0), signal }),
    )
  })
  // as in a container: a kill ends all processes, any other signal goes to the first one, which decides about its children
  function kill(signal: NodeJS.Signals): void {
    if (exit !== undefined || pid === undefined) return
    if (signal === 'SIGKILL') killGroup(pid, signal)
    else child.kill(signal)
  }
  return {
    name: options.name,
    pid,
    logFile: options.logFile,
    exited,
    kill,
    get exit() {
      return exit
    },
    async stop(graceMs) {
      kill('SIGTERM')
      const timer = setTimeout(() => kill('SIGKILL'), graceMs)
      const ended = await exited
      clearTimeout(timer)
      return ended
    },
  }
}

// The full path: programs may be started with a PATH that does not lead to it.
function deathSignalLauncher(): string[] {
  const { stdout } = spawnSync('/bin/sh', ['-c', FIND_SETPRIV], { encoding: 'utf8', timeout: 5000, stdio: ['ignore', 'pipe', 'ignore'] })
  const path = (stdout ?? '').trim()
  return path === '' ? [] : [path, '--pdeathsig', 'KILL']
}

/** Sends a signal to a process group; a group that is gone, or whose number is somebody else's by now, is no error. */
export function killGroup(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(-pid, signal)
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code !== 'ESRCH' && code !== 'EPERM') throw error
  }
}

/** The last lines of a log file, for an error message; empty when there is no such file. Reads it as a whole: only for logs of our own programs. */
export function logTail(file: string, lines: number): string {
  try {
    return readFileSync(file, 'utf8').trimEnd().split('\n').slice(-lines).join('\n')
  } catch {
    // A program that never started has no log; the caller's message says so already.
    return ''
  }
}
