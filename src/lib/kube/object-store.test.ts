import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { createObjectStore } from './object-store.ts'
import type { KubeObject } from './types.ts'

interface Thing extends KubeObject {
  colour: string
}

function thing(name: string, version: number, colour = 'red', uid = 'u1', namespace = 'ns'): Thing {
  return { apiVersion: 'v1', kind: 'Thing', metadata: { name, namespace, uid, resourceVersion: String(version) }, colour }
}

describe('a store of objects', () => {
  test('says what a change was', () => {
    const store = createObjectStore<Thing>()
    const [one, two] = [thing('a', 1), thing('a', 2)]
    expect(store.put(one)).toEqual([{ type: 'added', object: one }])
    expect(store.put(thing('a', 1))).toEqual([])
    expect(store.put(two)).toEqual([{ type: 'modified', object: two, old: one }])
    const reborn = thing('a', 3, 'red', 'u2')
    expect(store.put(reborn)).toEqual([
      { type: 'deleted', object: two, old: two },
      { type: 'added', object: reborn },
    ])
    expect(store.remove(thing('a', 4, 'red', 'u2'))).toMatchObject([
      { type: 'deleted', object: { metadata: { resourceVersion: '4' } }, old: reborn },
    ])
    expect(store.remove(reborn)).toEqual([])
  })

  test('keeps the old object where a new list has the same version', () => {
    const store = createObjectStore<Thing>()
    const one = thing('a', 1)
    store.put(one)
    store.put(thing('gone', 1))
    const events = store.replace([thing('a', 1), thing('new', 2)])
    expect(events.map(({ type, object }) => `${type} ${object.metadata.name}`)).toEqual(['deleted gone', 'added new'])
    expect(store.get('a', 'ns')).toBe(one)
    expect(store.size).toBe(2)
  })

  test('finds by key, namespace and index', () => {
    const store = createObjectStore<Thing>()
    store.put(thing('a', 1, 'red', 'u', 'x'))
    store.addIndex('colour', colourOf)
    store.put(thing('b', 1, 'blue', 'u', 'y'))
    store.addIndex('colour', colourOf)
    expect(store.list('x').map(nameOf)).toEqual(['a'])
    expect(store.list().map(nameOf)).toEqual(['a', 'b'])
    expect(store.by('colour', 'blue').map(nameOf)).toEqual(['b'])
    store.put(thing('b', 2, 'red', 'u', 'y'))
    expect(store.by('colour', 'red').map(nameOf)).toEqual(['a', 'b'])
    expect(store.by('colour', 'blue')).toEqual([])
    expect(store.get('b')).toBeUndefined()
    expect(() => store.by('size', '1')).toThrow('no index "size"')
    expect(() => store.addIndex('colour', () => [])).toThrow('another index')
  })

  test('its indexes always agree with its objects', () => {
    const step = fc.record({
      name: fc.constantFrom('a', 'b', 'c'),
      colour: fc.constantFrom('red', 'blue'),
      uid: fc.constantFrom('u1', 'u2'),
      gone: fc.boolean(),
    })
    fc.assert(
      fc.property(fc.array(step), (steps) => {
        const store = createObjectStore<Thing>()
        store.addIndex('colour', colourOf)
        steps.forEach(({ name, colour, uid, gone }, version) => {
          const object = thing(name, version, colour, uid)
          if (gone) store.remove(object)
          else store.put(object)
        })
        for (const colour of ['red', 'blue']) {
          const expected = store.list().filter((object) => object.colour === colour)
          expect(store.by('colour', colour).map(nameOf).sort()).toEqual(expected.map(nameOf).sort())
        }
        expect(store.list('ns')).toHaveLength(store.size)
      }),
    )
  })
})

function colourOf(object: Thing): readonly string[] {
  return [object.colour]
}

function nameOf(object: Thing): string {
  return object.metadata.name
}
