import { describe, expect, test } from 'vitest'
import { TerminalError } from '../lib/controller/errors.ts'
import { wantedChart } from './chart.ts'

const repo = 'https://charts.example/stable'

describe('what is asked for', () => {
  test.each([
    [{ chart: 'https://x.example/a.tgz' }, 'archive'],
    [{ chart: 'https://x.example/A.TGZ' }, 'archive'],
    [{ repo: 'oci://x.example:5000/a/b:1.0.0' }, 'archive'],
    [{ repo: `oci://x.example/a@sha256:${'0'.repeat(64)}` }, 'archive'],
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
    [{}, 'helm options invalid: neither a chart nor a repo'],
    [{ chart: 'a.tgz', repo }, 'helm options invalid: tarball chart with a non-empty repo field'],
    [{ chart: 'a.tgz', version: '1.0.0' }, 'helm options invalid: tarball chart with a non-empty version field'],
    [{ chart: 'a', repo: 'oci://x.example/a' }, 'helm options invalid: OCI repository with a non-empty chart field'],
    [{ repo }, 'helm options invalid: non-OCI repository with an empty chart field'],
    [{ chart: 'a' }, 'helm options invalid: non-tarball chart with an empty repo field'],
  ])('%j is refused', (helm, message) => {
    expect(() => wantedChart(helm)).toThrow(new TerminalError(message))
  })

  test('a version that is none is refused', () => {
    expect(() => wantedChart({ repo, chart: 'a', version: 'newest' })).toThrow(/"newest" is no version and no range/)
  })
})
