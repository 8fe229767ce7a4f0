// Bitbucket Server and Data Center.
import { branchOf, commitOf, items, text } from './payload.ts'
import { keyOf, verifyHmac } from './signatures.ts'
import { header, type Provider } from './types.ts'

const LINKS: readonly string[] = ['http', 'ssh']

export const bitbucketServer: Provider = {
  name: 'bitbucket-server',
  detect(headers) {
    const event = header(headers, 'x-event-key')
    if (!event) return undefined
    return event === 'repo:refs_changed' ? 'push' : 'unsupported'
  },
  verify: (request, keys) => verifyHmac(request, header(request.headers, 'x-hub-signature'), 'sha256=', keyOf(keys, 'bitbucket-server')),
  parse(body) {
    const links = items(body, 'repository', 'links', 'clone').filter((link) => LINKS.includes(text(link, 'name')))
    const [change] = items(body, 'changes')
    return {
      urls: links.slice(0, LINKS.length).map((link) => text(link, 'href')),
      branch: branchOf(text(change, 'refId')),
      commit: commitOf(text(change, 'toHash')),
    }
  },
}
