// Bitbucket Cloud. Its secret is the id of the webhook.
import { at, commitOf, items, text } from './payload.ts'
import { keyOf, verifyToken } from './signatures.ts'
import { header, type Provider } from './types.ts'

export const bitbucket: Provider = {
  name: 'bitbucket',
  detect(headers) {
    if (!header(headers, 'x-hook-uuid')) return undefined
    return header(headers, 'x-event-key') === 'repo:push' ? 'push' : 'unsupported'
  },
  verify({ headers }, keys) {
    const id = keyOf(keys, 'bitbucket')?.toString('utf8')
    return verifyToken(withoutBraces(header(headers, 'x-hook-uuid')), id && withoutBraces(id))
  },
  /** Of a push of several branches only the first counts (spec 8.4). */
  parse(body) {
    const change = at(items(body, 'push', 'changes')[0], 'new')
    return {
      urls: [text(body, 'repository', 'links', 'html', 'href')],
      branch: text(change, 'type') === 'branch' ? text(change, 'name') : '',
      commit: commitOf(text(change, 'target', 'hash')),
    }
  },
}

/** Its user interface shows ids with them, its requests bear none. */
function withoutBraces(id: string): string {
  return id.replace(/^\{(.*)\}$/s, '$1')
}
