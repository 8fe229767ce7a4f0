import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { createSlots } from '../exec/slots.ts'
import { buildKustomization } from './build.ts'

let home: string
let binary: string
beforeAll(async () => {
  home = await mkdtemp(join(tmpdir(), 'kustomize-build-'))
  binary = join(home, 'kubectl')
  const copy = `while IFS= read -r line || [ -n "$line" ]; do printf '%s\\n' "$line" >&2; done < "$HOME/stderr"`
  await writeFile(binary, `#!/bin/sh\n${copy}\nexit 1\n`, { mode: 0o700 })
})
afterAll(() => rm(home, { recursive: true, force: true }))

/** Builds with a program that says `stderr` and fails. */
async function failing(stderr: string): Promise<unknown> {
  await writeFile(join(home, 'stderr'), stderr)
  return buildKustomization({ binary, home, slots: createSlots(1) }, '/bundle/dir').catch((error: unknown) => error)
}

test.each([
  ['error: no such file: /bundle/dir/a.yaml', 'no such file: a.yaml'],
  ['# Warning: old\nError: must build at directory: "/bundle/dir"', '# Warning: old\nError: must build at directory: "."'],
  [
    `E1121 22:38:36.425226    9356 run.go:72] "command failed" err="accumulating resources from \\"/bundle/dir/b.yaml\\": missing"`,
    'accumulating resources from "b.yaml": missing',
  ],
  [`E1121 22:38:36.425226    9356 run.go:72] "command failed" err="odd \\x7f"`, String.raw`odd \x7f`],
  ['E1121 22:42:43.329507   15298 run.go:72] "command failed" err=<\n\tfirst /bundle/dir/a.yaml\n\tsecond\n >', 'first a.yaml\nsecond'],
  ['', 'kustomize failed and said nothing'],
])('of %j the message is %j', async (stderr, message) => {
  expect(await failing(stderr)).toMatchObject({ name: 'KustomizeError', message })
})
