import type { CompletedCommand, CompletedFlag } from './words.ts'

/** A script for bash 3.2 and later; it needs nothing but bash itself. */
export function bashScript(commands: readonly CompletedCommand[]): string {
  return `# bash completion of fleet: source <(fleet completion bash)
_fleet() {
  local cur="\${COMP_WORDS[COMP_CWORD]}" prev="\${COMP_WORDS[COMP_CWORD-1]}" command="" word
  local words=()
  for word in "\${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
    case "$word" in -*) ;; *) words+=("$word") ;; esac
  done
  case "\${words[0]} \${words[1]}" in
${commands
  .filter(({ name }) => name.includes(' '))
  .map(({ name }) => `    "${name}") command="${name}" ;;`)
  .join('\n')}
    *) command="\${words[0]}" ;;
  esac
  local flags="" values="" paths=""
  case "$command" in
${commands.map(commandCase).join('\n')}
${groups(commands)
  .map(([group, words]) => `    "${group}") COMPREPLY=($(compgen -W "${words.join(' ')}" -- "$cur")); return ;;`)
  .join('\n')}
    *) COMPREPLY=($(compgen -W "${topWords(commands).join(' ')}" -- "$cur")); return ;;
  esac
  case "$prev" in
    -*) case "$command $prev" in
${commands.flatMap(valueCases).join('\n')}
    esac ;;
  esac
  if [[ "$cur" == -* ]]; then COMPREPLY=($(compgen -W "$flags" -- "$cur")); return; fi
  if [[ -n "$values" ]]; then COMPREPLY=($(compgen -W "$values" -- "$cur")); return; fi
  if [[ -n "$paths" ]]; then compopt -o filenames 2>/dev/null; COMPREPLY=($(compgen -f -- "$cur")); fi
}
complete -F _fleet fleet
`
}

function commandCase({ name, flags, takesPath, choices }: CompletedCommand): string {
  const words = flags.flatMap(({ name: flag, short }) => [`--${flag}`, ...(short ? [`-${short}`] : [])])
  return `    "${name}") flags="${words.join(' ')}"; values="${choices.join(' ')}"; paths="${takesPath ? 'yes' : ''}" ;;`
}

function valueCases({ name, flags }: CompletedCommand): string[] {
  return flags.filter(({ takesValue }) => takesValue).map((flag) => `      ${patterns(name, flag)}) ${reply(flag)}; return ;;`)
}

function patterns(command: string, { name, short }: CompletedFlag): string {
  return [`--${name}`, ...(short ? [`-${short}`] : [])].map((flag) => `"${command} ${flag}"`).join('|')
}

function reply({ choices, takesPath }: CompletedFlag): string {
  if (choices.length > 0) return `COMPREPLY=($(compgen -W "${choices.join(' ')}" -- "$cur"))`
  return takesPath ? 'compopt -o filenames 2>/dev/null; COMPREPLY=($(compgen -f -- "$cur"))' : 'COMPREPLY=()'
}

/** First words of commands, each once. */
export function topWords(commands: readonly CompletedCommand[]): string[] {
  return [...new Set(commands.map(({ name }) => name.split(' ', 1)[0] ?? ''))]
}

/** First words of commands with two, and what may follow. */
export function groups(commands: readonly CompletedCommand[]): [group: string, words: string[]][] {
  const pairs = commands.filter(({ name }) => name.includes(' ')).map(({ name }) => name.split(' '))
  return [...Map.groupBy(pairs, ([group = '']) => group)].map(([group, members]) => [group, members.map(([, word = '']) => word)])
}
