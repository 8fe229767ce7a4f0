// What the two programs that build images have in common.
import type { ToolName } from './options.ts'

export interface BuildRequest {
  readonly target?: string
  /** name:tag */
  readonly name: string
  readonly containerfile: string
  readonly contextDir: string
  readonly args: Readonly<Record<string, string>>
  /** folders that stand for stages of the Containerfile */
  readonly stages: Readonly<Record<string, string>>
}

/** Builds images and looks into them. Every method throws Error with the last lines of the program's output. */
export interface Engine {
  readonly name: ToolName
  build(request: BuildRequest): Promise<void>
  has(image: string): Promise<boolean>
  /** Makes an image of one layer out of a folder. */
  importFolder(folder: string, image: string): Promise<void>
  /** Runs a shell script in a container that is thrown away; gives its output. */
  shell(image: string, script: string): Promise<string>
  copyOut(image: string, path: string, to: string): Promise<void>
  /** Runs a command as the image's user: read-only root, no capabilities, no network, /tmp writable; undefined: with a reason why it could not be tried. */
  runConfined(image: string, command: readonly string[]): Promise<{ readonly output: string } | { readonly skipped: string }>
  /** Writes an archive that `ctr images import` reads, with the image under the name `as`. */
  save(image: string, file: string, as: string): Promise<void>
  /** Removes what ended builds have left, in a storage that is ours alone. */
  tidy(): Promise<void>
}
