// The commands of docs/guides, so that the test does what the guides say. Pure.

export interface Block {
  /** the heading that it stands below */
  readonly heading: string
  /** of the fence: `yaml`, or empty for commands */
  readonly language: string
  readonly text: string
}

/** The fenced blocks of a page, in their order. */
export function blocksOf(page: string): Block[] {
  const blocks: Block[] = []
  let heading = ''
  let open: { language: string; lines: string[] } | undefined
  for (const line of page.split('\n')) {
    const fence = line.match(/^```(\w*)$/)
    if (fence && open) blocks.push({ heading, language: open.language, text: `${open.lines.join('\n')}\n` })
    if (fence) open = open ? undefined : { language: fence[1] ?? '', lines: [] }
    else if (open) open.lines.push(line)
    else heading = line.match(/^#+ (.*)$/)?.[1] ?? heading
  }
  return blocks
}

/** The one block below a heading that contains a text. @throws Error when there is none, or more than one */
export function blockWith(page: string, heading: string, text: string): string {
  const found = blocksOf(page).filter((block) => block.heading === heading && block.text.includes(text))
  if (found.length !== 1) throw new Error(`the guide has ${found.length} blocks with "${text}" below "${heading}"; one is expected`)
  return found[0]?.text ?? ''
}

/** Puts what is true here in place of what the guide made up. @throws Error when the guide does not say it */
export function withOurs(commands: string, ours: Readonly<Record<string, string>>): string {
  return Object.entries(ours).reduce((text, [theirs, value]) => {
    if (!text.includes(theirs)) throw new Error(`the guide does not say "${theirs}" in:\n${text}`)
    return text.replaceAll(theirs, value)
  }, commands)
}
