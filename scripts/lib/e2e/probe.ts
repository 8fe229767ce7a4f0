// Tries out, in namespaces that end at once, each thing that a node does to its machine. Pure.

export const PROBE_NAMESPACES = ['--net', '--mount', '--pid', '--uts', '--ipc', '--propagation', 'private', '--fork', '--mount-proc']

const OVERLAY = 'lowerdir=$1/probe/lower,upperdir=$1/probe/upper,workdir=$1/probe/work'
const DNAT = '-d 10.96.0.1 -p tcp --dport 443 -j DNAT --to-destination 127.0.0.1:6443'

/** What is tried, by what it is called when it fails; `$1` is the folder of the nodes. */
const TRIALS: Readonly<Record<string, string>> = {
  'file systems in memory': 'mount -t tmpfs tmpfs /run',
  'other values of the kernel for one node': 'touch /run/value && mount --bind /run/value /proc/sys/kernel/panic',
  'the log of the kernel': ': < /dev/kmsg',
  'overlay file systems': `cd "$1" && mkdir -p probe/lower probe/upper probe/work probe/all && mount -t overlay overlay -o "${OVERLAY}" probe/all && umount probe/all`,
  'programs in the folder for temporary files':
    'printf "#!/bin/sh\\n" > "$1/probe/program" && chmod 755 "$1/probe/program" && "$1/probe/program"',
  'network bridges': 'ip link add probe type bridge',
  'cables between networks': 'ip link add probe0 type veth peer name probe1 && ip link set probe0 master probe',
  'forwarding of packets': 'echo 1 > /proc/sys/net/ipv4/ip_forward',
  'translation of addresses': `iptables -t nat -A OUTPUT ${DNAT} && iptables -t nat -A POSTROUTING -m comment --comment probe -j MASQUERADE`,
  'namespaces inside of namespaces': 'unshare --net --mount --pid --uts --ipc --fork --mount-proc true',
}

/** Shell script that ends with an error and one line on stdout when something is not allowed. */
export const PROBE: string = Object.entries(TRIALS)
  .map(([what, trial]) => `answer=$( { ${trial}; } 2>&1 ) || { printf '%s: %s\\n' '${what}' "$answer"; exit 1; }`)
  .join('\n')
