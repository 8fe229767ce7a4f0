// What queues and controllers count. The names are those of controller-runtime, so existing dashboards keep working; whoever exports them implements the sink.

/** Where measurements go. Histograms are in seconds. */
export interface ControllerMetrics {
  /** Adds one to a counter, or another amount; with 0 it is there to be seen. */
  count(name: CounterName, labels: MetricLabels, by?: number): void
  /** Sets a gauge. */
  set(name: GaugeName, labels: MetricLabels, value: number): void
  /** Adds a value to a histogram. */
  observe(name: HistogramName, labels: MetricLabels, seconds: number): void
}

type CounterName =
  | 'controller_runtime_reconcile_total'
  | 'controller_runtime_reconcile_errors_total'
  | 'controller_runtime_terminal_reconcile_errors_total'
  | 'workqueue_adds_total'
  | 'workqueue_retries_total'

type GaugeName = 'controller_runtime_active_workers' | 'controller_runtime_max_concurrent_reconciles' | 'workqueue_depth'

type HistogramName = 'controller_runtime_reconcile_time_seconds' | 'workqueue_queue_duration_seconds' | 'workqueue_work_duration_seconds'

/** `workqueue_*` carry `name` and `controller`, `controller_runtime_*` only `controller`; `result` only the reconcile total. */
export type MetricLabels = { controller: string; name?: string; result?: ReconcileOutcome }

export type ReconcileOutcome = 'success' | 'error' | 'requeue_after'
