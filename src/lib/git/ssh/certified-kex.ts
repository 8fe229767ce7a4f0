// Teaches the SSH library to accept host certificates, which it does not know: they are offered among the host key algorithms, and once a certificate
// has been checked the signature of the server is verified with the key inside it. Both reach into the library, whose version is therefore
// pinned; should its inside change, the handshake fails.
import type { Client } from 'ssh2'

interface List {
  readonly array: readonly string[]
}

interface Direction {
  readonly cipher: List
  readonly mac: List
  readonly compress: List
  readonly lang: List
}

interface Lists {
  readonly kex: List
  readonly serverHostKey: List
  readonly cs: Direction
  readonly sc: Direction
}

interface Offer {
  readonly lists: Lists
}

interface Exchange {
  negotiated: { serverHostKey: string }
}

interface Internals {
  readonly _protocol: { _offer: Offer; readonly _kex: Exchange }
}

const CERTIFICATE_SUFFIX = '-cert-v01@openssh.com'

/** Puts algorithms of certificates in front of what the client offers; to be called right after `connect`, before anything was sent. */
export function offerCertificates(client: Client, algorithms: readonly string[]): void {
  const { _protocol: protocol } = client as unknown as Internals
  const { lists } = protocol._offer
  const KexInit = protocol._offer.constructor as new (lists: object) => Offer
  protocol._offer = new KexInit({
    kex: lists.kex.array,
    serverHostKey: [...algorithms, ...lists.serverHostKey.array],
    cs: arrays(lists.cs),
    sc: arrays(lists.sc),
  })
}

/** Makes the library verify with `key` what the server signed; to be called while it asks about the certificate. */
export function trustCertifiedKey(client: Client, certificate: Buffer, key: Buffer): void {
  const { _kex: exchange } = (client as unknown as Internals)._protocol
  const { negotiated } = exchange
  exchange.negotiated = { ...negotiated, serverHostKey: negotiated.serverHostKey.replace(CERTIFICATE_SUFFIX, '') }
  // The exchange hash covers the certificate, and is made first; then the key is read.
  let isHashed = false
  Object.defineProperty(exchange, '_hostKey', {
    get() {
      const value = isHashed ? key : certificate
      isHashed = true
      return value
    },
    set() {}, // the library clears it in the end
  })
}

function arrays({ cipher, mac, compress, lang }: Direction): Record<keyof Direction, readonly string[]> {
  return { cipher: cipher.array, mac: mac.array, compress: compress.array, lang: lang.array }
}
