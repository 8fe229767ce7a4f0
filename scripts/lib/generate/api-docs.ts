// docs/api.md: every kind and every type that kinds share, field by field.
import type { KindDefinition } from '../../../src/api/definitions.ts'
import { FLEET_API_VERSION } from '../../../src/api/kinds.ts'
import { plain, type Schema } from './schema.ts'

const INTRODUCTION = `# API reference

Made from \`src/api\` by \`npm run generate\`; changes made here are lost.

All kinds are of \`${FLEET_API_VERSION}\`. Fields are optional unless they are marked as required. A null counts as absent: the API server drops it.
Durations are written as in Go: \`90s\`, \`15m\`, \`1h30m\`, with the units ns, us, µs, ms, s, m and h.
`

/** Types whose fields other objects have among their own; documented by a link. */
interface Included {
  readonly name: string
  readonly anchor: string
  readonly properties: Record<string, Schema>
}

/** The whole page. */
export function apiDocs(definitions: readonly KindDefinition[]): string {
  const kinds = definitions.map((definition) => ({ definition, schema: plain(definition.schema) }))
  const shared = new Map<string, Schema>()
  for (const { schema } of kinds) collectTitled(schema, shared)
  const included = includedTypes(kinds, shared)
  const names = [...shared.keys()].sort()
  return [
    INTRODUCTION,
    kinds.map(({ definition }) => `- [${definition.kind}](#${anchorOf(definition.kind)})`).join('\n'),
    `Types that several kinds share: ${names.map((name) => `[${name}](#${anchorOf(name)})`).join(', ')}.\n`,
    ...kinds.map(({ definition, schema }) => kindSection(definition, schema, included)),
    ...names.map((name) => typeSection(name, shared.get(name) ?? {}, included)),
  ].join('\n\n')
}

function collectTitled(schema: Schema, found: Map<string, Schema>): void {
  if (schema.title) found.set(schema.title, schema)
  for (const child of children(schema)) collectTitled(child, found)
}

function children(schema: Schema): Schema[] {
  return [...Object.values(schema.properties ?? {}), ...[schema.items, schema.additionalProperties].filter((child) => child !== undefined)]
}

function includedTypes(kinds: readonly { definition: KindDefinition; schema: Schema }[], shared: ReadonlyMap<string, Schema>): Included[] {
  const bundle = kinds.find(({ definition }) => definition.kind === 'Bundle')?.schema.properties?.spec
  const options = shared.get('BundleDeploymentOptions')
  return [
    { name: 'Bundle.spec', anchor: 'bundle', properties: bundle?.properties ?? {} },
    { name: 'BundleDeploymentOptions', anchor: 'bundledeploymentoptions', properties: options?.properties ?? {} },
  ]
}

function kindSection(
  { kind, plural, columns, clusterScoped, withoutStatus }: KindDefinition,
  schema: Schema,
  included: readonly Included[],
): string {
  const { apiVersion, kind: _, metadata, ...parts } = schema.properties ?? {}
  const facts = [
    clusterScoped ? 'Belongs to no namespace.' : '',
    withoutStatus ? 'Has no status.' : '',
    Object.keys(columns).length > 0 ? `\`kubectl get ${plural}\` shows ${Object.keys(columns).join(', ')}.` : '',
  ]
  const head = [schema.description ?? '', ...facts].filter(Boolean).join(' ')
  const top = Object.fromEntries(Object.entries(parts).filter(([name]) => name !== 'spec' && name !== 'status'))
  const sections = ['spec', 'status'].flatMap((name) => {
    const part = parts[name]
    return part ? [`### ${kind}.${name}\n\n${part.description}\n\n${fieldsOf(`${kind}.${name}`, part, included)}`] : []
  })
  const own = Object.keys(top).length > 0 ? [table({ properties: top })] : []
  return [`## ${kind}\n\n${head}`, ...own, ...sections].join('\n\n')
}

function typeSection(name: string, schema: Schema, included: readonly Included[]): string {
  return `## ${name}\n\n${fieldsOf(name, schema, included)}`
}

function fieldsOf(name: string, schema: Schema, included: readonly Included[]): string {
  const base = included.find((type) => type.name !== name && contains(schema.properties ?? {}, type.properties))
  if (!base) return table(schema)
  const own = Object.entries(schema.properties ?? {}).filter(([field]) => !Object.hasOwn(base.properties, field))
  return `Every field of [${base.name}](#${base.anchor}), and these:\n\n${table({ ...schema, properties: Object.fromEntries(own) })}`
}

function contains(properties: Record<string, Schema>, part: Record<string, Schema>): boolean {
  return Object.entries(part).every(([name, schema]) => JSON.stringify(properties[name]) === JSON.stringify(schema))
}

function table(schema: Schema): string {
  return ['| field | type | meaning |', '| --- | --- | --- |', ...rows(schema, '')].join('\n')
}

function rows({ properties = {}, required = [] }: Schema, prefix: string): string[] {
  return Object.entries(properties).flatMap(([name, schema]) => {
    const notes = [
      required.includes(name) ? 'Required.' : '',
      schema.default !== undefined && schema.type === 'string' ? `\`${schema.default}\` if absent.` : '',
    ]
    const meaning = [schema.description ?? '', ...notes].filter(Boolean).join(' ')
    const [suffix, inner] = unwrapped(schema)
    const below = inner.properties && !inner.title ? rows(inner, `${prefix}${name}${suffix}.`) : []
    return [`| \`${prefix}${name}\` | ${typeOf(schema)} | ${meaning.replaceAll('|', '\\|')} |`, ...below]
  })
}

/** What a list or map is of, and how that is written in a path. */
function unwrapped(schema: Schema): [string, Schema] {
  if (schema.items) return ['[]', schema.items]
  return schema.additionalProperties ? ['.*', schema.additionalProperties] : ['', schema]
}

function typeOf(schema: Schema): string {
  if (schema.title) return `[${schema.title}](#${anchorOf(schema.title)})`
  if (schema.items) return `list of ${typeOf(schema.items)}`
  if (schema.additionalProperties) return `map of ${typeOf(schema.additionalProperties)}`
  if (schema['x-kubernetes-int-or-string']) return schema.pattern ? 'quantity' : 'number or percentage'
  if (schema['x-kubernetes-preserve-unknown-fields']) return 'any object'
  if (schema.enum) return schema.enum.map((word) => `\`${word}\``).join(' or ')
  if (schema['x-kubernetes-validations']) return 'duration'
  if (schema.format === 'date-time') return 'time'
  if (schema.format === 'byte') return 'base64'
  return { string: 'text', integer: 'number', boolean: 'true or false', object: 'object' }[schema.type ?? ''] ?? 'object'
}

function anchorOf(name: string): string {
  return name.toLowerCase()
}
