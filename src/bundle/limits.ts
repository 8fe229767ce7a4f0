/** What a repository may ask for at most, so that no single one takes the controller down. */
export interface ReadLimits {
  /** folders that become bundles */
  readonly bundles: number
  /** paths that one pattern may match */
  readonly matches: number
  /** folders that are looked into */
  readonly folders: number
  /** levels of folders */
  readonly depth: number
  /** files of one bundle */
  readonly files: number
  /** bytes of the files of one bundle */
  readonly bundleBytes: number
  /** bytes of fleet.yaml, a values file or a .fleetignore */
  readonly optionBytes: number
}

export const READ_LIMITS: ReadLimits = {
  bundles: 5000,
  matches: 10_000,
  folders: 100_000,
  depth: 100,
  files: 20_000,
  bundleBytes: 64 * 2 ** 20,
  optionBytes: 4 * 2 ** 20,
}
