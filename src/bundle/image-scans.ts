import type { ImageScan, ImageScanSpec } from '../api/image-scan.ts'
import { IMAGE_SCAN } from '../api/kinds.ts'
import { imageScanName } from '../api/names.ts'
import { TerminalError } from '../lib/controller/errors.ts'
import { formatDuration, parseDuration } from '../lib/duration/duration.ts'

/**
 * The image scans of a bundle, named after its folder (`bundle`: the name that it has by its path) and their place in the file; entries without image are left out (spec 6.1).
 * @throws TerminalError when there are any although the feature is off, and for entries that miss something
 */
export function imageScansOf(entries: readonly ImageScanSpec[], bundle: string, enabled: boolean, file: string): ImageScan[] {
  if (entries.length > 0 && !enabled)
    throw new TerminalError(`${file}: imageScans are given, but image scanning is switched off: remove them or switch it on`)
  return entries.flatMap((entry, index) => {
    if (!entry.image) return []
    if (!entry.tagName) throw new TerminalError(`${file}: imageScans[${index}] needs a tagName`)
    const { name: _unused, ...spec } = entry as ImageScanSpec & { name?: string }
    const interval = intervalOf(entry.interval, `${file}: imageScans[${index}].interval`)
    return [{ ...IMAGE_SCAN, metadata: { name: imageScanName(bundle, index) }, spec: { ...spec, interval, policy: entry.policy ?? {} } }]
  })
}

function intervalOf(text: string | undefined, where: string): string {
  try {
    return formatDuration(parseDuration(text || '0s'))
  } catch {
    throw new TerminalError(`${where} must be a duration such as 90s, 15m or 1h30m`)
  }
}
