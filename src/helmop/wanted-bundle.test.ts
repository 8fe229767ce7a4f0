import { expect, test } from 'vitest'
import type { Bundle } from '../api/bundle.ts'
import type { HelmOp, HelmOpSpec } from '../api/helm-op.ts'
import { BUNDLE, HELM_OP } from '../api/kinds.ts'
import { COMMIT_LABEL, HELM_OP_GENERATION_ANNOTATION, HELM_OP_LABEL, REPO_NAME_LABEL } from '../api/labels.ts'
import { TerminalError, WaitingError } from '../lib/controller/errors.ts'
import { checkOwner, wantedBundle } from './wanted-bundle.ts'

const repo = 'https://charts.example/stable'
const helmOp = (spec: Partial<HelmOpSpec> = {}): HelmOp => ({
  ...HELM_OP,
  metadata: { name: 'hello', namespace: 'fleet-default', labels: { mine: 'yes' }, annotations: { note: 'x' } },
  spec: { helm: { repo, chart: 'hello', version: '1.x' }, ...spec },
})
const facts = { version: '1.2.0', serviceAccount: '', helmSecretName: '', caBundle: undefined, settledFor: undefined }

test('a HelmOp becomes a bundle of its name without files', () => {
  expect(wantedBundle(helmOp({ pollingInterval: '1m', labels: { tier: 'front' }, paused: true }), facts)).toEqual({
    ...BUNDLE,
    metadata: { name: 'hello', namespace: 'fleet-default', labels: { tier: 'front', [HELM_OP_LABEL]: 'hello' } },
    spec: {
      paused: true,
      helm: { repo, chart: 'hello', version: '1.2.0' },
      targets: [{ name: 'default', clusterGroup: 'default' }],
      helmOpOptions: {},
    },
  })
})

test('targets that change helm options get the chart in the version that was found', () => {
  const { spec } = wantedBundle(helmOp({ targets: [{ clusterName: 'a' }, { clusterName: 'b', helm: { releaseName: 'r' } }] }), facts)
  expect(spec.targets).toEqual([
    { name: 'target000', clusterName: 'a' },
    { name: 'target001', clusterName: 'b', helm: { releaseName: 'r', repo, chart: 'hello', version: '1.2.0' } },
  ])
})

test('agents are told how to reach the repository, and policies set what is missing', () => {
  const bundle = wantedBundle(helmOp({ insecureSkipTLSVerify: true }), {
    ...facts,
    serviceAccount: 'team',
    helmSecretName: 'pull',
    caBundle: 'PEM',
    settledFor: '4',
  })
  expect(bundle.spec).toMatchObject({
    serviceAccount: 'team',
    helmOpOptions: {
      helmOpSecretName: 'pull',
      helmOpInsecureSkipTLSVerify: true,
      helmOpCABundle: Buffer.from('PEM').toString('base64'),
    },
  })
  expect(bundle.metadata.annotations).toEqual({ [HELM_OP_GENERATION_ANNOTATION]: '4' })
})

test('what only controllers may set is left out', () => {
  const { spec, metadata } = wantedBundle(
    helmOp({
      labels: { [REPO_NAME_LABEL]: 'other', [COMMIT_LABEL]: 'c', [HELM_OP_LABEL]: 'other' },
      resources: [{ name: 'a.yaml', content: 'a' }],
      contentsId: 's-1',
      valuesHash: 'h',
      overwrites: [{ kind: 'ConfigMap', name: 'x' }],
    }),
    facts,
  )
  expect(Object.keys(spec).sort()).toEqual(['helm', 'helmOpOptions', 'targets'])
  expect(metadata.labels).toEqual({ [HELM_OP_LABEL]: 'hello' })
})

test('a bundle of somebody else is not taken over', () => {
  const bundle = (labels: Record<string, string>, spec: Bundle['spec'], deletionTimestamp?: string): Bundle => ({
    ...BUNDLE,
    metadata: { name: 'hello', labels, ...(deletionTimestamp ? { deletionTimestamp } : {}) },
    spec,
  })
  const check = (existing: Bundle | undefined) => () => checkOwner(helmOp(), existing)
  expect(check(undefined)).not.toThrow()
  expect(check(bundle({ [HELM_OP_LABEL]: 'hello' }, { helmOpOptions: {} }))).not.toThrow()
  expect(check(bundle({}, { resources: [] }))).toThrow(new TerminalError('a non-helmops bundle already exists with name hello; aborting'))
  expect(check(bundle({ [HELM_OP_LABEL]: 'else' }, { helmOpOptions: {} }))).toThrow(/belongs to the HelmOp else/)
  expect(check(bundle({ [HELM_OP_LABEL]: 'hello' }, { helmOpOptions: {} }, 'now'))).toThrow(WaitingError)
})
