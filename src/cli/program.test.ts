import { tmpdir } from 'node:os'
import { describe, expect, test } from 'vitest'
import { COMMANDS } from './commands.ts'
import { run } from './testing/run.ts'

const cwd = tmpdir()

test('the overview names every command that is not hidden, and the exit codes', async () => {
  const { code, stdout } = await run([], { cwd })
  expect(code).toBe(0)
  for (const { name, hidden } of COMMANDS) if (!hidden) expect(stdout).toContain(name.split(' ', 1)[0])
  expect(stdout).toMatch(/Exit codes:\n {2}0 {4}done/)
})

test.each([['--version'], ['version'], ['-v']])('fleet %s prints the version', async (arg) => {
  expect((await run([arg], { cwd })).stdout).toMatch(/^fleet version \S+\n$/)
})

describe('help', () => {
  test.each(COMMANDS.map(({ name }) => name))('fleet %s --help explains it', async (name) => {
    const { code, stdout } = await run([...name.split(' '), '--help'], { cwd })
    expect(code).toBe(0)
    expect(stdout).toContain(`Usage: fleet ${name} [flags]`)
    expect(stdout).toContain('--kubeconfig')
  })

  test('may stand before the command, and common flags too', async () => {
    const asked = await run(['--kubeconfig', 'apply', 'help', 'target'], { cwd })
    expect(asked.stdout).toContain('Usage: fleet target')
  })
})

describe('wrong usage gives exit code 2 and a hint', () => {
  test.each([
    [['aply'], /unknown command 'aply'\n\(Did you mean apply\?\)/],
    [['apply'], /missing required argument 'BUNDLE_NAME'\nsee fleet apply --help/],
    [['apply', '--pausd', 'x'], /unknown option '--pausd'\n\(Did you mean --paused\?\)/],
    [['apply', '--sync-generation', 'x', 'repo'], /--sync-generation x: write a whole number/],
    [['apply', '--paused=maybe', 'repo'], /--paused=maybe: write true or false/],
    [['target', '-o', 'xml'], /--output xml: choose one of yaml, json/],
    [['target'], /--bundle-file is missing/],
    [['completion', 'tcsh'], /there is completion for bash, zsh, fish/],
  ])('%j', async (args, message) => {
    const { code, stdout, stderr } = await run(args, { cwd })
    expect([code, stdout]).toEqual([2, ''])
    expect(stderr).toMatch(message)
  })

  test('of the environment, too', async () => {
    const { code, stderr } = await run(['version'], { cwd, env: { FLEET_APPLY_CONFLICT_RETRIES: 'often' } })
    expect(code).toBe(2)
    expect(stderr).toContain('FLEET_APPLY_CONFLICT_RETRIES="often" is not a whole number')
  })
})

test('failures are JSON when that is asked for', async () => {
  const { code, stderr } = await run(['apply', '-o', '-', 'repo', 'nothere'], { cwd, env: { FLEET_JSON_OUTPUT: 'true' } })
  expect(code).toBe(1)
  const line = JSON.parse(stderr) as Record<string, string>
  expect(line).toMatchObject({ level: 'fatal', fleetErrorMessage: expect.stringContaining('nothere') })
})

test('a cluster that cannot be reached gives exit code 3, one that is not described 1', async () => {
  const kubeconfig = JSON.stringify({
    apiVersion: 'v1',
    kind: 'Config',
    'current-context': 'none',
    users: [{ name: 'none', user: { token: 'none' } }],
    clusters: [{ name: 'none', cluster: { server: 'http://127.0.0.1:1' } }],
    contexts: [{ name: 'none', context: { cluster: 'none', user: 'none' } }],
  })
  const bundle = 'apiVersion: fleet.cattle.io/v1alpha1\nkind: Bundle\nmetadata: {name: app}\nspec: {}\n'
  const { mkdtemp, writeFile, rm } = await import('node:fs/promises')
  const dir = await mkdtemp(`${tmpdir()}/fleet-cli-`)
  try {
    await writeFile(`${dir}/kubeconfig`, kubeconfig)
    expect((await run(['target', '-b', '-', '-k', 'kubeconfig-not-there'], { cwd: dir, input: bundle })).code).toBe(1)
    expect((await run(['target', '-b', '-', '-k', `${dir}/kubeconfig`], { cwd: dir, input: bundle })).code).toBe(3)
  } finally {
    await rm(dir, { recursive: true })
  }
}, 60_000)
