import { type FlagTable, type FlagValues, NAMESPACE_FLAG } from '../flags.ts'

/** The flags of `fleet apply` (spec 9.1). */
export const APPLY_FLAGS = {
  namespace: NAMESPACE_FLAG,
  output: {
    type: 'text',
    short: 'o',
    value: 'FILE',
    help: 'print the bundles to this file, - for standard output; nothing is written to the cluster',
  },
  file: { type: 'text', short: 'f', value: 'FILE', help: 'take a whole Bundle from this file, - for standard input, and read no folders' },
  'bundle-file': { type: 'text', short: 'b', value: 'NAME', help: 'name of the options file in each folder, in place of fleet.yaml' },
  label: { type: 'map', short: 'l', help: 'labels of the bundles; those of fleet.yaml win' },
  'targets-file': { type: 'text', value: 'FILE', help: 'more targets and restrictions, as a GitRepo gives them' },
  compress: { type: 'boolean', short: 'c', help: 'store all files compressed' },
  'service-account': { type: 'text', short: 'a', value: 'NAME', help: 'service account that deploys the bundles' },
  'sync-generation': { type: 'integer', default: 0, help: 'a number that deploys the bundles again when it changes' },
  'target-namespace': { type: 'text', value: 'NAME', help: 'namespace of all objects of the bundles' },
  paused: { type: 'boolean', help: 'create bundles paused' },
  commit: { type: 'text', value: 'SHA', env: 'COMMIT', help: 'commit that the bundles are labelled with; else the one checked out here' },
  'keep-resources': { type: 'boolean', help: 'leave objects in place when a bundle is deleted' },
  'delete-namespace': { type: 'boolean', help: 'delete the namespace with the bundle' },
  'correct-drift': { type: 'boolean', help: 'undo changes that others make to deployed objects' },
  'correct-drift-force': { type: 'boolean', help: 'replace objects where that is needed to undo changes' },
  'correct-drift-keep-fail-history': { type: 'boolean', help: 'keep the releases of corrections that failed' },
  username: { type: 'text', env: 'HELM_USERNAME', value: 'NAME', help: 'user name for chart repositories' },
  'password-file': { type: 'text', value: 'FILE', help: 'file with the password for chart repositories' },
  'cacerts-file': { type: 'text', value: 'FILE', help: 'file with the certificates of authorities for chart repositories' },
  'ssh-privatekey-file': { type: 'text', value: 'FILE', help: 'file with the SSH key for charts in git repositories, without passphrase' },
  'known-hosts': { type: 'text', value: 'TEXT', env: 'FLEET_KNOWN_HOSTS', hidden: true, help: 'keys of ssh servers' },
  'helm-repo-url-regex': { type: 'text', value: 'REGEX', help: 'chart repositories that get the credentials; without it none does' },
  'helm-credentials-by-path-file': { type: 'text', value: 'FILE', help: 'file with credentials for chart repositories by folder' },
  'helm-basic-http': { type: 'boolean', help: 'speak to OCI registries without TLS' },
  'helm-insecure-skip-tls': { type: 'boolean', help: 'do not check the certificates of chart repositories' },
  'oci-registry-secret': { type: 'text', value: 'NAME', help: 'secret with the OCI registry to store contents in' },
  'driven-scan': { type: 'boolean', help: 'take exactly the folders that are named, as FOLDER or FOLDER:OPTIONSFILE' },
  'driven-scan-sep': { type: 'text', default: ':', value: 'TEXT', help: 'what separates folder and options file' },
  'bundle-creation-max-concurrency': {
    type: 'integer',
    default: 4,
    env: 'FLEET_BUNDLE_CREATION_MAX_CONCURRENCY',
    help: 'folders that are read at a time; 0 is the default',
  },
  'imagescan-enabled': { type: 'boolean', help: 'allow image scans in fleet.yaml, and write them' },
} as const satisfies FlagTable

export type ApplyFlags = FlagValues<typeof APPLY_FLAGS>
