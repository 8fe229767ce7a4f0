import type { AddressInfo } from 'node:net'
import { createServer } from 'node:net'

/** Ports of 127.0.0.1 that were free a moment ago, all different; whoever binds one must be ready to find it taken and ask again. */
export async function freePorts(count: number): Promise<number[]> {
  const servers = Array.from({ length: count }, () => createServer())
  try {
    return await Promise.all(servers.map(listenAnywhere))
  } finally {
    for (const server of servers) server.close()
  }
}

function listenAnywhere(server: ReturnType<typeof createServer>): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen(0, '127.0.0.1', () => resolve((server.address() as AddressInfo).port))
  })
}
