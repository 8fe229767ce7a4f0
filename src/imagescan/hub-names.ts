// Docker Hub, which has several names, and keeps images without an owner under `library`.
import type { RepositoryName } from '../lib/oci/reference.ts'

const DOCKER_HUB = 'docker.io'
/** As everybody else spells it out. */
const CANONICAL_HUB = 'index.docker.io'
const HUB_NAMES = new Set([DOCKER_HUB, CANONICAL_HUB, 'registry-1.docker.io'])

/** One name for each registry. */
export function registryHost(host: string): string {
  return HUB_NAMES.has(host) ? DOCKER_HUB : host
}

/** One name for each repository: `docker.io/nginx` is `docker.io/library/nginx`. */
export function registryRepository({ host, path }: RepositoryName): RepositoryName {
  const registry = registryHost(host)
  return { host: registry, path: registry === DOCKER_HUB && !path.includes('/') ? `library/${path}` : path }
}

/** The name that users see. */
export function shownHost(host: string): string {
  return host === DOCKER_HUB ? CANONICAL_HUB : host
}
