import { describe, expect, test } from 'vitest'
import type { BundleDeploymentSpec } from '../api/bundle-deployment.ts'
import { DELETING_ANNOTATION, type StoredSecret } from '../bundle/oci-secrets.ts'
import { artifactsToDelete } from './oci-unused.ts'
import { bundle, deployment } from './testing/objects.ts'

const secret = (name: string, annotations = {}): StoredSecret => ({ apiVersion: 'v1', kind: 'Secret', metadata: { name, annotations } })
const names = (secrets: readonly StoredSecret[]) => secrets.map(({ metadata }) => metadata.name)
const unused = (contentsId: string | undefined, specs: BundleDeploymentSpec[], owned: StoredSecret[]) =>
  names(
    artifactsToDelete(
      bundle({ contentsId }),
      specs.map((spec) => ({ ...deployment(), spec })),
      owned,
    ).unused,
  )

describe('an artifact', () => {
  const owned = [secret('s-1'), secret('s-2'), secret('s-3')]

  test('is kept for its bundle, and for deployments that have it or are about to', () => {
    const waiting = { ociContents: true, deploymentID: 's-1:x', stagedDeploymentID: 's-2:x' }
    expect(unused('s-3', [waiting], owned)).toEqual([])
    expect(unused('s-3', [{ ...waiting, deploymentID: 's-2:x' }], owned)).toEqual(['s-1'])
    expect(unused('s-3', [], owned)).toEqual(['s-1', 's-2'])
  })

  test('is not kept for deployments that take the same files from the cluster', () => {
    expect(unused(undefined, [{ deploymentID: 's-1:x', stagedDeploymentID: 's-1:x' }], [secret('s-1')])).toEqual(['s-1'])
  })

  test('that somebody began to delete is pushed again when its bundle wants it', () => {
    const marked = secret('s-1', { [DELETING_ANNOTATION]: 'true' })
    expect(names(artifactsToDelete(bundle({ contentsId: 's-1' }), [], [marked]).stale)).toEqual(['s-1'])
    expect(names(artifactsToDelete(bundle({ contentsId: 's-1' }), [], [secret('s-1')]).stale)).toEqual([])
  })
})
