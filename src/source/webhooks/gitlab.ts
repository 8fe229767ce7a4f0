import { branchOf, commitOf, text } from './payload.ts'
import { sshToUrl } from './repo-url.ts'
import { keyOf, verifyToken } from './signatures.ts'
import { header, type Provider } from './types.ts'

const EVENTS: readonly string[] = ['Push Hook', 'Tag Push Hook']

export const gitlab: Provider = {
  name: 'gitlab',
  detect(headers) {
    const event = header(headers, 'x-gitlab-event')
    if (!event) return undefined
    return EVENTS.includes(event) ? 'push' : 'unsupported'
  },
  verify: ({ headers }, keys) => verifyToken(header(headers, 'x-gitlab-token'), keyOf(keys, 'gitlab')),
  parse: (body) => ({
    urls: [text(body, 'project', 'web_url'), sshToUrl(text(body, 'project', 'git_ssh_url'))],
    branch: branchOf(text(body, 'ref')),
    // Of a tag this is the commit, where `after` is the tag itself.
    commit: commitOf(text(body, 'checkout_sha')),
  }),
}
