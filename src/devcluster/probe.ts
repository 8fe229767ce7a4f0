// The few questions that are asked before there is a client: is it up, does it have this object.
import { request as httpRequest } from 'node:http'
import type { RequestOptions } from 'node:https'
import { request as httpsRequest } from 'node:https'

const LIMIT_MS = 5000

/** HTTP status of a GET with a limit of 5 s; 0 when there was no answer. The body is thrown away. */
export function probe(url: string, options: RequestOptions = {}): Promise<number> {
  const request = url.startsWith('https:') ? httpsRequest : httpRequest
  return new Promise((resolve) => {
    const signal = AbortSignal.timeout(LIMIT_MS)
    const outgoing = request(url, { ...options, agent: false, signal }, (response) => {
      response.resume()
      response.once('error', () => resolve(0))
      response.once('end', () => resolve(response.statusCode ?? 0))
    })
    outgoing.once('error', () => resolve(0))
    outgoing.end()
  })
}
