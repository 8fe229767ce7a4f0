// Where control planes and clusters come from: the decision apart from the looking.

/** What was found on this machine. */
export interface Findings {
  /** Folder given by KUBE_BIN. */
  readonly kubeBin?: string | undefined
  /** Folder of an earlier build with the same inputs. */
  readonly cached?: string | undefined
  /** Every program with its path, when all were found on PATH or in KUBEBUILDER_ASSETS and are new enough. */
  readonly installed?: Readonly<Record<string, string>> | undefined
  /** A Go that is new enough. */
  readonly go: boolean
  /** A Docker engine that answers. */
  readonly docker: boolean
}

/** What to do to get the programs of a control plane. */
export type BinarySource =
  | { readonly kind: 'folder'; readonly bin: string }
  | { readonly kind: 'installed'; readonly programs: Readonly<Record<string, string>> }
  | { readonly kind: 'build'; readonly with: 'go' | 'docker' }
  | { readonly kind: 'none' }

/** The first that works: the folder that was named, programs that are installed, an earlier build, a build with Go, a build in a container. */
export function chooseBinaries(found: Findings): BinarySource {
  if (found.kubeBin !== undefined) return { kind: 'folder', bin: found.kubeBin }
  if (found.installed !== undefined) return { kind: 'installed', programs: found.installed }
  if (found.cached !== undefined) return { kind: 'folder', bin: found.cached }
  if (found.go) return { kind: 'build', with: 'go' }
  if (found.docker) return { kind: 'build', with: 'docker' }
  return { kind: 'none' }
}

/** What to tell somebody whose machine has none of it. */
export function nothingFound(goVersion: string): string {
  const release = goVersion.split('.').slice(0, 2).join('.')
  return `no way to a Kubernetes control plane on this machine: install Go ${release} or newer (https://go.dev/dl), or Docker, or put etcd, kube-apiserver, kube-controller-manager, kubectl and helm 4 on the PATH`
}

/** True when the output of `go version` names that release or a newer one. Development builds count as new. */
export function isGoNewEnough(output: string, wanted: string): boolean {
  if (/\bdevel\b/.test(output)) return true
  const found = output.match(/\bgo([0-9]+)\.([0-9]+)/)
  if (found === null) return false
  return atLeast([Number(found[1]), Number(found[2])], wanted.split('.').map(Number))
}

/** True when the output of a program's version command names `major.minor` or newer in the form v1.2.3. */
export function isVersionAtLeast(output: string, major: number, minor: number): boolean {
  const found = output.match(/\bv([0-9]+)\.([0-9]+)/)
  return found !== null && atLeast([Number(found[1]), Number(found[2])], [major, minor])
}

function atLeast(found: readonly number[], wanted: readonly number[]): boolean {
  const [major = 0, minor = 0] = found
  const [wantedMajor = 0, wantedMinor = 0] = wanted
  return major > wantedMajor || (major === wantedMajor && minor >= wantedMinor)
}
