// Every label, annotation, finalizer, secret type and well-known name that is part of the wire contract (spec 0.1, 0.2, 10.4).

/** Prefix of the keys that belong to Fleet. */
export const FLEET_PREFIX = 'fleet.cattle.io/'

// Labels of bundles and what comes of them.

/** Bundle, BundleDeployment: the commit that produced it; also the annotation of the chart's metadata. */
export const COMMIT_LABEL = 'fleet.cattle.io/commit'
/** Bundle, BundleDeployment, ImageScan, values secret: the GitRepo that owns it. */
export const REPO_NAME_LABEL = 'fleet.cattle.io/repo-name'
/** BundleDeployment: its Bundle. */
export const BUNDLE_NAME_LABEL = 'fleet.cattle.io/bundle-name'
/** BundleDeployment: the namespace of its Bundle. */
export const BUNDLE_NAMESPACE_LABEL = 'fleet.cattle.io/bundle-namespace'
/** Bundle, BundleDeployment: the HelmOp that owns it. */
export const HELM_OP_LABEL = 'fleet.cattle.io/fleet-helm-name'
/** GitRepo, Bundle: obsolete, removed on sight. */
export const CREATED_BY_DISPLAY_NAME_LABEL = 'fleet.cattle.io/created-by-display-name'
/** BundleDeployment: the Content that it deploys; absent when contents come from a registry or a chart repository. */
export const CONTENT_NAME_LABEL = 'fleet.cattle.io/content-name'
/** Copies of secrets and config maps downstream: the BundleDeployment that owns them. */
export const BUNDLE_DEPLOYMENT_LABEL = 'fleet.cattle.io/bundledeployment'
/** `true` on secrets that Fleet keeps for itself: OCI storage, cloned chart credentials. */
export const INTERNAL_SECRET_LABEL = 'fleet.cattle.io/bundle-internal-secret'

// Labels and annotations of clusters and their registration.

/** `true` on what belongs to Fleet and is cleaned up by it. */
export const MANAGED_LABEL = 'fleet.cattle.io/managed'
/** The name of a cluster: label of BundleDeployments and credentials, annotation of cluster namespaces and request accounts. */
export const CLUSTER_LABEL = 'fleet.cattle.io/cluster'
/** The namespace of a cluster: label of BundleDeployments, annotation of cluster namespaces and request accounts. */
export const CLUSTER_NAMESPACE_LABEL = 'fleet.cattle.io/cluster-namespace'
/** Annotation of the request account: its ClusterRegistration. */
export const CLUSTER_REGISTRATION_ANNOTATION = 'fleet.cattle.io/cluster-registration'
/** Annotation of the request account: the namespace of its ClusterRegistration. */
export const CLUSTER_REGISTRATION_NAMESPACE_ANNOTATION = 'fleet.cattle.io/cluster-registration-namespace'
/** ClusterRegistration: the token that the agent used. */
export const REGISTRATION_TOKEN_LABEL = 'fleet.cattle.io/registration-token'
/** Cluster, ClusterRegistration: any value but the empty one means that somebody else manages its agent. */
export const CLUSTER_MANAGEMENT_LABEL = 'fleet.cattle.io/cluster-management'
/** Cluster: the pod that registered it; the only label with Fleet's prefix that an agent may ask for. */
export const CREATED_BY_AGENT_POD_LABEL = 'fleet.cattle.io/created-by-agent-pod'
/** Cluster: whatever the value, the agent's own bundle is not deployed to it. */
export const NON_MANAGED_AGENT_LABEL = 'fleet.cattle.io/non-managed-agent'
/** `true` on nodes that agents should prefer. */
export const AGENT_NODE_LABEL = 'fleet.cattle.io/agent'
/** Cluster: the name that users see; another match for `clusterName`. */
export const CLUSTER_DISPLAY_NAME_LABEL = 'management.cattle.io/cluster-display-name'

// Sharding.

/** The shard that handles an object. */
export const SHARD_REF_LABEL = 'fleet.cattle.io/shard-ref'

// Configuration and GitRepo bookkeeping.

/** Annotation of the ConfigMap `fleet-controller`: it is only read again when this is the running version. */
export const VERSION_ANNOTATION = 'fleet.cattle.io/version'
/** Annotation of GitRepos: hash of the git credentials. */
export const CLIENT_SECRET_HASH_ANNOTATION = 'fleet.cattle.io/client-secret-hash'
/** Annotation of GitRepos: hash of the chart credentials. */
export const HELM_SECRET_HASH_ANNOTATION = 'fleet.cattle.io/helm-secret-hash'
/** Annotation of GitRepos: hash of the chart credentials by path. */
export const HELM_SECRET_FOR_PATHS_HASH_ANNOTATION = 'fleet.cattle.io/helm-secret-for-paths-hash'
/** Annotation of the bundle of a HelmOp with a range and without polling: the generation of the HelmOp for which the version was found. */
export const HELM_OP_GENERATION_ANNOTATION = 'fleet.cattle.io/helmop-generation'

// Annotations of the chart's metadata in a release: how the agent knows its releases again.

export const RELEASE_BUNDLE_ID_ANNOTATION = 'fleet.cattle.io/bundle-id'
export const RELEASE_AGENT_NAMESPACE_ANNOTATION = 'fleet.cattle.io/agent-namespace'
export const RELEASE_SERVICE_ACCOUNT_ANNOTATION = 'fleet.cattle.io/service-account'
export const RELEASE_KEEP_RESOURCES_ANNOTATION = 'fleet.cattle.io/keep-resources'

// Object sets: what was deployed together.

/** Label of every deployed object. */
export const SET_HASH_LABEL = 'objectset.rio.cattle.io/hash'
/** Annotation of every deployed object. */
export const SET_ID_ANNOTATION = 'objectset.rio.cattle.io/id'
export const SET_OWNER_GVK_ANNOTATION = 'objectset.rio.cattle.io/owner-gvk'
export const SET_OWNER_NAME_ANNOTATION = 'objectset.rio.cattle.io/owner-name'
export const SET_OWNER_NAMESPACE_ANNOTATION = 'objectset.rio.cattle.io/owner-namespace'
/** What was applied last, gzipped, base64. */
export const SET_APPLIED_ANNOTATION = 'objectset.rio.cattle.io/applied'
/** Label: `false` keeps an object out of clean-up. */
export const SET_PRUNE_LABEL = 'objectset.rio.cattle.io/prune'
/** Annotation: `keep` makes helm leave an object on uninstall. */
export const HELM_RESOURCE_POLICY_ANNOTATION = 'helm.sh/resource-policy'

// Finalizers.

export const GIT_REPO_FINALIZER = 'fleet.cattle.io/gitrepo-finalizer'
export const HELM_OP_FINALIZER = 'fleet.cattle.io/helmop-finalizer'
export const BUNDLE_FINALIZER = 'fleet.cattle.io/bundle-finalizer'
export const BUNDLE_DEPLOYMENT_FINALIZER = 'fleet.cattle.io/bundle-deployment-finalizer'
export const CLUSTER_FINALIZER = 'fleet.cattle.io/cluster-finalizer'
export const SCHEDULE_FINALIZER = 'fleet.cattle.io/schedule-finalizer'

// Secret types.

/** Helm values of a Bundle, beside it and named as it. */
export const BUNDLE_VALUES_SECRET = 'fleet.cattle.io/bundle-values/v1alpha1'
/** Helm values of a BundleDeployment, beside it and named as it. */
export const BUNDLE_DEPLOYMENT_SECRET = 'fleet.cattle.io/bundle-deployment/v1alpha1'
/** Reference and credentials of an OCI registry that holds contents. */
export const OCI_STORAGE_SECRET = 'fleet.cattle.io/bundle-oci-storage/v1alpha1'
/** Chart credentials cloned for an agent. */
export const HELM_OPS_SECRET = 'fleet.cattle.io/bundle-helmops-access/v1alpha1'
/** Result of a granted ClusterRegistration. */
export const AGENT_CREDENTIAL_SECRET = 'fleet.cattle.io/agent-credential'
/** What a cluster needs to register: key `values`, YAML. */
export const CLUSTER_REGISTRATION_VALUES_SECRET = 'fleet.cattle.io/cluster-registration-values'

// Well-known names.

/** ConfigMap of the hub's configuration, in the system namespace. */
export const CONTROLLER_CONFIG_NAME = 'fleet-controller'
/** ConfigMap, secret, deployment, service account and lease of the agent, in its namespace. */
export const AGENT_NAME = 'fleet-agent'
/** One-shot credential of a new agent. */
export const AGENT_BOOTSTRAP_NAME = 'fleet-agent-bootstrap'
/** Secret in the system namespace with the webhook secrets of all GitRepos. */
export const GLOBAL_WEBHOOK_SECRET_NAME = 'gitjob-webhook'
/** Secret with git credentials for GitRepos that name none. */
export const DEFAULT_GIT_SECRET_NAME = 'gitcredential'
/** Secret with the OCI registry for GitRepos that name none. */
export const DEFAULT_OCI_SECRET_NAME = 'ocistorage'
/** Service account that an agent impersonates where no other applies, if it exists. */
export const DEFAULT_SERVICE_ACCOUNT = 'fleet-default'

/** On a Cluster: a new text asks for a new credential of its agent. */
export const ROTATE_ANNOTATION = 'fleet.cattle.io/rotate-credentials'
