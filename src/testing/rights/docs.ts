// The rights of the hub's programs as tables for docs/guides/rights.md.
import { CONTROLLERS, type ControllerName } from '../../config/controller.ts'
import { type Rights, type Row, rowsOf } from './table.ts'

const BEGIN = '<!-- made of charts/fleet/files/rights.yaml: npx vitest run --project unit src/testing/rights -u -->\n'
const END = '<!-- end -->\n'

/** Accounts of the chart, and the controllers whose rights they have. */
const ACCOUNTS: Readonly<Record<string, readonly ControllerName[]>> = {
  'fleet-controller': CONTROLLERS.filter((name) => name !== 'gitrepo' && name !== 'helmop'),
  gitjob: ['gitrepo'],
  helmops: ['helmop'],
}

/** The document with new tables in the place of the old ones. */
export function withTables(document: string, rights: Rights): string {
  const [before = '', rest = ''] = document.split(BEGIN)
  const [, after = ''] = rest.split(END)
  const tables = Object.entries(ACCOUNTS).map(([account, controllers]) => tableOf(account, controllers, rights))
  return `${before}${BEGIN}\n${tables.join('\n')}\n${END}${after}`
}

function tableOf(account: string, controllers: readonly ControllerName[], rights: Rights): string {
  const head = ['controller', 'resources', 'verbs', 'why']
  const rows = [
    ...rights.everybody.map((row) => cells('all', row)),
    ...controllers.flatMap((name) => rowsOf({ ...rights, everybody: [] }, [name], CONTROLLERS).map((row) => cells(`\`${name}\``, row))),
  ]
  let last = ''
  const lines = rows.map(([name = '', ...others]) => {
    const shown = name === last ? '' : name
    last = name
    return `|${[shown, ...others].map((text) => (text ? ` ${text} ` : ' ')).join('|')}|`
  })
  return [`### Account \`${account}\``, '', `| ${head.join(' | ')} |`, `|${' --- |'.repeat(head.length)}`, ...lines, ''].join('\n')
}

function cells(name: string, { resources, verbs, why, where, named, with: condition }: Row): string[] {
  const short = resources.map((text) => text.replace(/\.[^/]+/, '')).join(', ')
  const only = named ? ` ${named.map((one) => `\`${one}\``).join(', ')}` : ''
  const notes = [why, ...(condition ? [`only where \`${condition}\` runs`] : [])]
  return [name, `${short}${only}${where === 'own' ? ' in its own namespace' : ''}`, verbs.join(', '), notes.join('; ')]
}

/** The rows of the first table below a heading, each cell without its marks; empty first cells are filled from above. */
export function tableBelow(document: string, heading: string): string[][] {
  const [, section = ''] = document.split(`\n${heading}\n`)
  const lines = (section.split(/\n#+ /)[0] ?? '').split('\n').filter((line) => line.startsWith('|'))
  let first = ''
  return lines.slice(2).map((line) => {
    const row = line
      .split('|')
      .slice(1, -1)
      .map((cell) => cell.trim().replaceAll('`', ''))
    first = row[0] || first
    return [first, ...row.slice(1)]
  })
}
