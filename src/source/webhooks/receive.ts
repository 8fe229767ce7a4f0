// What a request to the webhook listener is answered with, and which GitRepos are to look at their server because of it: pure (spec 8.4).
//
// A push is only a hint: what is deployed is always what the server says itself. So the worst that a forged one can do is a question to that server.
import type { GitRepo } from '../../api/git-repo.ts'
import { parseBody } from './payload.ts'
import { PROVIDERS } from './providers.ts'
import { createRepoMatcher } from './repo-url.ts'
import { PayloadError, type Provider, type Push, type Verification, type WebhookKeys, type WebhookRequest } from './types.ts'

/** The secret that pushes for a GitRepo have to be made with. */
export type WebhookSecret =
  /** Equal keys of several GitRepos are the same object. */
  | { readonly kind: 'keys'; readonly keys: WebhookKeys }
  /** It is named and not there. */
  | { readonly kind: 'missing' }
  /** None is asked for. */
  | { readonly kind: 'none' }

/** A GitRepo that is to look at its server. */
export interface Hint {
  readonly gitRepo: GitRepo
  readonly commit: string
  /** The sender knew the secret. */
  readonly isSigned: boolean
}

export interface Decision {
  readonly status: number
  readonly body: string
  readonly hints: readonly Hint[]
  /** For the log. */
  readonly provider?: string
  readonly problem?: string
}

export interface Receiver {
  readonly gitRepos: readonly GitRepo[]
  readonly secretOf: (gitRepo: GitRepo) => WebhookSecret
  /** Asked once before the body of somebody unknown is looked at. */
  readonly admitStranger: () => boolean
}

const FAILED = 'Webhook processing failed'
const TOO_MANY = 'too many requests'
/** So many secrets are tried on a body, and so many bytes hashed for it; with more, it is parsed first to learn which is meant. */
const MAX_TRIED = 64
const MAX_HASHED = 8 << 20

/** What the headers alone decide; the service, if the body is needed. */
export function triage({ method, headers }: Omit<WebhookRequest, 'body'>): Decision | Provider {
  const provider = PROVIDERS.find(({ detect }) => detect(headers) !== undefined)
  if (!provider) return { status: 200, body: '', hints: [] }
  const { name } = provider
  if (method !== 'POST') return refuse(405, name, 'only POST is taken')
  const event = provider.detect(headers)
  if (event === 'ping') return { status: 200, body: 'Webhook received successfully', hints: [], provider: name }
  return event === 'push' ? provider : refuse(500, name, 'the event is not supported')
}

/** Never throws. */
export function receive(provider: Provider, request: WebhookRequest, { gitRepos, secretOf, admitStranger }: Receiver): Decision {
  const candidates = gitRepos.filter(({ spec, metadata }) => spec.repo && !spec.revision && !metadata.deletionTimestamp)
  const verify = createVerifier(provider, request)
  const secrets = new Set(candidates.map(secretOf))
  const areTried = secrets.size <= MAX_TRIED && secrets.size * request.body.length <= MAX_HASHED
  const isKnown = areTried && [...secrets].some((secret) => verify(secret) === 'valid')
  if (areTried && !isKnown && isGuarded(secrets, verify)) return refuse(401, provider.name, 'the signature fits none of the secrets')
  if (!isKnown && !admitStranger()) return { ...refuse(429, provider.name, TOO_MANY), body: TOO_MANY }
  try {
    const push = provider.parse(parseBody(request.body))
    return push ? spread(provider, push, candidates, (gitRepo) => verify(secretOf(gitRepo))) : succeed(provider.name, [])
  } catch (error) {
    if (!(error instanceof PayloadError)) return refuse(500, provider.name, 'the body could not be used')
    return refuse(500, provider.name, error.message)
  }
}

type Outcome = Verification | 'missing' | 'open'

/** Verifies each secret once. */
function createVerifier(provider: Provider, request: WebhookRequest): (secret: WebhookSecret) => Outcome {
  const known = new Map<WebhookKeys, Outcome>()
  return (secret) => {
    if (secret.kind !== 'keys') return secret.kind === 'none' ? 'open' : 'missing'
    const outcome = known.get(secret.keys) ?? provider.verify(request, secret.keys)
    known.set(secret.keys, outcome)
    return outcome
  }
}

/** Nobody takes pushes without a signature: then a wrong one is not worth a look at the body. */
function isGuarded(secrets: ReadonlySet<WebhookSecret>, verify: (secret: WebhookSecret) => Outcome): boolean {
  return secrets.size > 0 && [...secrets].every((secret) => verify(secret) === 'wrong')
}

/** One GitRepo's wrong secret does not hinder another one. The answer is a failure unless somebody knew the sender. */
function spread(provider: Provider, push: Push, candidates: readonly GitRepo[], outcomeOf: (gitRepo: GitRepo) => Outcome): Decision {
  const isNamed = createRepoMatcher(push.urls)
  const meant = candidates.filter(({ spec }) => isNamed(spec.repo) && (!spec.branch || spec.branch === push.branch))
  const outcomes = meant.map((gitRepo) => ({ gitRepo, outcome: outcomeOf(gitRepo) }))
  const hints = outcomes
    .filter(({ gitRepo, outcome }) => isNews(gitRepo, push) && (outcome === 'valid' || outcome === 'open'))
    .map(({ gitRepo, outcome }) => ({ gitRepo, commit: push.commit, isSigned: outcome === 'valid' }))
  const has = (wanted: Outcome): boolean => outcomes.some(({ outcome }) => outcome === wanted)
  if (has('valid')) return succeed(provider.name, hints)
  if (has('wrong')) return { ...refuse(401, provider.name, 'the signature is wrong'), hints }
  if (has('missing')) return { ...refuse(500, provider.name, 'the webhook secret of a GitRepo does not exist'), hints }
  if (has('no key')) return { ...refuse(500, provider.name, 'a webhook secret has no key for this service'), hints }
  return succeed(provider.name, hints)
}

function isNews({ status }: GitRepo, { commit }: Push): boolean {
  return commit !== '' && status?.webhookCommit !== commit
}

function succeed(provider: string, hints: readonly Hint[]): Decision {
  return { status: 200, body: 'succeeded', hints, provider }
}

function refuse(status: number, provider: string, problem: string): Decision {
  return { status, body: FAILED, hints: [], provider, problem }
}
