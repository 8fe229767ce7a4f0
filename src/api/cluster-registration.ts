// ClusterRegistration: an agent's request to become a cluster.
import { flag, kind, object, type Static, text, textMap } from './schema.ts'
import { conditions } from './status.ts'

const ClusterRegistrationSpec = object(
  {
    clientID: text('Identity of the cluster.'),
    clientRandom: text('Makes the name of the credential secret impossible to guess.'),
    clusterLabels: textMap('Labels for the cluster.'),
  },
  'What the agent asks for.',
  { default: {} },
)
/** What an agent asks for. */
export type ClusterRegistrationSpec = Static<typeof ClusterRegistrationSpec>

const ClusterRegistrationStatus = object(
  { clusterName: text('The cluster that the request became.'), granted: flag('The credentials are there.'), conditions },
  'What became of the request.',
)
/** What became of a request. */
export type ClusterRegistrationStatus = Static<typeof ClusterRegistrationStatus>

export const ClusterRegistration = kind(
  { spec: ClusterRegistrationSpec, status: ClusterRegistrationStatus },
  "An agent's request to become a cluster. Made by agents.",
  ['spec'],
)
/** An agent's request to become a cluster. */
export type ClusterRegistration = Static<typeof ClusterRegistration>
