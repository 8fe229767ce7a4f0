// Which labels and annotations of a bundle or cluster may travel on: those of other tools' bookkeeping stay behind (spec 2.7, 4.5).
import { FLEET_PREFIX } from '../api/labels.ts'

const MANAGEMENT_PREFIX = 'management.cattle.io/'

/** Without keys of kubectl and without any key that contains `cattle.io/`. */
export function withoutBookkeeping(entries: Record<string, string> | undefined): Record<string, string> {
  return filter(entries, (key) => !isBookkeeping(key))
}

/** The labels of a bundle that its deployments get: what is no bookkeeping, and Fleet's own. */
export function labelsForDeployment(labels: Record<string, string> | undefined): Record<string, string> {
  return filter(labels, (key) => !isBookkeeping(key) || key.startsWith(FLEET_PREFIX))
}

/** The labels of a cluster that values may use: what is no bookkeeping, Fleet's own, and those of cluster management. */
export function labelsForValues(labels: Record<string, string> | undefined): Record<string, string> {
  return filter(labels, (key) => !isBookkeeping(key) || key.startsWith(FLEET_PREFIX) || key.startsWith(MANAGEMENT_PREFIX))
}

function isBookkeeping(key: string): boolean {
  return key.startsWith('kubectl.kubernetes.io/') || key.includes('cattle.io/')
}

function filter(entries: Record<string, string> | undefined, keep: (key: string) => boolean): Record<string, string> {
  return Object.fromEntries(Object.entries(entries ?? {}).filter(([key]) => keep(key)))
}
