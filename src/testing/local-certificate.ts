import { execFile } from 'node:child_process'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'

/** PEM texts. */
export interface LocalCertificate {
  readonly ca: string
  readonly cert: string
  readonly key: string
}

/** A certificate for 127.0.0.1, localhost and git.example and the authority that signed it, made with the openssl command line; the files stay in `dir`. */
export async function createLocalCertificate(
  dir: string,
  options: { hosts?: readonly string[]; days?: number } = {},
): Promise<LocalCertificate> {
  const { hosts = ['IP:127.0.0.1', 'DNS:localhost', 'DNS:git.example'], days = 30 } = options
  const at = (file: string): string => join(dir, file)
  const openssl = (...args: string[]) => promisify(execFile)('openssl', args, { timeout: 60_000 })
  const newKey = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes']
  await openssl('req', '-x509', ...newKey, '-days', '30', '-subj', '/CN=test authority', '-keyout', at('ca.key'), '-out', at('ca.crt'))
  await openssl('req', ...newKey, '-subj', '/CN=test server', '-keyout', at('tls.key'), '-out', at('tls.csr'))
  await writeFile(at('san'), `subjectAltName=${hosts.join(',')}`)
  const signed = ['-CA', at('ca.crt'), '-CAkey', at('ca.key'), '-CAcreateserial', '-days', String(days), '-extfile', at('san')]
  await openssl('x509', '-req', '-in', at('tls.csr'), ...signed, '-out', at('tls.crt'))
  const read = (file: string): Promise<string> => readFile(at(file), 'utf8')
  return { ca: await read('ca.crt'), cert: await read('tls.crt'), key: await read('tls.key') }
}
