import { describe, expect, test } from 'vitest'
import type { GitRepo } from '../api/git-repo.ts'
import { GIT_REPO } from '../api/kinds.ts'
import { optionsOfGitRepo } from './git-repo-options.ts'
import { imageScansOf } from './image-scans.ts'
import { applyOverrides } from './overrides.ts'

describe('applyOverrides', () => {
  test('what is given replaces what the file says', () => {
    const spec = {
      serviceAccount: 'file',
      namespace: 'file',
      targets: [{ name: 'a', namespace: 'x' }, { name: 'b' }],
      correctDrift: { enabled: true, force: true },
    }
    const overrides = {
      serviceAccount: 'repo',
      targetNamespace: 'ns',
      paused: true,
      keepResources: true,
      deleteNamespace: true,
      forceSyncGeneration: 3,
      correctDrift: { enabled: true, keepFailHistory: false },
    }
    expect(applyOverrides(spec, overrides)).toEqual({
      serviceAccount: 'repo',
      namespace: 'ns',
      targets: [
        { name: 'a', namespace: 'ns' },
        { name: 'b', namespace: 'ns' },
      ],
      paused: true,
      keepResources: true,
      deleteNamespace: true,
      forceSyncGeneration: 3,
      correctDrift: { enabled: true },
    })
  })

  test('what is not given leaves the file alone, but for forceSyncGeneration', () => {
    const spec = { serviceAccount: 'file', paused: true, keepResources: true, forceSyncGeneration: 5, correctDrift: { enabled: true } }
    const { forceSyncGeneration: _gone, ...kept } = spec
    expect(
      applyOverrides(spec, { serviceAccount: '', paused: false, keepResources: false, correctDrift: { enabled: false, force: true } }),
    ).toEqual(kept)
    expect(applyOverrides(spec)).toEqual(kept)
  })
})

describe('optionsOfGitRepo', () => {
  test('labels, targets and options are handed on', () => {
    const labels = { team: 'red', 'fleet.cattle.io/created-by-display-name': 'x', 'fleet.cattle.io/shard-ref': 's' }
    const gitRepo: GitRepo = {
      ...GIT_REPO,
      metadata: { name: 'repo', namespace: 'ws', labels },
      spec: { repo: 'url', paths: ['a'], targets: [{ name: '', clusterName: 'c', clusterSelector: {} }], paused: true },
    }
    expect(optionsOfGitRepo(gitRepo, 'abc')).toMatchObject({
      repoName: 'repo',
      namespace: 'ws',
      paths: ['a'],
      labels: { team: 'red', 'fleet.cattle.io/shard-ref': 's', 'fleet.cattle.io/repo-name': 'repo', 'fleet.cattle.io/commit': 'abc' },
      targets: { targets: [{ clusterName: 'c', clusterSelector: {} }], targetRestrictions: [{ clusterName: 'c', clusterSelector: {} }] },
      overrides: { paused: true },
    })
  })
})

describe('imageScansOf', () => {
  const scan = { image: 'example/app', tagName: 'app', interval: '15m', policy: { semver: { range: '*' } } }

  test('entries are named by their place; those without image are left out', () => {
    const scans = imageScansOf([scan, { tagName: 'none' } as typeof scan, { ...scan, interval: '' }], 'repo-app', true, 'f')
    expect(scans.map(({ metadata, spec }) => [metadata.name, spec.interval])).toEqual([
      ['imagescan-repo-app-0', '15m0s'],
      ['imagescan-repo-app-2', '0s'],
    ])
  })

  test('what is missing, wrong or switched off is an error', () => {
    expect(() => imageScansOf([{ ...scan, tagName: '' }], 'b', true, 'f')).toThrow('f: imageScans[0] needs a tagName')
    expect(() => imageScansOf([{ ...scan, interval: 'soon' }], 'b', true, 'f')).toThrow('f: imageScans[0].interval must be a duration')
    expect(() => imageScansOf([scan], 'b', false, 'f')).toThrow(/switched off/)
    expect(imageScansOf([], 'b', false, 'f')).toEqual([])
  })
})
