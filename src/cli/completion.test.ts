import { execFileSync } from 'node:child_process'
import { tmpdir } from 'node:os'
import { expect, test } from 'vitest'
import { run } from './testing/run.ts'

const cwd = tmpdir()
const PROBE = 'probe() { COMP_WORDS=("$@"); COMP_CWORD=$(($#-1)); COMPREPLY=(); _fleet; echo "${COMPREPLY[*]}"; }'

async function complete(...words: string[]): Promise<string[]> {
  const { stdout } = await run(['completion', 'bash'], { cwd })
  const call = `probe ${words.map((word) => `'${word}'`).join(' ')}`
  const output = execFileSync('bash', ['-c', `${stdout}\n${PROBE}\n${call}`], { encoding: 'utf8' })
  return output.trim().split(' ')
}

test('bash completes commands, flags, and values of flags', async () => {
  expect(await complete('fleet', 'app')).toEqual(['apply'])
  expect(await complete('fleet', 'apply', '--pa')).toEqual(['--paused', '--password-file'])
  expect(await complete('fleet', 'target', '-o', '')).toEqual(['yaml', 'json'])
  expect(await complete('fleet', 'completion', 'z')).toEqual(['zsh'])
})

test.each(['zsh', 'fish'])('%s gets every command and flag', async (shell) => {
  const { stdout } = await run(['completion', shell], { cwd })
  expect(stdout).toMatch(/apply/)
  expect(stdout).toMatch(shell === 'fish' ? /-l targets-file -rF/ : /--targets-file\[/)
})
