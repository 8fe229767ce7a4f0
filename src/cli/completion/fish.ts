import { groups, topWords } from './bash.ts'
import type { CompletedCommand } from './words.ts'

/** A script for fish. */
export function fishScript(commands: readonly CompletedCommand[]): string {
  const lines = [
    '# fish completion of fleet: fleet completion fish | source',
    'complete -c fleet -f',
    ...topWords(commands).map((word) => {
      const summary = commands.find(({ name }) => name === word)?.summary ?? `commands of ${word}`
      return `complete -c fleet -n __fish_use_subcommand -a ${word} -d ${quote(summary)}`
    }),
    ...groups(commands).map(
      ([group, words]) =>
        `complete -c fleet -n '__fish_seen_subcommand_from ${group}; and not __fish_seen_subcommand_from ${words.join(' ')}' -a ${quote(words.join(' '))}`,
    ),
    ...commands.flatMap(commandLines),
  ]
  return `${lines.join('\n')}\n`
}

function commandLines({ name, flags, takesPath, choices }: CompletedCommand): string[] {
  const condition = quote(
    name
      .split(' ')
      .map((word) => `__fish_seen_subcommand_from ${word}`)
      .join('; and '),
  )
  const start = `complete -c fleet -n ${condition}`
  return [
    ...(choices.length > 0 ? [`${start} -a ${quote(choices.join(' '))}`] : []),
    ...(takesPath ? [`${start} -F`] : []),
    ...flags.map((flag) => {
      const value =
        flag.choices.length > 0 ? ` -xa ${quote(flag.choices.join(' '))}` : flag.takesPath ? ' -rF' : flag.takesValue ? ' -x' : ''
      return `${start} -l ${flag.name}${flag.short ? ` -s ${flag.short}` : ''}${value} -d ${quote(flag.help)}`
    }),
  ]
}

function quote(text: string): string {
  return `'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`
}
