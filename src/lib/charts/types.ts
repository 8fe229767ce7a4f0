// Charts as files, and how the server that has them is reached.

/** A file of a chart. */
export interface ChartFile {
  /** path with `/`, without leading one */
  readonly name: string
  readonly content: Buffer
}

/** How a server is reached. */
export interface ChartAccess {
  /** For one origin (`https://host:port`, of a registry `oci://host:port`); nobody else is ever shown them. */
  readonly credentials?: { readonly origin: string; readonly username: string; readonly password: string } | undefined
  /** PEM certificates that are trusted besides the usual ones. */
  readonly caBundle?: string | undefined
  readonly insecureSkipTLSVerify?: boolean | undefined
  /** Registries are spoken to without TLS. */
  readonly plainHttp?: boolean | undefined
  /** For repositories that are reached by ssh: a private key without passphrase, and lines of a known_hosts file. */
  readonly ssh?: { readonly privateKey: string; readonly knownHosts?: string | undefined } | undefined
  /** What to tell the user when the server wants credentials: why there are none. */
  readonly withheld?: string | undefined
}

/** Read access to folders. A path that leads out is refused with a TerminalError. */
export interface ChartTree {
  /** undefined when the path is no folder */
  list(path: string): Promise<readonly { readonly name: string; readonly kind: 'file' | 'folder' | 'link' | 'other' }[] | undefined>
  /** the bytes of a file, links followed */
  read(path: string, maxBytes: number): Promise<Buffer>
}
