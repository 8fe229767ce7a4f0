// Whatever a server or a repository holds: our parsers neither hang nor throw anything that is not meant for users.
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { GitError } from '../errors.ts'
import { addHead } from '../head-ref.ts'
import { isSshUrl } from '../url.ts'
import { parsePointer } from './lfs-pointer.ts'
import { resolveSubmoduleUrl, submoduleRemote, submodulesOf } from './submodules.ts'
import { parseTree } from './trees.ts'

const hex = (length: number) => fc.string({ unit: fc.constantFrom(...'0123456789abcdef'), minLength: length, maxLength: length })
const line = (text: string): Buffer => Buffer.from(`${(Buffer.byteLength(text) + 4).toString(16).padStart(4, '0')}${text}`)
const ref = fc.tuple(hex(40), fc.string({ unit: fc.constantFrom(...'abc/HEAD^{}-. \0'), minLength: 1, maxLength: 12 }))
const advertisement = fc
  .tuple(fc.array(ref, { maxLength: 12 }), fc.string({ maxLength: 30 }))
  .map(([refs, capabilities]) =>
    Buffer.concat([
      line('# service=git-upload-pack\n'),
      Buffer.from('0000'),
      ...refs.map(([oid, name], at) => line(`${oid} ${name}${at === 0 ? `\0${capabilities}` : ''}\n`)),
      Buffer.from('0000'),
    ]),
  )
/** Cut off, with bytes changed, and with more of it at the end. */
const damaged = fc
  .tuple(advertisement, fc.nat(), fc.array(fc.tuple(fc.nat(), fc.nat(255)), { maxLength: 6 }), fc.uint8Array({ maxLength: 20 }))
  .map(([list, cut, changes, tail]) => {
    const bytes = Buffer.concat([list.subarray(0, list.length - (cut % (list.length + 1))), tail])
    for (const [at, value] of changes) if (bytes.length > 0) bytes[at % bytes.length] = value
    return bytes
  })

describe('a list of refs', () => {
  test('stays as it is, or gets one line of HEAD that names what it names', () => {
    fc.assert(
      fc.property(fc.oneof(advertisement, damaged, fc.uint8Array({ maxLength: 300 }).map(Buffer.from)), (list) => {
        const patched = addHead(Buffer.from(list))
        if (patched.equals(list)) return
        expect(patched.length).toBe(list.length + '0032'.length + 40 + ' HEAD\n'.length)
        const at = patched.findIndex((byte, index) => byte !== list[index])
        const [, oid = 'none'] = /0032([0-9a-f]{40}) HEAD\n/.exec(patched.toString('latin1', Math.max(0, at - 50))) ?? []
        expect(list.toString('latin1')).toContain(oid)
      }),
      { numRuns: 2_000 },
    )
  })
})

describe('a tree object', () => {
  const name = fc.string({ unit: fc.constantFrom(...'aü空 .-é'), minLength: 1, maxLength: 10 })
  const entry = fc.record({ mode: fc.constantFrom('40000', '100644', '100755', '120000', '160000'), path: name, oid: hex(40) })

  test('comes out as it went in', () => {
    fc.assert(
      fc.property(fc.array(entry, { maxLength: 20 }), (entries) => {
        const data = Buffer.concat(
          entries.map(({ mode, path, oid }) => Buffer.concat([Buffer.from(`${mode} ${path}\0`), Buffer.from(oid, 'hex')])),
        )
        expect(parseTree(data)?.map(({ mode, path, oid }) => ({ mode, path, oid }))).toEqual(entries)
        if (data.length > 0) expect(parseTree(data.subarray(0, -1))).toBeUndefined()
      }),
    )
  })

  test('of any bytes is one or none', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
        for (const { oid } of parseTree(Buffer.from(bytes)) ?? []) expect(oid).toMatch(/^[0-9a-f]{40}$/)
      }),
      { numRuns: 2_000 },
    )
  })
})

describe('what a repository says of others', () => {
  const url = fc.oneof(
    fc.webUrl(),
    fc.string({ unit: fc.constantFrom(...'./:@ah-%[]\\ \n'), maxLength: 30 }),
    fc.array(fc.constantFrom('../', './', 'x', '/', '//', 'h:', 'git@'), { maxLength: 12 }).map((parts) => parts.join('')),
  )
  const parents = ['https://h.example/a/b.git', 'git@h.example:a/b.git', 'ssh://git@h.example:22/a/b']

  test('never takes credentials to another host', () => {
    fc.assert(
      fc.property(fc.constantFrom(...parents), url, (parent, inside) => {
        const credentials = isSshUrl(parent)
          ? ({ kind: 'ssh', privateKey: 'CANARY' } as const)
          : ({ kind: 'bearer', token: 'CANARY' } as const)
        try {
          const remote = submoduleRemote({ url: parent, credentials }, resolveSubmoduleUrl(parent, inside))
          if (remote.credentials === credentials)
            expect(remote.url).toMatch(/^(?:https:\/\/|ssh:\/\/git@|git@)h\.example(?::22|:443)?[/:]|^https:\/*[^/]*@?h\.example/)
        } catch (error) {
          expect(error).toBeInstanceOf(GitError)
        }
      }),
      { numRuns: 3_000 },
    )
  })

  test('is read without a fault', () => {
    const settings = fc.array(fc.tuple(fc.string({ maxLength: 20 }), fc.string({ maxLength: 20 })), { maxLength: 10 })
    fc.assert(
      fc.property(settings, fc.string({ maxLength: 300 }), (entries, text) => {
        for (const { path, url: from } of submodulesOf(entries)) expect([typeof path, typeof from]).toEqual(['string', 'string'])
        const pointer = parsePointer(text)
        if (pointer) expect(pointer.oid).toMatch(/^[0-9a-f]{64}$/)
      }),
    )
  })
})
