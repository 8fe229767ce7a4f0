// `npm run generate`: writes what is made from src/api: the CRDs, the API reference and the schema of fleet.yaml. With --check it writes nothing, and fails when a file
// is out of date, missing or left over.
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { DEFINITIONS } from '../src/api/definitions.ts'
import { apiDocs } from './lib/generate/api-docs.ts'
import { crdYaml } from './lib/generate/crd.ts'
import { fleetSchema } from './lib/generate/fleet-schema.ts'
import { ROOT } from './lib/run.ts'

const wanted = new Map(DEFINITIONS.map((definition) => [`crds/${definition.plural}.yaml`, crdYaml(definition)]))
wanted.set('docs/api.md', apiDocs(DEFINITIONS))
wanted.set('docs/fleet.schema.json', fleetSchema())

function read(file: string): string | undefined {
  try {
    return readFileSync(join(ROOT, file), 'utf8')
  } catch {
    // not there: it is out of date
    return undefined
  }
}

function leftOver(): string[] {
  mkdirSync(join(ROOT, 'crds'), { recursive: true })
  const files = readdirSync(join(ROOT, 'crds')).map((name) => `crds/${name}`)
  return files.filter((file) => file.endsWith('.yaml') && !wanted.has(file))
}

const stale = [...[...wanted].filter(([file, content]) => read(file) !== content).map(([file]) => file), ...leftOver()]

if (process.argv.includes('--check')) {
  for (const file of stale) console.error(`${file} is out of date: run npm run generate`)
  process.exit(stale.length > 0 ? 1 : 0)
}
for (const file of stale) {
  const content = wanted.get(file)
  if (content === undefined) rmSync(join(ROOT, file))
  else {
    mkdirSync(dirname(join(ROOT, file)), { recursive: true })
    writeFileSync(join(ROOT, file), content)
  }
  console.log(content === undefined ? `removed ${file}` : `wrote ${file}`)
}
