// Writes src/lib/patch/kinds.generated.json from the OpenAPI v2 document of Kubernetes: `kubectl get --raw /openapi/v2 > swagger.json; node scripts/patch-kinds.ts swagger.json`.
// Run it when the newest supported Kubernetes has kinds or merge keys that the file lacks.
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

interface Schema {
  readonly $ref?: string
  readonly type?: string
  readonly items?: Schema
  readonly additionalProperties?: Schema
  readonly properties?: Readonly<Record<string, Schema>>
  readonly 'x-kubernetes-group-version-kind'?: readonly { readonly group: string; readonly version: string; readonly kind: string }[]
  readonly 'x-kubernetes-patch-strategy'?: string
  readonly 'x-kubernetes-patch-merge-key'?: string
}

/** Groups whose kinds clients do not know as types: their objects are merged as plain JSON. */
const UNTYPED = new Set(['apiextensions.k8s.io', 'apiregistration.k8s.io'])

const [file = ''] = process.argv.slice(2)
const { definitions } = JSON.parse(readFileSync(file, 'utf8')) as { definitions: Record<string, Schema> }
const typeOf = ({ $ref }: Schema) => $ref?.slice('#/definitions/'.length)
const types: Record<string, Record<string, unknown>> = {}
const shortNames = new Map<string, string>()

function shortName(definition: string): string {
  const known = shortNames.get(definition)
  if (known) return known
  const name = `t${shortNames.size}`
  shortNames.set(definition, name)
  types[name] = fieldsOf(definitions[definition])
  return name
}

/** The fields that hold an object or a list; of others a patch needs to know nothing. */
function fieldsOf(schema: Schema | undefined): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(schema?.properties ?? {}).flatMap(([name, field]) => {
      const described = describe(field)
      return described === undefined ? [] : [[name, described]]
    }),
  )
}

function describe(field: Schema): unknown {
  if (field.type === 'array') {
    const item = field.items && typeOf(field.items)
    const [strategy] = (field['x-kubernetes-patch-strategy'] ?? '').split(',')
    const key = field['x-kubernetes-patch-merge-key']
    if (strategy !== 'merge') return { list: 'replace' }
    return { list: 'merge', ...(key ? { key } : {}), ...(item && definitions[item]?.properties ? { type: shortName(item) } : {}) }
  }
  const type = typeOf(field)
  if (type && definitions[type]?.properties) {
    return { type: shortName(type), ...(field['x-kubernetes-patch-strategy'] === 'replace' ? { replace: true } : {}) }
  }
  if (field.additionalProperties || field.type === 'object' || (type && definitions[type]?.type === 'object')) return {}
  return undefined
}

const kinds: Record<string, string> = {}
for (const [definition, schema] of Object.entries(definitions)) {
  const [kind, ...others] = schema['x-kubernetes-group-version-kind'] ?? []
  if (!kind || others.length > 0 || UNTYPED.has(kind.group) || kind.kind.endsWith('List') || !schema.properties?.metadata) continue
  kinds[`${kind.group ? `${kind.group}/` : ''}${kind.version} ${kind.kind}`] = shortName(definition)
}
const lines = [
  `"kinds":{\n${Object.entries(kinds)
    .map(([kind, type]) => `${JSON.stringify(kind)}:${JSON.stringify(type)}`)
    .join(',\n')}}`,
  `"types":{\n${Object.entries(types)
    .map(([name, fields]) => `${JSON.stringify(name)}:${JSON.stringify(fields)}`)
    .join(',\n')}}`,
]
writeFileSync(join(import.meta.dirname, '..', 'src', 'lib', 'patch', 'kinds.generated.json'), `{${lines.join(',\n')}}\n`)
