// What git gets to know of the world: nothing of the machine's and the user's settings, and ours in the environment, never on a command line.

export interface EnvironmentOptions {
  /** An empty folder that git takes for the user's home. */
  readonly home: string
  /** How git may reach others: `none` is for reading what is there. */
  readonly protocol: 'http' | 'ssh' | 'none'
  /** The largest piece of memory that git may ask for at once, in bytes: what a delta says it unpacks to is one piece. */
  readonly maxAllocation: number
  /** Further settings, and variables. */
  readonly settings?: Readonly<Record<string, string>> | undefined
  readonly variables?: Readonly<Record<string, string>> | undefined
}

const SETTINGS: Readonly<Record<string, string>> = {
  'core.hooksPath': '/dev/null',
  'core.fsmonitor': 'false',
  'core.attributesFile': '/dev/null',
  'core.bigFileThreshold': '1m',
  'credential.helper': '',
  'fetch.recurseSubmodules': 'false',
  'fetch.unpackLimit': '1',
  'gc.auto': '0',
  'http.followRedirects': 'false',
  'http.postBuffer': '67108864',
  'http.proxy': '',
  'maintenance.auto': 'false',
  'pack.threads': '1',
  'protocol.version': '2',
  'submodule.recurse': 'false',
  'transfer.bundleURI': 'false',
  'transfer.fsckObjects': 'true',
  // Slips of old tools, which do no harm: whole histories have them.
  'fetch.fsck.badTimezone': 'ignore',
  'fetch.fsck.missingSpaceBeforeDate': 'ignore',
  'fetch.fsck.zeroPaddedDate': 'ignore',
  'fetch.fsck.zeroPaddedFilemode': 'ignore',
}

/** The environment of a git process. */
export function gitEnvironment({ home, protocol, maxAllocation, settings, variables }: EnvironmentOptions): Record<string, string> {
  const entries = Object.entries({ ...SETTINGS, ...settings })
  const numbered = entries.flatMap(([key, value], index) => [
    [`GIT_CONFIG_KEY_${index}`, key],
    [`GIT_CONFIG_VALUE_${index}`, value],
  ])
  return {
    HOME: home,
    XDG_CONFIG_HOME: home,
    LC_ALL: 'C',
    GIT_CONFIG_NOSYSTEM: '1',
    GIT_CONFIG_GLOBAL: '/dev/null',
    GIT_ATTR_NOSYSTEM: '1',
    GIT_TERMINAL_PROMPT: '0',
    GIT_ASKPASS: '',
    SSH_ASKPASS: '',
    GIT_ALLOW_PROTOCOL: protocol,
    GIT_PROTOCOL_FROM_USER: '0',
    GIT_ALLOC_LIMIT: String(maxAllocation),
    GIT_NO_LAZY_FETCH: protocol === 'none' ? '1' : '0',
    GIT_CONFIG_COUNT: String(entries.length),
    ...Object.fromEntries(numbered),
    ...variables,
  }
}
