import { setTimeout as delay } from 'node:timers/promises'
import type { HostProcess } from './host-process.ts'
import { logTail } from './host-process.ts'

const POLL_MS = 100
const LOG_LINES = 15

/** A program that had to be up and is not; the message ends with the last lines of its log. */
export class StartError extends Error {
  override readonly name = 'StartError'
}

/** True when the program ended because another one was faster to bind its port. */
export function lostPortRace(child: HostProcess): boolean {
  return child.exit !== undefined && /address already in use|bind: Only one usage/i.test(logTail(child.logFile, 200))
}

/**
 * Waits until `ready` says so, asking ten times a second.
 * @param child the program it depends on; its end before that is an error at once
 * @throws StartError after `limitMs`, or when `child` ends
 */
export async function waitUntil(ready: () => Promise<boolean>, child: HostProcess, limitMs: number, what: string): Promise<void> {
  const polls = Math.ceil(limitMs / POLL_MS)
  for (let poll = 0; poll < polls; poll++) {
    const started = performance.now()
    if (await ready()) return
    if (child.exit !== undefined) throw new StartError(`${child.name} ended with code ${child.exit.code} before ${what}${quoteLog(child)}`)
    const spent = performance.now() - started
    // A slow answer counts as the polls it took.
    poll += Math.floor(spent / POLL_MS)
    await delay(POLL_MS)
  }
  throw new StartError(`${child.name}: waited ${Math.round(limitMs / 1000)} s for ${what}${quoteLog(child)}`)
}

function quoteLog(child: HostProcess): string {
  const tail = logTail(child.logFile, LOG_LINES)
  return tail === '' ? '; its log is empty' : `; the last lines of its log:\n${tail}`
}
