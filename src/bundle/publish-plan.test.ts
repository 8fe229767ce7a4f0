import { describe, expect, test } from 'vitest'
import type { Bundle, BundleSpec } from '../api/bundle.ts'
import { BUNDLE } from '../api/kinds.ts'
import { TerminalError, WaitingError } from '../lib/controller/errors.ts'
import type { BundleDraft } from './draft.ts'
import { planPublish, wantedBundles } from './publish-plan.ts'

const LABELS = { 'fleet.cattle.io/repo-name': 'repo' }

function draft(name: string, origin = name, spec: BundleSpec = {}): BundleDraft {
  return {
    bundle: { ...BUNDLE, metadata: { name, namespace: 'ws', labels: LABELS }, spec },
    values: { hash: '', data: {} },
    scans: [],
    origin,
  }
}

function stored(name: string, metadata: Partial<Bundle['metadata']> = {}, spec: BundleSpec = {}): Bundle {
  return {
    ...BUNDLE,
    metadata: { name, namespace: 'ws', uid: `uid-${name}`, resourceVersion: '7', finalizers: ['f'], labels: LABELS, ...metadata },
    spec,
    status: { display: {} },
  }
}

function plan(drafts: BundleDraft[], existing: Bundle[]) {
  const owned = existing.filter(({ metadata }) => metadata.labels?.['fleet.cattle.io/repo-name'] === 'repo')
  const result = planPublish('repo', wantedBundles(drafts).wanted, (name) => existing.find(({ metadata }) => metadata.name === name), owned)
  return Object.fromEntries(
    Object.entries(result).map(([key, list]) => [
      key,
      list.map((one: { bundle: Bundle } | Bundle) => ('bundle' in one ? one.bundle : one).metadata.name),
    ]),
  )
}

describe('planPublish', () => {
  test('creates what is new, keeps what is the same, replaces what differs, removes what is gone', () => {
    const existing = [
      stored('same', {}, { paused: true }),
      stored('other', {}, { paused: true }),
      stored('gone'),
      stored('going', { deletionTimestamp: 'now' }),
      stored('by-hand', { labels: {} }),
    ]
    expect(plan([draft('new'), draft('same', 'same', { paused: true }), draft('other')], existing)).toEqual({
      create: ['new'],
      update: ['other'],
      keep: ['same'],
      remove: ['gone'],
    })
  })

  test('what the API server adds makes no difference', () => {
    const resources = [{ name: 'a', content: '' }]
    expect(
      plan(
        [draft('b', 'b', { resources })],
        [
          stored(
            'b',
            { annotations: {} },
            { targetCustomizationMode: 'FirstMatch', resources: [{ name: 'a', content: '', encoding: '' }] },
          ),
        ],
      ),
    ).toMatchObject({ keep: ['b'] })
    expect(plan([draft('b')], [stored('b', {}, { targetCustomizationMode: 'AllMatches' })])).toMatchObject({ update: ['b'] })
  })

  test('labels and annotations are replaced completely, other metadata stays', () => {
    const existing = stored('b', { labels: { ...LABELS, foreign: 'x' }, annotations: { note: 'a' } }, { paused: true })
    const { update } = planPublish('repo', wantedBundles([draft('b')]).wanted, () => existing, [existing])
    expect(update[0]?.bundle).toEqual({
      ...BUNDLE,
      metadata: { name: 'b', namespace: 'ws', uid: 'uid-b', resourceVersion: '7', finalizers: ['f'], labels: LABELS },
      spec: {},
    })
  })

  test.each([
    [
      stored('b', { labels: { 'fleet.cattle.io/repo-name': 'other' } }),
      'the bundle b belongs to the GitRepo other: set another name in fleet.yaml',
    ],
    [
      stored('b', { labels: { 'fleet.cattle.io/fleet-helm-name': 'op' } }),
      'the bundle b belongs to the HelmOp op: set another name in fleet.yaml',
    ],
    [stored('b', { labels: {} }, { helmOpOptions: {} }), 'the bundle b belongs to the HelmOp b: set another name in fleet.yaml'],
  ])('a name of somebody else is refused before anything is written', (existing, message) => {
    expect(() => plan([draft('a'), draft('b')], [existing])).toThrow(new TerminalError(message))
  })

  test('a bundle that nobody claims is taken over', () => {
    expect(plan([draft('b')], [stored('b', { labels: {} })])).toMatchObject({ update: ['b'] })
  })

  test('a bundle that is being deleted is waited for', () => {
    const act = () => plan([draft('b')], [stored('b', { deletionTimestamp: 'now' })])
    expect(act).toThrow(WaitingError)
    expect(act).toThrow(/being deleted: b$/)
  })
})

describe('wantedBundles', () => {
  test('a folder that is found twice counts once', () => {
    expect(wantedBundles([draft('a'), draft('b'), draft('a')]).wanted.map(({ bundle }) => bundle.metadata.name)).toEqual(['a', 'b'])
  })

  test('two folders with one name, and names that are none, are errors', () => {
    expect(() => wantedBundles([draft('a', 'x'), draft('a', 'y')])).toThrow(
      'x and y both give a bundle named a: set another name in one of their fleet.yaml',
    )
    expect(() => wantedBundles([draft('Not Valid', 'x')])).toThrow(/^x: "Not Valid" cannot be the name of a bundle/)
    expect(() => wantedBundles([draft('a'.repeat(64), 'x')])).toThrow(TerminalError)
  })

  test('what only controllers may set is taken out, with a warning', () => {
    const spec = { contentsId: 'x', helmOpOptions: {}, overwrites: [], allowedTargetNamespaceSelector: {}, valuesHash: 'x', paused: true }
    const { wanted, warnings } = wantedBundles([draft('a', 'folder', spec)])
    expect(wanted[0]?.bundle.spec).toEqual({ paused: true })
    expect(warnings).toEqual([
      'folder: only Fleet itself may set contentsId, helmOpOptions, overwrites, allowedTargetNamespaceSelector: ignored',
    ])
  })
})
