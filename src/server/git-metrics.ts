// What is counted about repositories (spec 10.1). There are no jobs here: reading a commit counts as one, so that existing dashboards keep working.
import { Counter, Gauge, Histogram, type Registry } from 'prom-client'
import { keyOf } from '../lib/controller/keys.ts'

interface Repo {
  readonly name: string
  readonly namespace: string
}

/** Where polls and readings of repositories are counted. */
export interface GitMetrics {
  /** A look at the server for the newest commit. */
  polled(repo: Repo, isGood: boolean, seconds: number): void
  /** A commit was read and published, or could not be. */
  read(repo: Repo, isGood: boolean, seconds: number): void
  /** A new commit changes nothing for the GitRepo, and was not read. */
  unchanged(repo: Repo): void
  /** The GitRepo is gone, and so are its series. */
  forget(repo: Repo): void
}

const LABELS = ['name', 'namespace']
const POLL_SECONDS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30]
/** The time of the newest reading is told for so long: two looks of Prometheus at least (spec 0.4). */
const NEWEST_MS = 120_000
const READ_SECONDS = [1, 2, 5, 10, 30, 60, 180, 300, 600, 1200, 1800, 3600]

/** `now` in milliseconds. */
export function createGitMetrics(registry: Registry, now: () => number = Date.now): GitMetrics {
  const counter = (name: string, help: string) => new Counter({ name: `fleet_${name}`, help, labelNames: LABELS, registers: [registry] })
  const histogram = (name: string, help: string, buckets: number[]) =>
    new Histogram({ name: `fleet_${name}`, help, labelNames: LABELS, buckets, registers: [registry] })
  const reads = {
    good: counter('gitjobs_created_success_total', 'Commits that were read and published.'),
    bad: counter('gitjobs_created_failure_total', 'Commits that could not be read or published.'),
    seconds: histogram(
      'gitjob_duration_seconds',
      'Seconds from the first request for a commit until its bundles were written.',
      READ_SECONDS,
    ),
  }
  const readAt = new Map<string, { readonly repo: Repo; readonly at: number }>()
  const newest = new Gauge({
    name: 'fleet_gitjob_duration_seconds_gauge',
    help: 'Seconds that the newest reading of a commit took, for two minutes.',
    labelNames: LABELS,
    registers: [registry],
    collect() {
      for (const [key, { repo, at }] of readAt) {
        if (now() - at < NEWEST_MS) continue
        readAt.delete(key)
        this.remove(labelsOf(repo))
      }
    },
  })
  const unchanged = counter('gitrepo_unchanged_commits_total', 'New commits that change nothing for the GitRepo and were not read.')
  const polls = {
    good: counter('gitrepo_fetch_latest_commit_success_total', 'Questions for the newest commit that were answered.'),
    bad: counter('gitrepo_fetch_latest_commit_failure_total', 'Questions for the newest commit that failed, for any reason.'),
    seconds: histogram('gitrepo_fetch_latest_commit_duration_seconds', 'Seconds until the newest commit was known.', POLL_SECONDS),
  }
  const all = [reads.good, reads.bad, reads.seconds, newest, unchanged, polls.good, polls.bad, polls.seconds]
  return {
    polled: (repo, isGood, seconds) => tally(polls, labelsOf(repo), isGood, seconds),
    read(repo, isGood, seconds) {
      tally(reads, labelsOf(repo), isGood, seconds)
      if (!isGood) return
      newest.set(labelsOf(repo), seconds)
      readAt.set(keyOf(repo), { repo, at: now() })
    },
    unchanged: (repo) => unchanged.inc(labelsOf(repo)),
    forget(repo) {
      for (const metric of all) metric.remove(labelsOf(repo))
      readAt.delete(keyOf(repo))
    },
  }
}

function labelsOf({ name, namespace }: Repo): Record<string, string> {
  return { name, namespace }
}

function tally(
  { good, bad, seconds: histogram }: { good: Counter; bad: Counter; seconds: Histogram },
  labels: Record<string, string>,
  isGood: boolean,
  seconds: number,
): void {
  ;(isGood ? good : bad).inc(labels)
  if (isGood) histogram.observe(labels, seconds)
}
