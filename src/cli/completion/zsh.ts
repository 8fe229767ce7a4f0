import { groups, topWords } from './bash.ts'
import type { CompletedCommand, CompletedFlag } from './words.ts'

/** A script for zsh, to be sourced, or stored as `_fleet` in a folder of fpath. */
export function zshScript(commands: readonly CompletedCommand[]): string {
  return `#compdef fleet
# zsh completion of fleet: source <(fleet completion zsh)
_fleet() {
  local -a words_only; words_only=(\${words[2,CURRENT-1]:#-*})
  local first="\${words_only[1]}" second="\${words_only[2]}"
  if [[ -z "$first" ]]; then
    local -a commands; commands=(
${topWords(commands)
  .map((word) => `      ${quote(`${word}:${summaryOf(word, commands)}`)}`)
  .join('\n')}
    )
    _describe command commands
    return
  fi
  case "$first $second" in
${commands
  .filter(({ name }) => name.includes(' '))
  .map((command) => `    ${quote(command.name)}) shift 2 words; (( CURRENT -= 2 )); ${argumentsOf(command)} ;;`)
  .join('\n')}
    *) case "$first" in
${groups(commands)
  .map(([group, members]) => `      ${quote(group)}) compadd ${members.join(' ')} ;;`)
  .join('\n')}
${commands
  .filter(({ name }) => !name.includes(' '))
  .map((command) => `      ${quote(command.name)}) shift words; (( CURRENT -= 1 )); ${argumentsOf(command)} ;;`)
  .join('\n')}
    esac ;;
  esac
}
if [[ "$funcstack[1]" == "_fleet" ]]; then _fleet; else compdef _fleet fleet; fi
`
}

function summaryOf(word: string, commands: readonly CompletedCommand[]): string {
  return commands.find(({ name }) => name === word)?.summary ?? `commands of ${word}`
}

function argumentsOf({ flags, takesPath, choices }: CompletedCommand): string {
  const rest = choices.length > 0 ? [quote(`*:value:(${choices.join(' ')})`)] : takesPath ? [quote('*:path:_files')] : []
  return ['_arguments', ...flags.flatMap(flagSpecs), ...rest].join(' ')
}

function flagSpecs({ name, short, help, takesValue, choices, takesPath }: CompletedFlag): string[] {
  const action = choices.length > 0 ? `(${choices.join(' ')})` : takesPath ? '_files' : ''
  const value = takesValue ? `:${name}:${action}` : ''
  const text = help.replaceAll(/[[\]:]/g, ' ')
  return [`--${name}`, ...(short ? [`-${short}`] : [])].map((flag) => quote(`*${flag}[${text}]${value}`))
}

function quote(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`
}
