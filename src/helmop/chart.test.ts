import { describe, expect, test } from 'vitest'
import type { HelmOpSpec } from '../api/helm-op.ts'
import { TerminalError } from '../lib/controller/errors.ts'
import { unusedValuesFiles, wantedChart } from './chart.ts'

const repo = 'https://charts.example/stable'
const digest = `sha256:${'0'.repeat(64)}`

describe('what is asked for', () => {
  test.each([
    [{ chart: 'https://x.example/a.tgz' }, 'archive'],
    [{ chart: 'https://x.example/A.TGZ' }, 'archive'],
    [{ repo: 'oci://x.example:5000/a/b:1.0.0' }, 'archive'],
    [{ repo: `oci://x.example/a@${digest}` }, 'archive'],
    [{ repo: `oci://x.example/a@${digest}`, version: '1.0.0' }, 'archive'],
    [{ repo: 'oci://x.example/a:1.0.0_b', version: '1.0.0+b' }, 'archive'],
    [{ chart: 'oci://x.example/a.tgz' }, 'archive'],
    [{ repo, chart: 'a', version: '1.2.3' }, 'exact'],
    [{ repo, chart: 'a', version: '1.2.3-rc.1+b' }, 'exact'],
    [{ repo, chart: 'a', version: 'v1.2.3' }, 'range'],
    [{ repo, chart: 'a', version: '1.2' }, 'range'],
    [{ repo, chart: 'a', version: '>=1 <2' }, 'range'],
    [{ repo, chart: 'a' }, 'range'],
    [{ repo: 'oci://x.example:5000/a/b', version: '*' }, 'range'],
  ])('%j is an %s', (helm, kind) => {
    expect(wantedChart(helm).kind).toBe(kind)
  })

  test.each([
    [undefined, "helm options are empty in the HelmOp's spec"],
    [{}, 'helm options invalid: non-OCI repository with an empty chart field'],
    [{ chart: 'a.tgz', repo }, 'helm options invalid: tarball chart with a non-empty repo field'],
    [{ chart: 'a.tgz', version: '1.0.0' }, 'helm options invalid: tarball chart with a non-empty version field'],
    [{ chart: 'a', repo: 'oci://x.example/a' }, 'helm options invalid: OCI repository with a non-empty chart field'],
    [{ repo }, 'helm options invalid: non-OCI repository with an empty chart field'],
    [{ chart: 'a' }, 'helm options invalid: non-tarball chart with an empty repo field'],
    [{ repo: 'OCI://x.example/a' }, 'helm options invalid: OCI repository with a scheme in upper case: write oci://'],
    [
      { repo: 'oci://x.example/a:latest' },
      'helm options invalid: OCI repository with the tag latest, which is no version: name one, or a digest',
    ],
    [{ chart: 'a.tgz' }, 'helm options invalid: tarball chart a.tgz without an address: write https://host/path'],
    [
      { repo: 'oci://x.example/a:1.0.0', version: '1.x' },
      'helm options invalid: OCI repository with the tag 1.0.0 and another version: leave one of them out',
    ],
    [
      { repo: `oci://x.example/a@${digest}`, version: '1.x' },
      'helm options invalid: OCI repository with a digest and a range: leave one of them out',
    ],
  ])('%j is refused', (helm, message) => {
    expect(() => wantedChart(helm)).toThrow(new TerminalError(message))
  })

  test('a version that is none is refused', () => {
    expect(() => wantedChart({ repo, chart: 'a', version: 'newest' })).toThrow(
      /^could not get a chart version: the version "newest" is no version and no range/,
    )
  })
})

describe('values files', () => {
  test.each<[string, HelmOpSpec]>([
    ['spec.helm.valuesFiles', { helm: { repo, chart: 'a', valuesFiles: ['base.yaml', 'eu.yaml'] } }],
    [
      'spec.targets[1].helm.valuesFiles',
      { helm: { repo, chart: 'a' }, targets: [{}, { helm: { valuesFiles: ['base.yaml', 'eu.yaml'] } }] },
    ],
  ])('at %s are told of: a HelmOp has no files', (field, spec) => {
    expect(unusedValuesFiles(spec)).toBe(
      `${field} names base.yaml, eu.yaml, which have no effect: a HelmOp has no files; put their content into helm.values, or into ConfigMaps or Secrets of the clusters that helm.valuesFrom names`,
    )
  })

  test('that are none are fine', () => {
    expect(unusedValuesFiles({ helm: { repo, chart: 'a', valuesFiles: [] }, targets: [{ helm: {} }, {}] })).toBeUndefined()
    expect(unusedValuesFiles({})).toBeUndefined()
  })
})
