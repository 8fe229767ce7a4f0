// What a snapshot tells of the hub itself.
import type { EventInfo, Snapshot } from '../monitor/snapshot.ts'
import { type Paint, plain, table } from './layout.ts'

/** Pods, consistency of the API server, events of type Warning; what the snapshot does not have is left out. */
export function details({ controller = [], apiConsistency, recentEvents = [] }: Snapshot, paint: Paint): string[] {
  const warnings = recentEvents.filter(({ type }) => type === 'Warning')
  return [
    ...(controller.length > 0 ? ['', paint('bold', 'CONTROLLER INFO')] : []),
    ...controller.flatMap(({ name, status, restarts, startTime }, index) => [
      ...(index > 0 ? [''] : []),
      ...table([
        ['  Name:', plain(name)],
        ['  Status:', plain(status)],
        ['  Restarts:', String(restarts)],
        ...(startTime ? [['  Start Time:', plain(startTime)]] : []),
      ]),
    ]),
    ...(apiConsistency ? ['', paint('bold', 'API CONSISTENCY')] : []),
    ...(apiConsistency?.consistent ? [paint('green', '✓ API is consistent')] : []),
    ...(apiConsistency && !apiConsistency.consistent
      ? [paint('red', '✗ API inconsistency detected (time travel)'), `  Versions seen: ${apiConsistency.versions.join(' ')}`]
      : []),
    ...(warnings.length > 0 ? ['', paint('bold', `RECENT WARNING EVENTS (${warnings.length})`)] : []),
    ...warnings.flatMap(eventLines),
  ]
}

function eventLines({ reason, involvedKind, involvedName, message, lastTimestamp, count }: EventInfo): string[] {
  const times = count > 1 ? ` (x${count})` : ''
  return [
    `  • [${plain(reason)}] ${plain(`${involvedKind}/${involvedName}: ${message}`)}`,
    ...(lastTimestamp ? [`    Last: ${plain(lastTimestamp)}${times}`] : []),
  ]
}
