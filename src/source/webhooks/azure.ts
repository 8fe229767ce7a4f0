// Azure DevOps: user name and password instead of a signature, and several hosts for one repository.
import { branchOf, commitOf, items, text } from './payload.ts'
import { keyOf, verifyToken } from './signatures.ts'
import { header, PayloadError, type Provider } from './types.ts'

const PUSH = 'git.push'
/** Known, and of no interest. */
const OTHERS: readonly string[] = ['git.pullrequest.created', 'git.pullrequest.merged', 'git.pullrequest.updated', 'build.complete']

export const azure: Provider = {
  name: 'azure',
  /** Only the body tells what kind of event it is. */
  detect: (headers) => (header(headers, 'x-vss-activityid') || header(headers, 'x-vss-subscriptionid') ? 'push' : undefined),
  verify({ headers }, keys) {
    const [username, password] = [keyOf(keys, 'azure-username'), keyOf(keys, 'azure-password')]
    if (!username || !password) return 'no key'
    const [, given = ''] = /^Basic +([\w+/]+=*)$/i.exec(header(headers, 'authorization')) ?? []
    return verifyToken(Buffer.from(given, 'base64').toString('utf8'), Buffer.concat([username, Buffer.from(':'), password]))
  },
  parse(body) {
    const type = text(body, 'eventType')
    if (OTHERS.includes(type)) return undefined
    if (type !== PUSH) throw new PayloadError('eventType is not known')
    const [update] = items(body, 'resource', 'refUpdates')
    return {
      urls: allAddresses(text(body, 'resource', 'repository', 'remoteUrl')),
      branch: branchOf(text(update, 'name')),
      commit: commitOf(text(update, 'newObjectId')),
    }
  },
}

/** A repository at dev.azure.com may still be cloned from the old host of its organisation, and the other way round. */
function allAddresses(url: string): string[] {
  const [, oldOrg, oldPath] = /^https?:\/\/(?:[^/@]*@)?([\w-]+)\.visualstudio\.com(?::\d+)?\/(?:DefaultCollection\/)?(.+)$/i.exec(url) ?? []
  const [, newOrg, newPath] = /^https?:\/\/(?:[^/@]*@)?dev\.azure\.com(?::\d+)?\/([\w-]+)\/(.+)$/i.exec(url) ?? []
  const [org, path] = [oldOrg ?? newOrg, oldPath ?? newPath]
  if (!org || !path) return [url]
  return [
    `https://dev.azure.com/${org}/${path}`,
    `https://${org}.visualstudio.com/${path}`,
    `https://${org}.visualstudio.com/DefaultCollection/${path}`,
    `ssh://vs-ssh.visualstudio.com/${org}/${path}`,
  ]
}
