// `npm run image`: builds both images, says what is in them and how large they are, writes a bill of materials for each, and tries them out.
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { buildImages } from './lib/image/build-images.ts'
import { findEngine } from './lib/image/find-engine.ts'
import { sizes, systemParts, tryConfined } from './lib/image/inspect.ts'
import { IMAGES, parseOptions, USAGE } from './lib/image/options.ts'
import { type LockFile, npmParts, spdxDocument } from './lib/image/sbom.ts'
import { ROOT } from './lib/run.ts'

const OUT = join(ROOT, 'dist', 'images')

async function main(): Promise<void> {
  const { version } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as { version: string }
  const options = readOptions(version)
  const engine = await findEngine(options.tool)
  const started = Date.now()
  await buildImages({ engine, tag: options.tag, offlineBase: options.offlineBase, borrowHelm: false, say: console.log })
  const lock = JSON.parse(readFileSync(join(ROOT, 'package-lock.json'), 'utf8')) as LockFile
  mkdirSync(OUT, { recursive: true })
  for (const { target, repository } of IMAGES) {
    const image = `${repository}:${options.tag}`
    const parts = [...npmParts(lock), ...(await systemParts(engine, image, target))]
    const file = join(OUT, `${target}.spdx.json`)
    writeFileSync(file, `${JSON.stringify(spdxDocument({ image, version, created: new Date() }, parts), null, 2)}\n`)
    const count = (ecosystem: string) => parts.filter((part) => part.ecosystem === ecosystem).length
    console.log(`\n${image}`)
    for (const { path, bytes } of await sizes(engine, image)) console.log(`  ${(bytes / 1e6).toFixed(1).padStart(7)} MB  ${path}`)
    console.log(`  ${count('deb')} Debian packages, ${count('npm')} npm packages, ${count('golang')} Go modules: ${file}`)
    for (const answer of await tryConfined(engine, image, target)) console.log(`  read-only, not root: ${answer}`)
  }
  console.log(`\nbuilt in ${((Date.now() - started) / 1000).toFixed(0)} s`)
}

function readOptions(version: string): ReturnType<typeof parseOptions> {
  try {
    return parseOptions(process.argv.slice(2), version)
  } catch (error) {
    console.error(`${error instanceof Error ? error.message : error}\n\n${USAGE}`)
    process.exit(2)
  }
}

try {
  await main()
} catch (error) {
  console.error(error instanceof Error ? error.message : error)
  process.exitCode = 1
}
