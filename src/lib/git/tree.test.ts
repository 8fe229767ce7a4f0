import { describe, expect, test } from 'vitest'
import { staysInside } from './links.ts'
import { planTree, type TreeEntry, wantedBy } from './tree.ts'
import { DEFAULT_GIT_LIMITS } from './types.ts'

const file = (path: string, mode = '100644'): TreeEntry => ({ path, mode, oid: `oid of ${path}`, type: 'blob' })
const folder = (path: string, oid: string): TreeEntry => ({ path, mode: '040000', oid, type: 'tree' })
function plan(trees: Record<string, TreeEntry[]>, limits = {}) {
  const readTree = async (oid: string): Promise<TreeEntry[]> => trees[oid] ?? []
  return planTree('root', readTree, () => true, { ...DEFAULT_GIT_LIMITS, ...limits }, 'https://git.example/app')
}

describe('the plan of a checkout', () => {
  test('names folders before what is in them', async () => {
    const found = await plan({
      root: [file('a', '100755'), folder('b', 'tb')],
      tb: [folder('c', 'tc'), file('d', '120000')],
      tc: [file('e')],
    })
    expect(found.folders).toEqual(['b', 'b/c'])
    expect(found.files.map(({ path, kind }) => [path, kind])).toEqual([
      ['a', 'executable'],
      ['b/c/e', 'file'],
      ['b/d', 'link'],
    ])
  })

  test.each(['', '.', '..', '.git', '.GiT', 'a/b', 'a\0b'])('refuses the name %j', async (name) => {
    await expect(plan({ root: [file(name)] })).rejects.toMatchObject({ kind: 'protocol' })
  })

  test('refuses a name that comes twice, as file, link or folder', async () => {
    for (const second of [file('a'), file('a', '120000'), folder('a', 'ta')])
      await expect(plan({ root: [file('a', '120000'), second] })).rejects.toMatchObject({ kind: 'protocol' })
  })

  test('ends when a tree holds itself', async () => {
    await expect(plan({ root: [folder('again', 'root')] })).rejects.toMatchObject({ kind: 'too-large' })
    const wide = Array.from({ length: 10 }, (_, n) => folder(`d${n}`, 'root'))
    await expect(plan({ root: wide }, { files: 1_000 })).rejects.toMatchObject({ kind: 'too-large' })
  })
})

describe('wanted paths', () => {
  test.each<[string[] | undefined, string[], string[]]>([
    [undefined, ['a', 'b/c'], []],
    [[], ['a'], []],
    [['.'], ['a', 'b/c'], []],
    [['/'], ['a', 'b/c'], []],
    [['apps'], ['apps', 'apps/x', 'apps/x/y'], ['app', 'apps2', 'apps2/x', 'x/apps']],
    [['apps/x/'], ['apps/', 'apps/x', 'apps/x/y'], ['apps', 'apps/y', 'apps/xy']],
    [['apps/*/prod'], ['apps/', 'apps/a', 'apps/a/b'], ['other']],
    [['*'], ['a', 'b/c'], []],
    [['a/../b'], ['a/x'], ['b']],
  ])('%j', (paths, wanted, unwanted) => {
    const isWanted = wantedBy(paths)
    for (const path of wanted) expect([path, isWanted(path.replace(/\/$/, ''), path.endsWith('/'))]).toEqual([path, true])
    for (const path of unwanted) expect([path, isWanted(path, false)]).toEqual([path, false])
  })
})

describe('links', () => {
  const links = new Map([
    ['in', 'dir/file'],
    ['dir/up', '../file'],
    ['dir/top', '..'],
    ['dir/out', '../../x'],
    ['abs', '/etc/passwd'],
    ['via-top', 'dir/top/dir/file'],
    ['via-top-out', 'dir/top/../x'],
    ['via-abs', 'abs/x'],
    ['nowhere', 'a/b/../../../c'],
    ['loop', 'loop2'],
    ['loop2', 'loop'],
    ['slashes', './/dir///file'],
  ])

  test.each([
    ['in', true],
    ['dir/up', true],
    ['dir/top', true],
    ['dir/out', false],
    ['abs', false],
    ['via-top', true],
    ['via-top-out', false],
    ['via-abs', false],
    ['nowhere', false],
    ['loop', false],
    ['slashes', true],
    ['no link', true],
  ])('%s stays inside: %j', (path, expected) => {
    expect(staysInside(links, path)).toBe(expected)
  })

  test('a chain of links that doubles with each step ends', () => {
    const bomb = new Map(Array.from({ length: 100 }, (_, n) => [`l${n}`, `l${n + 1}/l${n + 1}`] as const))
    expect(staysInside(bomb, 'l0')).toBe(false)
  })
})
