// The helm values of a deployment's two versions, which lie in the secret of its name (spec 2.7 step 9, 5.4).
import type { BundleDeployment } from '../api/bundle-deployment.ts'
import { deploymentValues } from '../api/values-secret.ts'
import type { Target } from '../target/target.ts'
import { type DigestedSecret, hashTexts, type Secret, STAGED_VALUES_KEY, textAt, VALUES_KEY } from './secrets.ts'

/** What a deployment's spec says about its values. */
export interface ValuesState {
  /** Empty: there are no values. */
  readonly valuesHash: string
  /** The values of the current version are lost; the agent has to wait for the next one. */
  readonly waitingForValues: boolean
}

export interface ValuesPlan extends ValuesState {
  /** What the secret has to hold, unless it does already. */
  readonly write?: { readonly values: string; readonly stagedValues: string } | undefined
}

export interface ValuesSituation {
  readonly target: Target
  /** As it is, if it is. */
  readonly before: BundleDeployment | undefined
  /** With the versions it will have. */
  readonly after: BundleDeployment
  /** The secret in the cache, if it belongs to the deployment. */
  readonly secret: DigestedSecret | undefined
}

/**
 * Works out the values of both versions: those of the target's version are known, those of an older one are only in the secret,
 * which `read` gets with its data.
 */
export async function planValues(situation: ValuesSituation, read: () => Promise<Secret | undefined>): Promise<ValuesPlan> {
  const { before, after, target, secret } = situation
  const own = textOf(target)
  const { deploymentID = '', stagedDeploymentID = '' } = after.spec
  const [keepsCurrent, keepsStaged] = [deploymentID, stagedDeploymentID].map((id) => id !== '' && id !== target.deploymentId)
  const kept = keepsCurrent || keepsStaged ? await readKept(situation, own, read) : { values: '', stagedValues: '' }
  const values = keepsCurrent ? (kept?.values ?? '') : deploymentID === '' ? '' : own
  const stagedValues = keepsStaged ? (kept?.stagedValues ?? '') : stagedDeploymentID === '' ? '' : own
  const valuesHash = hashTexts(values, stagedValues)
  return {
    valuesHash,
    waitingForValues: keepsCurrent === true && (kept === undefined || (before?.spec.waitingForValues ?? false)),
    write: valuesHash === '' || valuesHash === secret?.digest ? undefined : { values, stagedValues },
  }
}

/** What holds if hash, secret and versions agree, so that nothing needs to be rendered, read or written; else undefined. */
export function settledValues({ before, after, target, secret }: ValuesSituation): ValuesState | undefined {
  if (!before) return undefined
  const valuesHash = before.spec.valuesHash ?? ''
  if (valuesHash !== (secret?.digest ?? '')) return undefined
  const isSame = before.spec.deploymentID === after.spec.deploymentID && before.spec.stagedDeploymentID === after.spec.stagedDeploymentID
  const isWhole = isTarget(after.spec.deploymentID, target) && isTarget(after.spec.stagedDeploymentID, target)
  if (isWhole) return valuesHash === target.valuesHash ? { valuesHash, waitingForValues: false } : undefined
  return isSame ? { valuesHash, waitingForValues: before.spec.waitingForValues ?? false } : undefined
}

function isTarget(id: string | undefined, target: Target): boolean {
  return id !== undefined && id === target.deploymentId
}

/** The texts of the secret if they can be trusted; empty ones if there never were any; undefined if they are lost. */
async function readKept(
  { before }: ValuesSituation,
  own: string,
  read: () => Promise<Secret | undefined>,
): Promise<{ values: string; stagedValues: string } | undefined> {
  const expected = before?.spec.valuesHash ?? ''
  if (expected === '') return before?.spec.waitingForValues ? undefined : { values: '', stagedValues: '' }
  const secret = await read()
  if (!secret) return undefined
  const texts = { values: textAt(secret, VALUES_KEY), stagedValues: textAt(secret, STAGED_VALUES_KEY) }
  // The second case: a run before this one wrote the secret and ended before it wrote the deployment.
  return hashTexts(texts.values, texts.stagedValues) === expected || (own !== '' && texts.stagedValues === own) ? texts : undefined
}

function textOf({ deploymentId, options }: Target): string {
  return deploymentId === '' ? '' : deploymentValues({ options }).values
}
