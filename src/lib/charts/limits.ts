/** What one chart may cost at most. */
export interface ChartLimits {
  /** bytes of an index.yaml, as sent and unpacked */
  readonly indexBytes: number
  /** bytes of an archive on the wire */
  readonly archiveBytes: number
  /** bytes of everything in an archive, also of what is not asked for */
  readonly unpackedBytes: number
  /** bytes of the files of a chart */
  readonly chartBytes: number
  /** files of a chart */
  readonly files: number
  /** entries of an archive, also of those not asked for */
  readonly entries: number
  /** levels of folders */
  readonly depth: number
  /** dependencies of a chart */
  readonly dependencies: number
  /** milliseconds for one download, from the first request to the last byte */
  readonly timeMs: number
}

export const CHART_LIMITS: ChartLimits = {
  indexBytes: 64 * 2 ** 20,
  archiveBytes: 256 * 2 ** 20,
  unpackedBytes: 2 ** 30,
  chartBytes: 64 * 2 ** 20,
  files: 20_000,
  entries: 100_000,
  depth: 100,
  dependencies: 100,
  timeMs: 300_000,
}
