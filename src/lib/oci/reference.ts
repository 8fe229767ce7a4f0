// Names of repositories and images: `host[:port]/path[:tag][@digest]`.
import { OciError } from './errors.ts'

/** A repository of a registry. */
export interface RepositoryName {
  /** host, and port if any, in lower case */
  readonly host: string
  /** at least one component, without slashes at the ends */
  readonly path: string
}

/** An image, as it stands in a pod. */
export interface ImageName extends RepositoryName {
  readonly tag?: string | undefined
  readonly digest?: string | undefined
}

const HOST = /^(?:[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?|\[[0-9a-f:]+\])(?::\d{1,5})?$/
const COMPONENT = /^[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*$/
const TAG = /^\w[\w.-]{0,127}$/
const DIGEST = /^(?:sha256:[0-9a-f]{64}|sha512:[0-9a-f]{128})$/
const MAX_PATH = 255
/** What images without a host are taken from. */
const DOCKER_HUB = 'docker.io'
const SCHEME = /^oci:\/\//i

/** Whether a text is a digest that can be checked. */
export function isDigest(text: unknown): text is `sha${string}:${string}` {
  return typeof text === 'string' && DIGEST.test(text)
}

/** Whether a text can be a tag. */
export function isTag(text: string): boolean {
  return TAG.test(text)
}

/** A repository of which the host is named; `oci://` before it and slashes after it do not matter. Throws OciError `invalid-reference`. */
export function parseRepository(text: string): RepositoryName {
  const [host = '', ...components] = text.trim().replace(SCHEME, '').replace(/\/+$/, '').split('/')
  return checked(text, host, components.join('/'))
}

/** An image as pods name it: without a host it is one of Docker Hub. Throws OciError `invalid-reference`. */
export function parseImage(text: string): ImageName {
  const [named = '', digest, ...more] = text.trim().replace(SCHEME, '').split('@')
  if (more.length > 0 || (digest !== undefined && !isDigest(digest))) throw invalid(text)
  const [, name = '', tag] = /^(.*?)(?::([^:/]*))?$/s.exec(named) ?? []
  if (tag !== undefined && !isTag(tag)) throw invalid(text)
  const [first = '', ...rest] = name.split('/')
  const hasHost = rest.length > 0 && (/[.:[]/.test(first) || first.toLowerCase() === 'localhost')
  const [host, path] = hasHost ? [first, rest.join('/')] : [DOCKER_HUB, rest.length > 0 ? name : `library/${name}`]
  return { ...checked(text, host, path), ...(tag === undefined ? {} : { tag }), ...(digest === undefined ? {} : { digest }) }
}

/** Where the registry of a host answers. */
export function originOf(host: string, basicHttp: boolean): string {
  return new URL(`${basicHttp ? 'http' : 'https'}://${host === DOCKER_HUB ? 'registry-1.docker.io' : host}`).origin
}

function checked(text: string, host: string, path: string): RepositoryName {
  const lower = host.toLowerCase()
  const isValid = HOST.test(lower) && URL.canParse(`https://${lower}`) && path.length <= MAX_PATH
  if (!isValid || !path.split('/').every((component) => COMPONENT.test(component))) throw invalid(text)
  return { host: lower, path }
}

function invalid(text: string): OciError {
  const shown = text.replace(/^.*@(?!sha\d+:)/s, '').slice(0, 200)
  return new OciError('invalid-reference', `${JSON.stringify(shown)} is no reference: write host/path, in lower case`)
}
