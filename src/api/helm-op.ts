// HelmOp: a Helm chart that is deployed to clusters without git in between.
import { bundleSpecFields } from './bundle.ts'
import { duration, flag, kind, object, type Static, text, textMap, time } from './schema.ts'
import { statusBaseFields } from './status.ts'

const HelmOpSpec = object(
  {
    ...bundleSpecFields,
    labels: textMap('Labels for the bundle.'),
    pollingInterval: duration('How often to look for new versions of a range; never if absent or 0.'),
    helmSecretName: text('Secret with the credentials of the chart repository.'),
    insecureSkipTLSVerify: flag('Do not verify certificates.'),
  },
  'What to deploy, where and how.',
  { default: {} },
)
/** What to deploy, where and how. */
export type HelmOpSpec = Static<typeof HelmOpSpec>

const HelmOpStatus = object(
  {
    ...statusBaseFields,
    lastPollingTriggered: time('When it last looked for versions.'),
    version: text('The version that is deployed.'),
  },
  'What was found and what became of it.',
)
/** What was found and what became of it. */
export type HelmOpStatus = Static<typeof HelmOpStatus>

export const HelmOp = kind({ spec: HelmOpSpec, status: HelmOpStatus }, 'A Helm chart that is deployed to clusters.', ['spec'])
/** A Helm chart that is deployed to clusters. */
export type HelmOp = Static<typeof HelmOp>
