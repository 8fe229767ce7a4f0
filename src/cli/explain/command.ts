// `fleet explain`: why something is not deployed.
import { explain as explanationOf } from '../../explain/explain.ts'
import { type Explanation, SUBJECT_KINDS, type Subject } from '../../explain/types.ts'
import { TerminalError } from '../../lib/controller/errors.ts'
import { stringifyYaml } from '../../lib/yaml/stringify.ts'
import type { Paint } from '../analyze/layout.ts'
import { type Call, defineCommand } from '../command.ts'
import { EXIT, NotInPlace, UsageError } from '../exit.ts'
import { type FlagTable, NAMESPACE_FLAG } from '../flags.ts'
import { readObjects } from './read.ts'
import { explanationText } from './text.ts'

const KINDS = SUBJECT_KINDS.map((kind) => kind.toLowerCase())

const FLAGS = {
  namespace: { ...NAMESPACE_FLAG, help: 'namespace of the object; of a bundledeployment that of its bundle will do, too' },
  cluster: { type: 'text', value: 'NAME', help: 'only what concerns this cluster' },
  output: { type: 'text', short: 'o', choices: ['text', 'json', 'yaml'], default: 'text', help: 'format of what is printed' },
  'no-color': { type: 'boolean', help: 'no colours, even on a terminal' },
} as const satisfies FlagTable

export const explain = defineCommand({
  description:
    'Says why something is not deployed. A change travels source → bundle → target → rollout → agent → apply → health; the first link that blocks is named, ' +
    'with what it waits for, since when, when it is tried next, and what can be done.\n' +
    'Nothing is changed. The exit code is 0 when all is deployed and ready, 4 when somebody has to act, 5 when something is on its way or cannot be told.',
  arguments: [
    { name: 'KIND', help: KINDS.join(', '), choices: KINDS },
    { name: 'NAME', help: 'its name, or namespace/name' },
  ],
  flags: FLAGS,
  examples: [
    ['fleet explain gitrepo -n fleet-default shop', 'what keeps a repository from being deployed everywhere'],
    ['fleet explain bundle -n fleet-default shop-web --cluster paris', 'why a bundle is not ready on one cluster'],
    ['fleet explain cluster -n fleet-default paris', 'what is wrong with a cluster'],
    ["fleet explain bundle -o json shop-web | jq '.blocking.reason'", 'the reason, for programs'],
  ],
  run: runExplain,
})

async function runExplain(call: Call<typeof FLAGS>): Promise<void> {
  const { flags, io, clock, signal } = call
  const subject = subjectOf(call)
  const { client } = await call.cluster()
  const progress = io.progress('reading the hub')
  const objects = await readObjects(client, subject, signal).finally(() => progress.done())
  const now = clock.now()
  const explanation = explanationOf(subject, objects, now)
  if (explanation.verdict === 'missing') throw new TerminalError(`${explanation.blocking?.message}: see --namespace`)
  const paint: Paint = flags['no-color'] ? (_, text) => text : io.paint
  await io.print(printed(explanation, flags.output, now, paint))
  if (explanation.verdict !== 'ok') throw new NotInPlace(explanation.verdict === 'blocked' ? EXIT.blocked : EXIT.waiting)
}

/** Kinds may be written as kubectl takes them: any case, and in the plural. */
function subjectOf({ args, flags }: Pick<Call<typeof FLAGS>, 'args' | 'flags'>): Subject {
  const [given = '', text = ''] = args
  const kind = SUBJECT_KINDS.find((one) => [one.toLowerCase(), `${one.toLowerCase()}s`].includes(given.toLowerCase()))
  if (!kind) throw new UsageError(`${given} cannot be explained: choose one of ${KINDS.join(', ')}`)
  const slash = text.lastIndexOf('/')
  const name = text.slice(slash + 1)
  const namespace = slash < 0 ? flags.namespace : text.slice(0, slash)
  if (!name || !namespace || namespace.includes('/')) throw new UsageError(`${text || 'the name'}: write NAME or NAMESPACE/NAME`)
  return { kind, namespace, name, ...(flags.cluster ? { cluster: flags.cluster } : {}) }
}

function printed(explanation: Explanation, format: 'text' | 'json' | 'yaml', now: number, paint: Paint): string {
  if (format === 'json') return `${JSON.stringify(explanation, null, 2)}\n`
  if (format === 'yaml') return stringifyYaml(explanation, { lossless: true })
  return `${explanationText(explanation, now, paint).join('\n')}\n`
}
