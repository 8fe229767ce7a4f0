// The network between the clusters: a bridge in a namespace of ours, a cable to each.
import { must } from '../image/command.ts'

const BRIDGE = 'lan'
/** Of this process in the network of the clusters: where the git server listens. */
export const WORLD_ADDRESS = '10.213.0.1'
const PREFIX = 24

/** Makes the bridge in the present network namespace, which must be a fresh one. */
export async function makeLan(): Promise<void> {
  await ip('link', 'set', 'lo', 'up')
  await ip('link', 'add', BRIDGE, 'type', 'bridge')
  await ip('addr', 'add', `${WORLD_ADDRESS}/${PREFIX}`, 'dev', BRIDGE)
  await ip('link', 'set', BRIDGE, 'up')
}

/** Lays a cable to the network namespace of a process, and gives that end an address. */
export async function plugIn(name: string, address: string, pid: number): Promise<void> {
  await ip('link', 'add', cable(name), 'type', 'veth', 'peer', 'name', 'eth0', 'netns', String(pid))
  await ip('link', 'set', cable(name), 'master', BRIDGE, 'up')
  const inside = (...args: string[]) => must('nsenter', ['--target', String(pid), '--net', 'ip', ...args])
  await inside('link', 'set', 'lo', 'up')
  await inside('addr', 'add', `${address}/${PREFIX}`, 'dev', 'eth0')
  await inside('link', 'set', 'eth0', 'up')
  await inside('route', 'add', 'default', 'via', WORLD_ADDRESS)
  await must('nsenter', ['--target', String(pid), '--net', '/bin/sh', '-c', 'echo 1 > /proc/sys/net/ipv4/ip_forward'])
}

/** Pulls the cable of a cluster, or puts it back. */
export async function setLink(name: string, state: 'up' | 'down'): Promise<void> {
  await ip('link', 'set', cable(name), state)
}

function cable(name: string): string {
  return `to-${name}`
}

function ip(...args: string[]): Promise<string> {
  return must('ip', args)
}
