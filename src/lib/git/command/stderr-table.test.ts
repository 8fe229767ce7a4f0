import { describe, expect, test } from 'vitest'
import type { GitErrorKind } from '../errors.ts'
import { CommandFailedError } from './process-group.ts'
import { isNotOffered, toCommandError } from './stderr-table.ts'

const url = 'https://me:CANARY@git.example/app'

describe('what git says', () => {
  test.each<[string, GitErrorKind, RegExp]>([
    ['fatal: attempting to allocate 10485600001 over limit 268435456', 'too-large', /unpacks to more/],
    ['fatal: Out of memory, malloc failed (tried to allocate 5 bytes)', 'too-large', /unpacks to more/],
    ['fatal: write error: No space left on device', 'other', /no space left/],
    ['Host key verification failed.\nfatal: Could not read from remote repository.', 'host-key', /mismatch of the host key/],
    ['git@h: Permission denied (publickey).', 'authentication', /does not take this SSH key/],
    ['ssh: Could not resolve hostname h: Name or service not known', 'unreachable', /host .* cannot be found/],
    ['ssh: connect to host h port 22: Connection timed out', 'timeout', /did not answer in time/],
    ['Timeout, server h not responding.', 'timeout', /did not answer in time/],
    ['ssh: connect to host h port 22: Connection refused', 'unreachable', /cannot be reached/],
    ['ssh: connect to host h port 22: No route to host', 'unreachable', /cannot be reached/],
    ['ssh: connect to host h port 22: Network is unreachable', 'unreachable', /cannot be reached/],
    ['kex_exchange_identification: Connection closed by remote host', 'unreachable', /cannot be reached/],
    ['Unable to negotiate with h port 22: no matching host key type found. Their offer: ssh-dss', 'protocol', /no common way to talk/],
    [
      'error: object abc: gitmodulesUpdate: disallowed submodule update setting: !x\nfatal: fsck error in packed object',
      'protocol',
      /may hold/,
    ],
    ['fatal: early EOF\nfatal: fetch-pack: invalid index-pack output', 'protocol', /broken pack \(early EOF\)/],
    ['fatal: protocol error: bad line length character: <htm', 'protocol', /is not a git repository/],
    ['fatal: something new', 'other', /reading https:\/\/git\.example\/app failed: fatal: something new/],
    ['', 'other', /ended without a word/],
  ])('%j', (stderr, kind, message) => {
    const error = toCommandError(new CommandFailedError(128, stderr), url)
    expect(error).toMatchObject({ kind, message: expect.stringMatching(message) })
    expect(error.message).not.toContain('CANARY')
  })

  test.each<[string, GitErrorKind]>([
    [
      "fatal: '/x' does not appear to be a git repository\nfatal: Could not read from remote repository.\n\nPlease make sure you have the correct access rights\nand the repository exists.",
      'not-found',
    ],
    ['ERROR: Repository not found.\nfatal: Could not read from remote repository.', 'not-found'],
    ['sh: 1: git-upload-pack: not found', 'protocol'],
  ])('by ssh: %j', (stderr, kind) => {
    expect(toCommandError(new CommandFailedError(128, stderr), 'git@git.example:app').kind).toBe(kind)
  })

  test('of an address that users do not know appears with the one they know', () => {
    const hidden = 'http://127.0.0.1:5/abcdef'
    const { message } = toCommandError(new CommandFailedError(128, `fatal: unable to use '${hidden}/'`), url, { hidden })
    expect(message).toContain("unable to use 'https://git.example/app/'")
    expect(message).not.toContain('127.0.0.1')
  })

  test('of commits that are not offered is told from the rest', () => {
    const failed = (text: string): CommandFailedError => new CommandFailedError(128, text)
    expect(isNotOffered(failed('fatal: remote error: upload-pack: not our ref ffff'))).toBe(true)
    expect(isNotOffered(failed('error: Server does not allow request for unadvertised object ffff'))).toBe(true)
    expect(isNotOffered(failed('fatal: early EOF'))).toBe(false)
    expect(isNotOffered(new Error('not our ref'))).toBe(false)
  })
})
