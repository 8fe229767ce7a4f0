// All controllers of registration by name, in the order in which a cluster passes them.
import type { Controller } from '../lib/controller/controller.ts'
import { createAgentBundleController } from './agent-bundle-controller.ts'
import { createBootstrapController } from './bootstrap-controller.ts'
import { createCleanupController } from './cleanup-controller.ts'
import { createClusterController } from './cluster-controller.ts'
import { createCredentialController } from './credential-controller.ts'
import { createImportController } from './import-controller.ts'
import { createRegistrationController } from './registration-controller.ts'
import { createRotationController } from './rotation-controller.ts'
import type { RegistrationDeps } from './settings.ts'
import { createTokenController } from './token-controller.ts'

/** Name → factory. `registrationcredential` belongs to `clusterregistration`: run both or none. */
export const REGISTRATION_CONTROLLERS = {
  bootstrap: createBootstrapController,
  clusternamespace: createClusterController,
  clusterregistrationtoken: createTokenController,
  import: createImportController,
  clusterregistration: createRegistrationController,
  registrationcredential: createCredentialController,
  credentialrotation: createRotationController,
  manageagent: createAgentBundleController,
  cleanup: createCleanupController,
} satisfies Record<string, (deps: RegistrationDeps) => Controller>
