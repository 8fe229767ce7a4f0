// Counts what controllers do under controller-runtime's names, so that existing dashboards keep working.
import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client'
import type { ControllerMetrics, MetricLabels } from '../lib/controller/metrics.ts'
import { createGitMetrics, type GitMetrics } from './git-metrics.ts'

const SECONDS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300]
const HELP = 'see the metrics of controller-runtime'

/** The metrics of one process: a sink for controllers, and the text that Prometheus reads. */
export interface ProcessMetrics extends ControllerMetrics {
  /** What is counted about repositories. */
  readonly git: GitMetrics
  /** From now on each answer contains this text in the exposition format; until the returned function is called. */
  add(text: () => string): () => void
  /** The exposition text and its content type. */
  render(): Promise<{ text: string; contentType: string }>
}

/** Metrics with a registry of their own; process metrics (CPU, memory, event loop) included. */
export function createProcessMetrics(): ProcessMetrics {
  const registry = new Registry()
  collectDefaultMetrics({ register: registry })
  const sources = new Set<() => string>()
  const counters = new Map<string, Counter>()
  const gauges = new Map<string, Gauge>()
  const histograms = new Map<string, Histogram>()
  return {
    count: (name, labels, by = 1) =>
      once(counters, name, () => new Counter({ name, help: HELP, labelNames: Object.keys(labels), registers: [registry] })).inc(
        text(labels),
        by,
      ),
    set: (name, labels, value) =>
      once(gauges, name, () => new Gauge({ name, help: HELP, labelNames: Object.keys(labels), registers: [registry] })).set(
        text(labels),
        value,
      ),
    observe: (name, labels, seconds) =>
      once(
        histograms,
        name,
        () => new Histogram({ name, help: HELP, labelNames: Object.keys(labels), buckets: SECONDS, registers: [registry] }),
      ).observe(text(labels), seconds),
    git: createGitMetrics(registry),
    add(source) {
      sources.add(source)
      return () => void sources.delete(source)
    },
    render: async () => ({
      text: [await registry.metrics(), ...[...sources].map((source) => source())].join(''),
      contentType: registry.contentType,
    }),
  }
}

function once<T>(map: Map<string, T>, name: string, make: () => T): T {
  const known = map.get(name)
  if (known) return known
  const made = make()
  map.set(name, made)
  return made
}

function text(labels: MetricLabels): Record<string, string> {
  return Object.fromEntries(Object.entries(labels).map(([key, value]) => [key, String(value)]))
}
