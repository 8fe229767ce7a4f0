// Tells what this machine lacks (a network, Go) from a mistake of ours, by what Go, apt, debootstrap and our own scripts say. Pure.

const WORDS = [
  /dial tcp|no such host|proxyconnect|TLS handshake timeout|i\/o timeout|connect: connection refused/,
  /Temporary failure resolving|Could not resolve|Could not connect to|Unable to connect to|Failed to fetch http/,
  /Failed getting release file|Couldn't download packages|Invalid Release file/,
  /Go is missing|no way to a Kubernetes control plane/,
]

/** True when a message of a build says that something cannot be had here. */
export function isLack(message: string): boolean {
  return WORDS.some((word) => word.test(message))
}
