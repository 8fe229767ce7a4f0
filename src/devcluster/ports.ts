import { randomInt } from 'node:crypto'
import { createServer, type Server } from 'node:net'

// Below what systems give to those who do not care which port they get: between our look and the start of a program none of them takes it.
const LOWEST = 10_000
const HIGHEST = 29_999
const MAX_LOOKS = 1_000

/** Ports of 127.0.0.1 that were free a moment ago, all different; whoever binds one must be ready to find it taken and ask again. */
export async function freePorts(count: number): Promise<number[]> {
  const servers: Server[] = []
  const ports: number[] = []
  try {
    for (let looks = 0; ports.length < count; looks++) {
      if (looks >= MAX_LOOKS) throw new Error(`no ${count} free ports were found between ${LOWEST} and ${HIGHEST}`)
      const [server, port] = [createServer(), randomInt(LOWEST, HIGHEST + 1)]
      if (!(await listens(server, port))) continue
      servers.push(server)
      ports.push(port)
    }
    return ports
  } finally {
    for (const server of servers) server.close()
  }
}

function listens(server: Server, port: number): Promise<boolean> {
  return new Promise((resolve) => {
    server.once('error', () => resolve(false))
    server.listen(port, '127.0.0.1', () => resolve(true))
  })
}
