// Exchange of an agent's credential, decided from what is there: the account stays with its rights, it gets another token, and the old token ends once the agent
// reports that it works with the new one. Pure.

import type { Cluster } from '../api/cluster.ts'
import type { ClusterRegistration } from '../api/cluster-registration.ts'
import { ROTATE_ANNOTATION } from '../api/labels.ts'
import { keyHash, safeConcatName } from '../api/names.ts'
import type { ConditionUpdate } from '../lib/controller/conditions.ts'
import { accountOf } from './account-token.ts'
import { type Secret, secretText } from './kinds.ts'

/** What there is to know. */
interface RotationFacts {
  /** Registrations of the cluster, in any order. */
  readonly registrations: readonly ClusterRegistration[]
  /** Name of the account of a registration. */
  readonly accountOf: (registration: ClusterRegistration) => string
  /** Secrets with tokens in the namespace of the cluster. */
  readonly tokens: readonly Secret[]
}

/** What to do. `secret` is the name of the one that the agent is to use. */
export type RotationStep =
  /** Nobody asks for anything. */
  | { readonly kind: 'none' }
  /** The agent has to register first; that gives it a new credential anyway. */
  | { readonly kind: 'unregistered' }
  /** Make the secret, or wait until the API server has filled it. */
  | { readonly kind: 'prepare'; readonly account: string; readonly secret: string; readonly exists: boolean }
  /** The agent can fetch it. */
  | { readonly kind: 'offer'; readonly secret: string }
  /** The agent uses it: the others end. */
  | { readonly kind: 'finish'; readonly secret: string; readonly revoke: readonly Secret[] }

/** The next step; each is repeated without harm. */
export function rotationStep(cluster: Cluster, facts: RotationFacts): RotationStep {
  const asked = cluster.metadata.annotations?.[ROTATE_ANNOTATION]
  if (!asked) return { kind: 'none' }
  const registration = newestGranted(facts.registrations)
  if (!registration) return { kind: 'unregistered' }
  const account = facts.accountOf(registration)
  const secret = safeConcatName(account, 'token', keyHash(asked))
  const own = facts.tokens.filter((token) => accountOf(token) === account)
  const live = own.find(({ metadata }) => metadata.name === secret)
  if (!live || !secretText(live, 'token')) return { kind: 'prepare', account, secret, exists: live !== undefined }
  if (cluster.status?.agent?.credential !== secret) return { kind: 'offer', secret }
  // a newer one is of a rotation that was taken back: the agent may just have fetched it
  return { kind: 'finish', secret, revoke: own.filter((other) => other !== live && createdAt(other) <= createdAt(live)) }
}

/** Condition `CredentialsRotated`; undefined when there is nothing to say. */
export function rotationCondition(step: RotationStep): ConditionUpdate | undefined {
  switch (step.kind) {
    case 'none':
      return undefined
    case 'unregistered':
      return said('Unknown', 'WaitingForRegistration', 'waits until the agent has registered: see condition Connected')
    case 'prepare':
      return said('Unknown', 'WaitingForToken', `waits for the token in secret ${step.secret}`)
    case 'offer':
      return said(
        'False',
        'WaitingForAgent',
        `a new credential is in secret ${step.secret}: the agent takes it up with its next report, until then the old one is good; agents of other releases do not, for these raise spec.redeployAgentGeneration`,
      )
    case 'finish':
      return said('True', 'Rotated', `the agent uses the credential in secret ${step.secret}; older ones have ended`)
  }
}

function said(status: ConditionUpdate['status'], reason: string, message: string): ConditionUpdate {
  return { type: 'CredentialsRotated', status, reason, message }
}

function newestGranted(registrations: readonly ClusterRegistration[]): ClusterRegistration | undefined {
  const granted = registrations.filter(({ metadata, status }) => status?.granted && !metadata.deletionTimestamp)
  return granted.sort((a, b) => (ageKey(a) < ageKey(b) ? 1 : -1))[0]
}

function ageKey({ metadata }: ClusterRegistration): string {
  return `${metadata.creationTimestamp} ${metadata.name}`
}

function createdAt({ metadata }: Secret): number {
  return Date.parse(metadata.creationTimestamp ?? '')
}
