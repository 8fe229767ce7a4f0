// ClusterRegistrationToken: lets agents register clusters in its namespace, for a while.
import { duration, kind, object, type Static, text, time } from './schema.ts'
import { conditions } from './status.ts'

const ClusterRegistrationTokenSpec = object({ ttl: duration('How long the token is good; absent or 0 means for ever.') }, 'Life time.', {
  default: {},
})

const ClusterRegistrationTokenStatus = object(
  { expires: time('When the token ends.'), secretName: text('Secret with the values for the chart of the agent.'), conditions },
  'What was made of it.',
)

export const ClusterRegistrationToken = kind(
  { spec: ClusterRegistrationTokenSpec, status: ClusterRegistrationTokenStatus },
  'Lets agents register clusters in its namespace.',
  ['spec'],
)
/** Lets agents register clusters in its namespace. */
export type ClusterRegistrationToken = Static<typeof ClusterRegistrationToken>
