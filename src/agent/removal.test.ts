import { expect, test } from 'vitest'
import { silentLogger } from '../lib/controller/log.ts'
import type { KubeClient } from '../lib/kube/client.ts'
import type { Accounts } from './accounts.ts'
import type { ReleaseEngine, ReleaseOwner, RevisionSummary } from './release/engine.ts'
import type { ReleaseStore } from './release/store.ts'
import { createRemoval } from './removal.ts'

interface Release extends RevisionSummary {
  owner?: Partial<ReleaseOwner>
  label?: string
}

const release = (name: string, owner?: Partial<ReleaseOwner>, label?: string): Release => ({
  namespace: 'apps',
  name,
  version: 1,
  state: 'deployed',
  ...(owner ? { owner } : {}),
  ...(label ? { label } : {}),
})
const own = (bundleId: string, extra: Partial<ReleaseOwner> = {}) => ({
  bundleId,
  agentNamespace: 'agents',
  serviceAccount: 'sa',
  keepResources: false,
  ...extra,
})
const signal = new AbortController().signal

function scene(releases: Release[], copies: string[] = []) {
  const done: string[] = []
  let left = [...copies]
  const client = {
    list: async ({ kind }: { kind: string }) => ({
      items: kind === 'Secret' ? left.map((name) => ({ metadata: { name, namespace: 'apps' } })) : [],
    }),
    async delete({ name }: { name: string }) {
      done.push(`delete copy ${name}`)
      left = left.filter((copy) => copy !== name)
    },
    async patch({ name }: { name: string }) {
      done.push(`disown copy ${name}`)
      left = left.filter((copy) => copy !== name)
    },
  } as unknown as KubeClient
  const drop = (name: string) =>
    void releases.splice(
      releases.findIndex((one) => one.name === name),
      1,
    )
  const engine = {
    async uninstall({ name }: Release, { as }: { as: string }, { keepHistory }: { keepHistory: boolean }) {
      done.push(`uninstall ${name} as ${as}${keepHistory ? ', keep history' : ''}`)
      if (!keepHistory) drop(name)
    },
    async forget({ name }: Release) {
      done.push(`forget ${name}`)
      drop(name)
    },
  } as unknown as ReleaseEngine
  const store = {
    newest: () => [...releases],
    label: (revision: Release) => revision.label,
    async owner(revision: Release) {
      done.push(`read ${revision.name}`)
      return revision.owner
    },
  } as unknown as ReleaseStore
  const accounts = { access: async (as: string) => ({ as }) } as unknown as Accounts
  const removal = createRemoval({ client, accounts, engine, store, agentNamespace: 'agents', log: silentLogger })
  return { done, removal }
}

test('uninstalls the releases of the deployment, with their account, and reads no others', async () => {
  const { done, removal } = scene([
    release('web', own('web'), 'web'),
    release('old', own('web')),
    release('db', own('db'), 'db'),
    release('foreign'),
    release('other', own('web', { agentNamespace: 'else' })),
  ])
  await removal.removeDeployment('web', signal)
  expect(done).toEqual(['read web', 'read old', 'read foreign', 'read other', 'uninstall web as sa', 'uninstall old as sa'])
})

test('with copies the record goes last, so that a crash in between is found again', async () => {
  const { done, removal } = scene([release('web', own('web'), 'web')], ['c'])
  await removal.removeDeployment('web', signal)
  expect(done.slice(1)).toEqual(['uninstall web as sa, keep history', 'delete copy c', 'forget web'])
})

test('what is to be kept stays, also when the removal is repeated', async () => {
  const { done, removal } = scene([release('web', own('web', { keepResources: true }), 'web')], ['c'])
  await removal.removeDeployment('web', signal)
  await removal.removeDeployment('web', signal)
  expect(done).toEqual(['read web', 'disown copy c', 'forget web'])
})

test('the agent never uninstalls itself', async () => {
  const { done, removal } = scene([release('fleet-agent-local', own('fleet-agent-local'))])
  await removal.removeDeployment('fleet-agent-local', signal)
  await removal.removeRelease(release('fleet-agent-x'), own('fleet-agent-x') as ReleaseOwner, signal)
  expect(done.filter((step) => !step.startsWith('read'))).toEqual(['forget fleet-agent-local', 'forget fleet-agent-x'])
})

test('copies of a deployment that never came to a release are removed', async () => {
  const { done, removal } = scene([], ['c'])
  await removal.removeDeployment('web', signal)
  expect(done).toEqual(['delete copy c'])
})
