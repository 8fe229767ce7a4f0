// What tests that talk to a real API server are given: the clusters of this run.
import { randomBytes } from 'node:crypto'
import { inject } from 'vitest'

/** One cluster of the test run; the API server is shared with other test files, so keep to namespaces and names of your own. */
export interface TestCluster {
  readonly name: string
  /** URL of the API server. */
  readonly url: string
  /** CA certificate, PEM; empty when a given kubeconfig has none. */
  readonly ca: string
  /** Bearer token of an administrator; empty when a given kubeconfig authenticates in another way. */
  readonly token: string
  /** Path of a kubeconfig with an administrator's rights. */
  readonly kubeconfig: string
  /** Folder with kubectl and helm, and with the programs of a control plane unless all kubeconfigs were given. */
  readonly bin: string
}

/** Names of the clusters that exist in every run. */
export type TestClusterName = 'hub' | 'downstream'

declare module 'vitest' {
  export interface ProvidedContext {
    clusters: Readonly<Record<TestClusterName, TestCluster>>
  }
}

/** The shared cluster of that name; only in `*.api.test.ts` and `*.story.test.ts`. Fleet's CRDs are installed. */
export function testCluster(name: TestClusterName): TestCluster {
  return inject('clusters')[name]
}

/** A name for a namespace (or anything else) that no other test uses; does not create it. */
export function uniqueNamespace(prefix = 'test'): string {
  return `${prefix}-${randomBytes(5).toString('hex')}`
}
