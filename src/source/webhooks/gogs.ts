// Gogs, and Gitea and Forgejo, which send its headers too.
import { githubPush } from './payload.ts'
import { keyOf, verifyHmac } from './signatures.ts'
import { header, type Provider } from './types.ts'

export const gogs: Provider = {
  name: 'gogs',
  detect(headers) {
    const event = header(headers, 'x-gogs-event')
    if (!event) return undefined
    return event === 'push' ? 'push' : 'unsupported'
  },
  verify: (request, keys) => verifyHmac(request, header(request.headers, 'x-gogs-signature'), '', keyOf(keys, 'gogs')),
  parse: githubPush,
}
