import { basename } from 'node:path'
import { exec } from '../exec/exec.ts'
import { ExecError } from '../exec/exec-error.ts'
import type { Slots } from '../exec/slots.ts'

export interface KustomizeConfig {
  /** Path of `kubectl` or `kustomize`. */
  binary: string
  /** A folder the process may write to. */
  home: string
  slots: Slots
  /** Told of each child, see `ExecOptions.onChild`. */
  onChild?: ((pid: number, event: 'started' | 'ended') => void) | undefined
}

/** Kustomize refused: the message is its own. */
export class KustomizeError extends Error {
  constructor(message: string, options: { cause?: unknown } = {}) {
    super(message, options)
    this.name = 'KustomizeError'
  }
}

const TIMEOUT_MS = 60_000
const MAX_OUTPUT_BYTES = 64 * 2 ** 20
/** Nothing listens there: whatever kustomize would fetch fails at once. */
const NO_NETWORK = 'http://127.0.0.1:9'

/**
 * Builds the kustomization in a folder and returns YAML documents. Files outside of their root, plug-ins and the network are out of reach.
 * Throws {@link KustomizeError} for what is wrong with the kustomization, `ExecError` when the process does not end by itself.
 */
export async function buildKustomization(config: KustomizeConfig, dir: string, signal?: AbortSignal): Promise<string> {
  const command = basename(config.binary).startsWith('kubectl') ? 'kustomize' : 'build'
  const env = { HOME: config.home, TMPDIR: config.home, PATH: '', HTTP_PROXY: NO_NETWORK, HTTPS_PROXY: NO_NETWORK }
  try {
    const args = [command, dir, '--load-restrictor', 'LoadRestrictionsRootOnly']
    return (
      await config.slots.run(
        () => exec(config.binary, args, { env, timeoutMs: TIMEOUT_MS, maxOutputBytes: MAX_OUTPUT_BYTES, signal, onChild: config.onChild }),
        signal,
      )
    ).stdout
  } catch (error) {
    if (!(error instanceof ExecError) || error.failure !== 'exit') throw error
    throw new KustomizeError(plainMessage(error.stderr, dir), { cause: error })
  }
}

/** An entry of a log: its time and process are others each time; its text is in quotes, or stands indented below when it has several lines. */
const LOGGED = /^[EF]\d{4} \S+ +\d+ \S+\] "[^"]*" err=(?:("(?:[^"\\]|\\.)*")|<\n((?:.|\n)*?)\n >)$/m

/** The message without the path of our temporary folder, which is another one each time. */
function plainMessage(stderr: string, dir: string): string {
  const [, quoted, lines] = LOGGED.exec(stderr) ?? []
  const plain = quoted === undefined ? (lines?.replace(/^\t/gm, '') ?? stderr) : unquoted(quoted)
  const text = plain.replaceAll(`${dir}/`, '').replaceAll(dir, '.').trim()
  return text.replace(/^(error|Error): /, '') || 'kustomize failed and said nothing'
}

function unquoted(text: string): string {
  try {
    return String(JSON.parse(text))
  } catch {
    return text.slice(1, -1) // an escape that JSON does not know
  }
}
