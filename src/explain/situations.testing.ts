// Situations in which something is not deployed, and the check that each names the link that blocks.
import { expect, test } from 'vitest'
import { explain } from './explain.ts'
import { condition, deployment, gitRepo, hub, NOW, undeployed } from './objects.testing.ts'
import type { ExplainObjects, LinkName, Subject, Verdict } from './types.ts'

export const BUNDLE: Subject = { kind: 'Bundle', namespace: 'ws', name: 'app' }
export const ON_ONE: Subject = { ...BUNDLE, cluster: 'one' }
export const REPO: Subject = { kind: 'GitRepo', namespace: 'ws', name: 'repo' }
export const OP: Subject = { kind: 'HelmOp', namespace: 'ws', name: 'op' }
export const ONE: Subject = { kind: 'Cluster', namespace: 'ws', name: 'one' }
export const DEPLOYMENT: Subject = { kind: 'BundleDeployment', namespace: 'cluster-one', name: 'app' }

interface Expected {
  readonly reason: string
  /** What the message has to say. */
  readonly says: readonly string[]
  /** blocked, if not said otherwise */
  readonly verdict?: Verdict
  readonly since?: string
  readonly nextTry?: string
}

export type Situation = readonly [what: string, subject: Subject, objects: ExplainObjects, expected: Expected]

export const two = deployment('two')
export const DELETED = '2026-01-02T10:00:00Z'

/** The hub with these deployments. */
export const deploying = (...deployments: ReturnType<typeof deployment>[]) => hub({ bundleDeployments: deployments })

/** The agent of cluster one reports an error that it tries again. */
export const failing = (message: string, reason = 'Error') =>
  deploying(undeployed('one', {}, { conditions: [condition('Deployed', 'False', message, reason)] }), two)

/** The agent of cluster one reports an error that is final. */
export const givenUp = (message: string) =>
  deploying(deployment('one', {}, { ready: false, release: '', conditions: [condition('Installed', 'False', message)] }), two)

/** The hub with a GitRepo of these conditions. */
export const repoWith = (...conditions: ReturnType<typeof condition>[]) => hub({ gitRepos: [gitRepo({}, { conditions })] })

/** One test a situation: all of them are to be blamed on this link. */
export function blames(link: LinkName, situations: readonly Situation[]): void {
  test.each(situations)(`${link}: %s`, (_, subject, objects, { reason, says, verdict = 'blocked', since, nextTry }) => {
    const explanation = explain(subject, objects, NOW)
    const { blocking } = explanation
    expect(blocking).toMatchObject({ name: link, reason, ...(since ? { since } : {}), ...(nextTry ? { nextTry } : {}) })
    expect(explanation.verdict).toBe(verdict)
    for (const text of says) expect(blocking?.message).toContain(text)
    expect(explanation.links).toContain(blocking)
  })
}
