// What a cluster knows its administrator and its service accounts by.
import { generateKeyPairSync } from 'node:crypto'
import { mkdirSync, writeFileSync } from 'node:fs'
import type { ClusterFiles } from './flags.ts'

/** Writes the token of the administrator and a new key for service accounts to where the API server looks for them. */
export function writeIdentity(files: ClusterFiles, token: string): void {
  mkdirSync(files.certDir, { recursive: true, mode: 0o700 })
  writeFileSync(files.tokens, `${token},admin,admin,"system:masters"\n`, { mode: 0o600 })
  const { privateKey, publicKey } = generateKeyPairSync('ec', {
    namedCurve: 'P-256',
    privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
    publicKeyEncoding: { type: 'spki', format: 'pem' },
  })
  writeFileSync(files.serviceAccountKey, privateKey, { mode: 0o600 })
  writeFileSync(files.serviceAccountPublicKey, publicKey)
}
