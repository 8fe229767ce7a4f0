// The demo itself: what it starts, what it shows, what it suggests.
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import type { Bundle } from '../../../src/api/bundle.ts'
import type { BundleDeployment } from '../../../src/api/bundle-deployment.ts'
import type { GitRepo } from '../../../src/api/git-repo.ts'
import { BUNDLE, BUNDLE_DEPLOYMENT, FLEET_API_VERSION, GIT_REPO } from '../../../src/api/kinds.ts'
import { REPO_NAME_LABEL } from '../../../src/api/labels.ts'
import { WORKSPACE } from '../../../src/devcluster/fleet-objects.ts'
import { startWorld, type World } from '../../../src/devcluster/world.ts'
import { silentLogger } from '../../../src/lib/controller/log.ts'
import { createInformerFactory, type Informer } from '../../../src/lib/kube/informer.ts'
import { readFolder } from '../../../src/testing/git-repository.ts'
import { type ServedRepository, startGitServer } from '../../../src/testing/git-server.ts'
import { ROOT, run } from '../run.ts'
import { createScreen } from './screen.ts'
import { isReady, render, rows, type Snapshot } from './table.ts'

const MEMBER = 'downstream'
const MEMBERS = [
  { name: MEMBER, labels: { env: 'dev' }, joins: 'import' },
  { name: 'edge', labels: { env: 'dev' }, joins: 'token' },
] as const
const READY_LIMIT_MS = 120_000
const FRAME_MS = 200

interface DemoOptions {
  /** folder with the programs of a control plane, kubectl and helm */
  readonly bin: string
  readonly once: boolean
  readonly signal: AbortSignal
}

/** Runs the demo until it has shown all (`once`) or the signal is aborted; stops what it started in any case. */
export async function runDemo({ bin, once, signal }: DemoOptions): Promise<void> {
  const git = await startGitServer()
  let world: World | undefined
  try {
    const repository = await git.repository('demo', await readFolder(join(ROOT, 'testdata', 'demo')), { branch: 'main' })
    world = await startWorld({
      bin,
      programs: { controller: join(ROOT, 'dist', 'fleet-controller'), agent: join(ROOT, 'dist', 'fleet-agent') },
      crds: join(ROOT, 'crds'),
      members: MEMBERS,
      log: silentLogger,
      onStep: (step) => console.log(`· ${step}`),
    })
    await follow(world, repository, { bin, once, signal })
  } finally {
    await world?.stop()
    await git.stop()
  }
}

async function follow(world: World, repository: ServedRepository, { bin, once, signal }: DemoOptions): Promise<void> {
  const view = await watchWorkspace(world, signal)
  console.log(`· applying GitRepo ${WORKSPACE}/demo, which follows ${repository.url}\n`)
  await applyGitRepo(world, repository.url)
  await showUntilReady(view, await repository.head('main'), signal)
  if (once) {
    const started = Date.now()
    const commit = await repository.commit({ 'web/config.yaml': CHANGED_CONFIG }, { branch: 'main' })
    console.log(`\n· committed ${commit.slice(0, 12)}, which changes a ConfigMap\n`)
    await showUntilReady(view, commit, signal)
    await expectDownstream(world)
    console.log(`\nthe commit was deployed and ready ${((Date.now() - started) / 1000).toFixed(1)} s after it was made (polling every 2 s)`)
    return
  }
  console.log(await suggestions(world, repository, bin))
  await showChanges(view, signal)
}

const CHANGED_CONFIG = 'apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: greeting\ndata:\n  text: hello again\n'

async function expectDownstream(world: World): Promise<void> {
  const config = await world.clients[MEMBER]?.get<{
    apiVersion: string
    kind: string
    metadata: { name: string }
    data?: Record<string, string>
  }>({ apiVersion: 'v1', kind: 'ConfigMap', name: 'greeting', namespace: 'web' })
  if (config?.data?.text !== 'hello again') throw new Error(`ConfigMap web/greeting in ${MEMBER} does not hold what was committed`)
}

async function applyGitRepo(world: World, repo: string): Promise<void> {
  const gitRepo = {
    apiVersion: FLEET_API_VERSION,
    kind: 'GitRepo',
    metadata: { name: 'demo', namespace: WORKSPACE },
    spec: {
      repo,
      branch: 'main',
      paths: ['web', 'settings'],
      pollingInterval: '2s',
      targets: [{ name: 'dev', clusterSelector: { matchLabels: { env: 'dev' } } }],
    },
  }
  await world.clients.hub?.apply(gitRepo, { fieldManager: 'demo' })
}

/** What is shown, always up to date. */
async function watchWorkspace(world: World, signal: AbortSignal): Promise<() => Snapshot> {
  const client = world.clients.hub
  if (!client) throw new Error('the hub has no client')
  const factory = createInformerFactory(client, { log: silentLogger })
  const gitRepos: Informer<GitRepo> = factory.informer<GitRepo>({ type: GIT_REPO, namespace: WORKSPACE })
  const bundles: Informer<Bundle> = factory.informer<Bundle>({ type: BUNDLE, namespace: WORKSPACE, labelSelector: REPO_NAME_LABEL })
  const deployments: Informer<BundleDeployment> = factory.informer<BundleDeployment>({
    type: BUNDLE_DEPLOYMENT,
    labelSelector: REPO_NAME_LABEL,
  })
  factory.start(signal)
  await factory.waitSynced(signal)
  return () => ({ gitRepos: gitRepos.list(), bundles: bundles.list(), deployments: deployments.list() })
}

async function showUntilReady(view: () => Snapshot, commit: string, signal: AbortSignal): Promise<void> {
  const screen = createScreen(process.stdout)
  const end = Date.now() + READY_LIMIT_MS
  for (;;) {
    const snapshot = view()
    screen.show(render(rows(snapshot)))
    if (isReady(snapshot, commit, MEMBERS.length)) return
    if (Date.now() > end) throw new Error(`not ready after ${READY_LIMIT_MS / 1000} s; the last state is above`)
    await pause(FRAME_MS, undefined, { signal })
  }
}

async function showChanges(view: () => Snapshot, signal: AbortSignal): Promise<void> {
  let shown = render(rows(view()))
  while (!signal.aborted) {
    const text = render(rows(view()))
    if (text !== shown) console.log(`\n${text}`)
    shown = text
    await pause(FRAME_MS, undefined, { signal }).catch(() => undefined) // the end of the demo is no error
  }
  console.log('\nstopping …')
}

/** Three things to try, as commands that can be pasted. */
async function suggestions(world: World, repository: ServedRepository, bin: string): Promise<string> {
  const clone = join(world.dir, 'demo')
  await run('git', ['clone', '--quiet', '--branch', 'main', repository.dir, clone])
  for (const [key, value] of [
    ['user.name', 'demo'],
    ['user.email', 'demo@example.invalid'],
  ] as const)
    await run('git', ['-C', clone, 'config', key, value])
  const env = join(world.dir, 'demo.env')
  mkdirSync(world.dir, { recursive: true })
  writeFileSync(env, `export PATH="${bin}:$PATH" KUBECONFIG="${world.hub.kubeconfig}" DOWNSTREAM="${world.members[MEMBER]?.kubeconfig}"\n`)
  return `
Everything is ready. In another terminal, after

    . ${env}

try

  1. change a file and commit; it is deployed within a few seconds:
     cd ${clone} && sed -i.bak 's/hello/good morning/' web/config.yaml && git commit -qam 'say good morning' && git push -q
     kubectl --kubeconfig "$DOWNSTREAM" get configmap greeting -n web -o yaml

  2. look at it:
     kubectl get gitrepos,bundles,bundledeployments -A

  3. break something, and see who notices:
     kubectl --kubeconfig "$DOWNSTREAM" delete service web -n web
     kubectl get bundles -A

The logs of the programs are in ${join(world.dir, '*-node', 'pods')}.
Ctrl-C stops everything.
`
}
