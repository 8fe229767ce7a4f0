// The command lines of etcd, kube-apiserver and kube-controller-manager for clusters that live for minutes on loopback.
import { join } from 'node:path'

/** Files of one cluster below its folder. The API server writes its certificate and key itself (`apiserver.crt`: certificate, then its CA). */
export interface ClusterFiles {
  readonly certDir: string
  readonly servingCert: string
  readonly ca: string
  readonly tokens: string
  readonly kubeconfig: string
  readonly serviceAccountKey: string
  readonly serviceAccountPublicKey: string
}

// What our charts, bundles and stories need to come alive. There is no kubelet: nodes are the process node's affair, volumes nobody's.
const CONTROLLERS = [
  'clusterrole-aggregation-controller',
  'cronjob-controller',
  'daemonset-controller',
  'deployment-controller',
  'disruption-controller',
  'endpointslice-controller',
  'garbage-collector-controller',
  'job-controller',
  'namespace-controller',
  'persistentvolume-protection-controller',
  'persistentvolumeclaim-protection-controller',
  'replicaset-controller',
  'replicationcontroller-controller',
  'resourcequota-controller',
  'root-ca-certificate-publisher-controller',
  'serviceaccount-controller',
  'serviceaccount-token-controller',
  'statefulset-controller',
  'ttl-after-finished-controller',
]

/** Where the files of the cluster `name` lie below `dir`. */
export function clusterFiles(dir: string, name: string): ClusterFiles {
  const at = (...parts: string[]) => join(dir, name, ...parts)
  return {
    certDir: at('pki'),
    servingCert: at('pki', 'apiserver.crt'),
    ca: at('pki', 'ca.crt'),
    tokens: at('tokens.csv'),
    kubeconfig: at('kubeconfig'),
    serviceAccountKey: at('pki', 'service-account.key'),
    serviceAccountPublicKey: at('pki', 'service-account.pub'),
  }
}

/** Arguments of the one etcd that all clusters share; it forgets everything at the end, so it never waits for the disk. */
export function etcdArgs(dataDir: string, clientPort: number, peerPort: number): string[] {
  const client = `http://127.0.0.1:${clientPort}`
  const peer = `http://127.0.0.1:${peerPort}`
  return [
    ...['--data-dir', dataDir, '--unsafe-no-fsync', '--log-level', 'warn', '--quota-backend-bytes', String(8 * 2 ** 30)],
    ...['--listen-client-urls', client, '--advertise-client-urls', client],
    ...['--listen-peer-urls', peer, '--initial-advertise-peer-urls', peer, '--initial-cluster', `default=${peer}`],
  ]
}

/** Arguments of one API server: RBAC, a token file for the administrator, service account tokens signed by the cluster's own key. */
export function apiServerArgs(name: string, files: ClusterFiles, port: number, etcdPort: number): string[] {
  return [
    ...['--etcd-servers', `http://127.0.0.1:${etcdPort}`, '--etcd-prefix', `/${name}`],
    ...['--bind-address', '127.0.0.1', '--advertise-address', '127.0.0.1', '--secure-port', String(port), '--cert-dir', files.certDir],
    // The endpoint of the service `kubernetes` must not be a loopback address; nobody needs it here.
    ...['--endpoint-reconciler-type', 'none', '--service-cluster-ip-range', '10.96.0.0/16'],
    ...['--authorization-mode', 'RBAC', '--token-auth-file', files.tokens],
    ...['--service-account-issuer', 'https://kubernetes.default.svc', '--service-account-signing-key-file', files.serviceAccountKey],
    ...['--service-account-key-file', files.serviceAccountPublicKey],
    // New nodes would keep the taint not-ready for ever: the controller that lifts it evicts pods as well and is not started.
    ...['--disable-admission-plugins', 'TaintNodesByCondition', '--allow-privileged=true', '--profiling=false'],
    ...['--max-requests-inflight', '2000', '--max-mutating-requests-inflight', '1000'],
  ]
}

/** Arguments of one controller manager, which acts as the administrator. */
export function controllerManagerArgs(files: ClusterFiles): string[] {
  return [
    ...['--kubeconfig', files.kubeconfig, '--secure-port', '0', '--leader-elect=false', '--use-service-account-credentials=false'],
    ...['--root-ca-file', files.ca, '--service-account-private-key-file', files.serviceAccountKey],
    ...['--controllers', CONTROLLERS.join(','), '--profiling=false'],
    // Its own default of 20 requests a second is for clusters that are shared.
    ...['--kube-api-qps', '200', '--kube-api-burst', '400'],
  ]
}
