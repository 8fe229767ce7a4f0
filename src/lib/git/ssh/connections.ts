// Connections to ssh servers that are kept for a short while, so that the next poll need not log in again. One job at a time uses a connection.
import type { SshConnection } from './connection.ts'

export interface SshConnections {
  /**
   * A kept connection, which now is the caller's; undefined if there is none. `id` is the same for those who log in to the same server in the same
   * way. A repository that comes with another `id` than last time has other credentials: what was kept for the old ones is closed.
   */
  take(id: string, repository: string): SshConnection | undefined
  /** Gives one back that works and is used by nobody. */
  keep(id: string, connection: SshConnection): void
  /** Closes all, and whatever is given back later. */
  close(): void
}

export interface SshConnectionsOptions {
  /** Longer than the usual polling interval, so that a poll finds the connection of the one before. */
  readonly idleMs?: number
  /** After that we log in anew, since a key may have been withdrawn meanwhile: in milliseconds from the first use on. */
  readonly maxAgeMs?: number
  readonly perId?: number
  readonly total?: number
  /** Milliseconds. */
  readonly now: () => number
}

interface Kept {
  readonly id: string
  readonly connection: SshConnection
  readonly timer: NodeJS.Timeout
}

const MAX_REPOSITORIES = 10_000

export function createSshConnections({
  idleMs = 20_000,
  maxAgeMs = 300_000,
  perId = 4,
  total = 32,
  now,
}: SshConnectionsOptions): SshConnections {
  /** The longest unused first. */
  const idle = new Set<Kept>()
  const since = new WeakMap<SshConnection, number>()
  const idOfRepository = new Map<string, string>()
  let isClosed = false

  function take(id: string, repository: string): SshConnection | undefined {
    const before = idOfRepository.get(repository)
    if (before !== undefined && before !== id) of(before).forEach(drop)
    remember(repository, id)
    for (const kept of of(id).reverse()) {
      remove(kept)
      if (kept.connection.isOpen()) return kept.connection
    }
    return undefined
  }

  function keep(id: string, connection: SshConnection): void {
    const born = since.get(connection) ?? now()
    since.set(connection, born)
    const restMs = Math.min(idleMs, born + maxAgeMs - now())
    if (isClosed || restMs <= 0 || !connection.isOpen()) {
      connection.close()
      return
    }
    connection.boundTo(undefined)
    const kept: Kept = { id, connection, timer: setTimeout(() => drop(kept), restMs).unref() }
    idle.add(kept)
    connection.whileOpen(new Promise(() => {})).catch(() => remove(kept))
    const [oldest] = of(id).length > perId ? of(id) : idle.size > total ? idle : []
    if (oldest) drop(oldest)
  }

  function of(id: string): Kept[] {
    return [...idle].filter((kept) => kept.id === id)
  }

  function remove(kept: Kept): void {
    clearTimeout(kept.timer)
    idle.delete(kept)
  }

  function drop(kept: Kept): void {
    remove(kept)
    kept.connection.close()
  }

  function remember(repository: string, id: string): void {
    idOfRepository.delete(repository)
    idOfRepository.set(repository, id)
    const [oldest] = idOfRepository.keys()
    if (idOfRepository.size > MAX_REPOSITORIES && oldest !== undefined) idOfRepository.delete(oldest)
  }

  return {
    take,
    keep,
    close() {
      isClosed = true
      for (const kept of [...idle]) drop(kept)
    },
  }
}
