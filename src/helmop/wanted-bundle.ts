// The Bundle that a HelmOp becomes (spec 8.7). Pure.
import type { Bundle, BundleSpec } from '../api/bundle.ts'
import type { HelmChartOptions } from '../api/bundle-deployment-options.ts'
import type { HelmOp } from '../api/helm-op.ts'
import { BUNDLE } from '../api/kinds.ts'
import {
  COMMIT_LABEL,
  CREATED_BY_DISPLAY_NAME_LABEL,
  HELM_OP_GENERATION_ANNOTATION,
  HELM_OP_LABEL,
  REPO_NAME_LABEL,
} from '../api/labels.ts'
import { assembleTargets } from '../bundle/targets.ts'
import { TerminalError, WaitingError } from '../lib/controller/errors.ts'

export interface BundleFacts {
  readonly version: string
  readonly serviceAccount: string
  readonly helmSecretName: string
  /** PEM */
  readonly caBundle: string | undefined
  /** Generation of the HelmOp for whose range the version was found; undefined where that need not be known. */
  readonly settledFor: string | undefined
}

/** They say that a bundle belongs to somebody else, or are removed on sight. */
const RESERVED_LABELS: ReadonlySet<string> = new Set([REPO_NAME_LABEL, COMMIT_LABEL, CREATED_BY_DISPLAY_NAME_LABEL])

/** The bundle as it is to be stored. Fields that only controllers may set are left out. */
export function wantedBundle({ metadata, spec }: HelmOp, facts: BundleFacts): Bundle {
  const { name, namespace } = metadata
  const { labels = {}, pollingInterval: _interval, helmSecretName: _secret, insecureSkipTLSVerify, ...rest } = spec
  const { resources: _files, contentsId: _id, valuesHash: _hash, helmOpOptions: _options, ...deployable } = rest
  const { overwrites: _overwrites, allowedTargetNamespaceSelector: _selector, targets, targetRestrictions, ...options } = deployable
  const helm = { ...options.helm, ...(facts.version ? { version: facts.version } : {}) }
  const passed = Object.entries(labels).filter(([key]) => !RESERVED_LABELS.has(key))
  const bundle: Bundle = {
    ...BUNDLE,
    metadata: {
      name,
      ...(namespace ? { namespace } : {}),
      labels: { ...Object.fromEntries(passed), [HELM_OP_LABEL]: name },
      ...(facts.settledFor === undefined ? {} : { annotations: { [HELM_OP_GENERATION_ANNOTATION]: facts.settledFor } }),
    },
    spec: {
      ...options,
      ...(facts.serviceAccount ? { serviceAccount: facts.serviceAccount } : {}),
      helm,
      ...assembledTargets({ targets, targetRestrictions, helm }),
      helmOpOptions: chartOptions(facts, insecureSkipTLSVerify ?? false),
    },
  }
  return bundle
}

function assembledTargets(
  spec: Pick<BundleSpec, 'targets' | 'targetRestrictions' | 'helm'>,
): Pick<BundleSpec, 'targets' | 'targetRestrictions'> {
  return assembleTargets(
    { spec: { ...spec, targets: spec.targets ?? [] }, targetCustomizations: [], overrideTargets: undefined },
    undefined,
  )
}

function chartOptions({ helmSecretName, caBundle }: BundleFacts, insecure: boolean): HelmChartOptions {
  return {
    ...(helmSecretName ? { helmOpSecretName: helmSecretName } : {}),
    ...(insecure ? { helmOpInsecureSkipTLSVerify: true } : {}),
    ...(caBundle ? { helmOpCABundle: Buffer.from(caBundle).toString('base64') } : {}),
  }
}

/** Throws TerminalError when the bundle of that name is somebody else's, WaitingError while it is being deleted. */
export function checkOwner({ metadata: { name } }: HelmOp, bundle: Bundle | undefined): void {
  if (!bundle) return
  if (!bundle.spec.helmOpOptions) throw new TerminalError(`a non-helmops bundle already exists with name ${name}; aborting`)
  const owner = bundle.metadata.labels?.[HELM_OP_LABEL]
  if (owner && owner !== name) throw new TerminalError(`the bundle ${name} belongs to the HelmOp ${owner}: choose another name`)
  if (bundle.metadata.deletionTimestamp)
    throw new WaitingError(`waiting for the bundle ${name}, which is being deleted`, { retryAfterMs: 2_000 })
}
