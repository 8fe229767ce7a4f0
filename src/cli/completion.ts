// `fleet completion`: scripts that are made from the tables of commands and flags.
import { defineCommand } from './command.ts'
import { bashScript } from './completion/bash.ts'
import { fishScript } from './completion/fish.ts'
import { completedCommands } from './completion/words.ts'
import { zshScript } from './completion/zsh.ts'
import { UsageError } from './exit.ts'

const SCRIPTS = { bash: bashScript, zsh: zshScript, fish: fishScript } as const
const SHELLS = Object.keys(SCRIPTS)

export const completion = defineCommand({
  description: 'Prints a script that completes commands, flags and files in your shell.',
  arguments: [{ name: 'SHELL', help: SHELLS.join(', '), choices: SHELLS }],
  examples: [
    ['source <(fleet completion bash)', 'for this session of bash; for good, put it into ~/.bashrc'],
    ['fleet completion fish > ~/.config/fish/completions/fleet.fish', 'for fish'],
  ],
  async run({ args, io }) {
    const [shell = ''] = args
    if (!isShell(shell)) throw new UsageError(`${shell}: there is completion for ${SHELLS.join(', ')}`)
    await io.print(SCRIPTS[shell](await completedCommands()))
  },
})

function isShell(text: string): text is keyof typeof SCRIPTS {
  return Object.hasOwn(SCRIPTS, text)
}
