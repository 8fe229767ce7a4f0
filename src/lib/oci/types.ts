// What callers and this folder tell each other about registries.

/** How a registry is reached. */
export interface RegistryAccess {
  /** For the registry itself and for where it sends us for tokens; nobody else is ever shown them. */
  readonly credentials?: { readonly username: string; readonly password: string } | undefined
  /** What a login left in place of a password: where the registry sends us for tokens, it is exchanged for them, and nobody else is ever shown it. */
  readonly identityToken?: string | undefined
  /** PEM certificates that are trusted besides the usual ones. */
  readonly caBundle?: string | undefined
  readonly insecureSkipTLSVerify?: boolean | undefined
  /** The registry is spoken to without TLS. */
  readonly basicHttp?: boolean | undefined
}

/** What a manifest says of a blob, or an index of a manifest. */
export interface Descriptor {
  readonly mediaType: string
  /** `sha256:` and 64 digits, or `sha512:` and 128 */
  readonly digest: string
  /** bytes */
  readonly size: number
  readonly annotations?: Readonly<Record<string, string>>
}

/** A manifest or index as a registry has it. */
export interface StoredManifest {
  readonly mediaType: string
  readonly digest: string
  /** The bytes that have the digest. */
  readonly bytes: Buffer
  /** The parsed bytes: a JSON object. */
  readonly content: Readonly<Record<string, unknown>>
}

/** What one call may cost. */
export interface RegistryLimits {
  /** milliseconds from the first request to the last byte, those for tokens included */
  readonly timeMs: number
  /** bytes of a manifest */
  readonly manifestBytes: number
  /** bytes of a blob, where the caller names no other limit */
  readonly blobBytes: number
  /** tags of a repository */
  readonly tags: number
}

/** 5 minutes, 4 MiB for manifests, 256 MiB for blobs, 100,000 tags. */
export const REGISTRY_LIMITS: RegistryLimits = { timeMs: 300_000, manifestBytes: 4 * 2 ** 20, blobBytes: 256 * 2 ** 20, tags: 100_000 }
