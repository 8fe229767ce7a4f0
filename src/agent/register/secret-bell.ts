import { AGENT_BOOTSTRAP_NAME, AGENT_NAME } from '../../api/labels.ts'
import { sleep } from '../../lib/controller/clock.ts'
import { createInformerFactory, type InformerFactory } from '../../lib/kube/informer.ts'
import type { RegistrationOptions } from './options.ts'

/** Rings when one of the agent's two secrets changes. Watches from the first wait on; says only that something happened, so read again. */
export interface SecretBell {
  /** How often it rang. Take it before reading, then nothing gets lost. */
  readonly rings: number
  /** Resolves when it has rung more often than `rings`, or after `ms`; never in less than a second. Rejects with the reason of the signal. */
  wait(rings: number, ms: number, signal: AbortSignal): Promise<void>
  stop(): Promise<void>
}

/** Secrets change in company: the one that is read alone may be half of it. */
const LEAST_MS = 1_000

export function createSecretBell({
  client,
  namespace,
  clock,
  log,
  random,
}: Pick<RegistrationOptions, 'client' | 'namespace' | 'clock' | 'log' | 'random'>): SecretBell {
  const ended = new AbortController()
  let factory: InformerFactory | undefined
  let rings = 0
  let wake = (): void => {}

  function listen(): void {
    if (factory) return
    factory = createInformerFactory(client, { clock, log, random })
    for (const name of [AGENT_BOOTSTRAP_NAME, AGENT_NAME]) {
      const secrets = factory.informer({
        type: { apiVersion: 'v1', kind: 'Secret' },
        namespace,
        fieldSelector: `metadata.name=${name}`,
        metadataOnly: true,
      })
      secrets.subscribe(() => {
        rings++
        wake()
      })
    }
    factory.start(ended.signal)
  }

  return {
    get rings() {
      return rings
    },
    async wait(before, ms, signal) {
      listen()
      await sleep(clock, Math.min(ms, LEAST_MS), signal)
      if (rings !== before) return
      const woken = new AbortController()
      wake = () => woken.abort()
      await sleep(clock, ms - LEAST_MS, AbortSignal.any([signal, woken.signal])).catch(() => {}) // the reason is looked at below
      wake = () => {}
      signal.throwIfAborted()
    },
    async stop() {
      ended.abort(new Error('nobody listens any more'))
      await factory?.stop()
    },
  }
}
