// Counts the writes that an API server has received, from its own metrics: what a test expects to be zero is measured where it can't hide.
import { request } from 'node:https'

/** An API server and an administrator's token. */
interface ApiServer {
  readonly url: string
  readonly ca: string
  readonly token: string
}

const WRITE_VERBS = new Set(['POST', 'PUT', 'PATCH', 'DELETE', 'APPLY'])
/** Leases are renewed all the time; reviews and token requests are questions in the form of a POST. */
const NOT_COUNTED = new Set(['leases', 'subjectaccessreviews', 'selfsubjectaccessreviews', 'tokenreviews', 'serviceaccounts'])

/** Writes by `VERB resource` since the API server was started, dry runs left out. */
export async function countWrites(server: ApiServer): Promise<Map<string, number>> {
  const counts = new Map<string, number>()
  for (const line of (await metrics(server)).split('\n')) {
    const match = /^apiserver_request_total\{(.*)\} (\S+)$/.exec(line)
    if (!match) continue
    const labels = Object.fromEntries([...(match[1] ?? '').matchAll(/(\w+)="([^"]*)"/g)].map(([, key, value]) => [key, value]))
    if (!WRITE_VERBS.has(labels.verb ?? '') || NOT_COUNTED.has(labels.resource ?? '') || labels.dry_run) continue
    const key = `${labels.verb} ${labels.resource}`
    counts.set(key, (counts.get(key) ?? 0) + Number(match[2]))
  }
  return counts
}

/** What has been written between two counts; empty when nothing was. */
export function writesBetween(before: ReadonlyMap<string, number>, after: ReadonlyMap<string, number>): Record<string, number> {
  const changed = [...after].map(([key, count]) => [key, count - (before.get(key) ?? 0)] as const).filter(([, count]) => count > 0)
  return Object.fromEntries(changed)
}

function metrics({ url, ca, token }: ApiServer): Promise<string> {
  return new Promise((resolve, reject) => {
    const get = request(`${url}/metrics`, { ca, timeout: 30_000, headers: { authorization: `Bearer ${token}` } }, (response) => {
      const chunks: Buffer[] = []
      response.on('data', (chunk: Buffer) => chunks.push(chunk))
      response.on('end', () =>
        response.statusCode === 200
          ? resolve(Buffer.concat(chunks).toString())
          : reject(new Error(`metrics of ${url}: status ${response.statusCode}`)),
      )
      response.on('error', reject)
    })
    get.on('timeout', () => get.destroy(new Error(`metrics of ${url}: no answer`)))
    get.on('error', reject)
    get.end()
  })
}
