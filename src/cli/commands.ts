// All commands in the order of the help. A command is loaded only when it is called, so that starting costs little.
import type { CliCommand } from './command.ts'

export interface CommandEntry {
  /** as it is written after `fleet`; two words for a command of a group */
  readonly name: string
  /** one line for `fleet --help` */
  readonly summary: string
  /** works, but is not shown */
  readonly hidden?: boolean
  load(): Promise<CliCommand>
}

export const COMMANDS: readonly CommandEntry[] = [
  {
    name: 'apply',
    summary: 'read folders as a GitRepo would, and write their bundles to the cluster or print them',
    load: async () => (await import('./apply.ts')).apply,
  },
  {
    name: 'target',
    summary: 'print what a bundle becomes on each cluster that it is deployed to',
    load: async () => (await import('./target.ts')).target,
  },
  {
    name: 'deploy',
    summary: 'deploy one bundle deployment as an agent would, or print its objects',
    load: async () => (await import('./deploy.ts')).deploy,
  },
  {
    name: 'validate',
    summary: 'check folders with fleet.yaml files, and name everything that is wrong',
    load: async () => (await import('./validate.ts')).validate,
  },
  {
    name: 'bundlediff',
    summary: 'show what differs in the clusters from what was deployed',
    load: async () => (await import('./bundlediff/command.ts')).bundlediff,
  },
  {
    name: 'explain',
    summary: 'say why something is not deployed: what it waits for, since when, and what to do',
    load: async () => (await import('./explain/command.ts')).explain,
  },
  {
    name: 'monitor',
    summary: 'print the state of the hub, and what is wrong with it, as JSON',
    load: async () => (await import('./monitor/command.ts')).monitor,
  },
  {
    name: 'analyze',
    summary: 'read what fleet monitor printed, and tell what it says',
    load: async () => (await import('./analyze/command.ts')).analyze,
  },
  {
    name: 'dump',
    summary: 'write the objects of Fleet into an archive, for whoever helps you',
    load: async () => (await import('./dump/command.ts')).dump,
  },
  {
    name: 'cleanup clusterregistration',
    summary: 'delete cluster registrations that are of no use',
    load: async () => (await import('./cleanup/cluster-registration-command.ts')).cleanupClusterRegistration,
  },
  {
    name: 'cleanup gitjob',
    summary: 'delete finished jobs of GitRepos',
    load: async () => (await import('./cleanup/git-job-command.ts')).cleanupGitJob,
  },
  {
    name: 'gitcloner',
    summary: 'write the files of a git repository into a folder',
    load: async () => (await import('./gitcloner/command.ts')).gitcloner,
  },
  {
    name: 'test',
    summary: 'deprecated: match a folder against a cluster and print its objects',
    hidden: true,
    load: async () => (await import('./test.ts')).test,
  },
  {
    name: 'completion',
    summary: 'print a script that completes commands and flags in your shell',
    load: async () => (await import('./completion.ts')).completion,
  },
  {
    name: 'version',
    summary: 'print the version of this command',
    load: async () => (await import('./version.ts')).version,
  },
]
