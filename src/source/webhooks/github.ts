import { githubPush } from './payload.ts'
import { keyOf, verifyHmac } from './signatures.ts'
import { header, type Provider } from './types.ts'

export const github: Provider = {
  name: 'github',
  detect(headers) {
    const event = header(headers, 'x-github-event')
    if (!event) return undefined
    return event === 'push' || event === 'ping' ? event : 'unsupported'
  },
  verify: (request, keys) => verifyHmac(request, header(request.headers, 'x-hub-signature-256'), 'sha256=', keyOf(keys, 'github')),
  parse: githubPush,
}
