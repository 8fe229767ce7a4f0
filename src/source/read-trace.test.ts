import { describe, expect, test } from 'vitest'
import { type CommitFiles, openCommitFiles } from '../lib/git/commit-files.ts'
import { describeWritten } from '../lib/git/written-files.ts'
import { isUntouched, type OpenTrace, type ReadTrace, recordTrace } from './read-trace.ts'

/** Path → content; the folder of a path is made. A content that begins with `->` is a link. */
function commit(tree: Record<string, string>): CommitFiles {
  const folders = new Set(
    Object.keys(tree).flatMap((path) => {
      const parts = path.split('/').slice(0, -1)
      return parts.map((_, at) => parts.slice(0, at + 1).join('/'))
    }),
  )
  const files = Object.entries(tree).map(([path, text]) => ({
    path,
    oid: text,
    kind: text.startsWith('->') ? ('link' as const) : ('file' as const),
  }))
  const links = new Map(files.filter(({ kind }) => kind === 'link').map(({ path, oid }) => [path, oid.slice(2)]))
  return openCommitFiles(describeWritten({ folders: [...folders].sort(), files }, links))
}

const BEFORE = { 'app/fleet.yaml': '1', 'app/cm.yaml': '2', 'base/values.yaml': '3', 'app/link': '->../base/values.yaml', other: '4' }

/** A reading of the folder `app`. */
function read(files: CommitFiles, look: (trace: OpenTrace) => void = () => {}): ReadTrace | undefined {
  const trace = recordTrace(files)
  trace.list('app', files.list('app'))
  trace.content('app/fleet.yaml', '.')
  trace.content('app/link', '.')
  look(trace)
  return trace.finish()
}

describe('isUntouched', () => {
  const trace = read(commit(BEFORE))!
  const isSameAfter = (change: Record<string, string>) => isUntouched(trace, commit({ ...BEFORE, ...change }))

  test.each([
    ['a change elsewhere', { other: 'x', 'new/file': 'x' }],
    ['the content of a file that was only seen in a list', { 'app/cm.yaml': 'x' }],
    ['a link elsewhere to the same content', { 'app/link': '->../copy', copy: '3' }],
  ])('yes for %s', (_, change) => {
    expect(isSameAfter(change)).toBe(true)
  })

  test.each([
    ['a file that was read', { 'app/fleet.yaml': 'x' }],
    ['a new file in a folder that was listed', { 'app/new': 'x' }],
    ['the file behind a link', { 'base/values.yaml': 'x' }],
    ['a link that leads elsewhere', { 'app/link': '->../other' }],
    ['a file that became a link', { 'app/cm.yaml': '->fleet.yaml' }],
  ])('no for %s', (_, change) => {
    expect(isSameAfter(change)).toBe(false)
  })

  test('what was not there counts', () => {
    const files = commit(BEFORE)
    const asked = read(files, (trace) => {
      trace.kind('chart', files.kind('chart'))
      trace.list('none', undefined)
    })!
    expect(isUntouched(asked, commit({ ...BEFORE, more: 'x' }))).toBe(true)
    expect(isUntouched(asked, commit({ ...BEFORE, chart: 'x' }))).toBe(false)
    expect(isUntouched(asked, commit({ ...BEFORE, 'none/x': 'x' }))).toBe(false)
  })

  test('the border that a file must not leave counts', () => {
    const tree = { 'app/link': '->../lib/x', 'lib/x': '1', 'app/own': '1' }
    const files = commit(tree)
    const trace = recordTrace(files)
    trace.content('app/own', 'app')
    const done = trace.finish()!
    expect(isUntouched(done, commit({ ...tree, 'lib/x': '2' }))).toBe(true)
    expect(isUntouched(done, commit({ ...tree, 'app/own': '->../lib/x' }))).toBe(false)
  })
})

describe('recordTrace', () => {
  test('gives nothing once it is spoiled', () => {
    const trace = recordTrace(commit(BEFORE))
    trace.spoil('charts from elsewhere')
    trace.spoil('another reason')
    expect(trace.finish()).toBeUndefined()
    expect(trace.spoiled).toBe('charts from elsewhere')
  })

  test.each<[string, (trace: OpenTrace) => void]>([
    ['a file that the commit does not have', (trace) => trace.content('app/gone', '.')],
    ['a file outside of its border', (trace) => trace.content('app/link', 'app')],
    ['another kind', (trace) => trace.kind('app', 'file')],
    ['another list', (trace) => trace.list('base', [])],
    ['a list of what is no folder', (trace) => trace.list('other', [])],
  ])('is spoiled by %s', (_, look) => {
    expect(read(commit(BEFORE), look)).toBeUndefined()
  })

  test('gives up on more names than it may keep', () => {
    const files = commit(BEFORE)
    const trace = recordTrace(files, 20)
    for (const path of ['app/fleet.yaml', 'app/cm.yaml']) trace.content(path, '.')
    expect(trace.finish()).toBeUndefined()
  })
})
