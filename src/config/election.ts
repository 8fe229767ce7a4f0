import { ConfigError, durationMs, type Environment } from './environment.ts'

/** Times of a leader election, in milliseconds. */
export interface ElectionConfig {
  readonly enabled: boolean
  readonly leaseDurationMs: number
  readonly renewDeadlineMs: number
  readonly retryPeriodMs: number
}

/** `<prefix>_ELECTION_LEASE_DURATION`, `_RENEW_DEADLINE` and `_RETRY_PERIOD` (spec 10.3); the chart's defaults when unset. */
export function electionConfig(env: Environment, enabled: boolean, prefix = 'CATTLE'): ElectionConfig {
  const config = {
    enabled,
    leaseDurationMs: durationMs(env, `${prefix}_ELECTION_LEASE_DURATION`, 30_000),
    renewDeadlineMs: durationMs(env, `${prefix}_ELECTION_RENEW_DEADLINE`, 25_000),
    retryPeriodMs: durationMs(env, `${prefix}_ELECTION_RETRY_PERIOD`, 10_000),
  }
  if (config.leaseDurationMs <= config.renewDeadlineMs)
    throw new ConfigError(`${prefix}_ELECTION_LEASE_DURATION must be longer than ${prefix}_ELECTION_RENEW_DEADLINE`)
  if (config.renewDeadlineMs <= config.retryPeriodMs)
    throw new ConfigError(`${prefix}_ELECTION_RENEW_DEADLINE must be longer than ${prefix}_ELECTION_RETRY_PERIOD`)
  return config
}
