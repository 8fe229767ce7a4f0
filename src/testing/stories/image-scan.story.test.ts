// A new tag in a registry becomes a commit, and the commit runs on the member cluster; what goes wrong on the way is named, and nothing is lost.
import { chmod, mkdir, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { GitRepoSpec } from '../../api/git-repo.ts'
import type { ImageScan } from '../../api/image-scan.ts'
import { GIT_REPO, IMAGE_SCAN } from '../../api/kinds.ts'
import { WORKSPACE } from '../../devcluster/fleet-objects.ts'
import type { KubeObject } from '../../lib/kube/types.ts'
import { eventually } from '../eventually.ts'
import { configMapRef, useFleet } from '../fleet.ts'
import type { ServedRepository } from '../git-server.ts'
import { type ImageRegistryServer, startImageRegistry } from '../image-registry.ts'

type ConfigMap = KubeObject & { data?: Record<string, string> }

const PUSHER = { username: 'pusher', password: 'push-canary-1729' }
const fleet = useFleet({ controllerEnv: { IMAGESCAN_ENABLED: 'true' } })
let registry: ImageRegistryServer
let encrypted: ImageRegistryServer
beforeAll(async () => {
  ;[registry, encrypted] = await Promise.all([startImageRegistry(), startImageRegistry({ tls: true })])
})
afterAll(() => Promise.all([registry?.down(), encrypted?.down()]))

function manifest(image: string): string {
  return `# the setter below is found by its comment
apiVersion: v1
kind: ConfigMap
metadata: { name: app }
data:
  image: "${image}"   # {"$imagescan": "app"}
  note: 'untouched'
`
}

function bundle(name: string, image: string, range = '*'): string {
  const scan = { tagName: 'app', image, interval: '1s', policy: { semver: { range } } }
  return `defaultNamespace: ${name}\nimageScans:\n- ${JSON.stringify(scan)}\n`
}

/** Setters above their values; the last line has no end. */
function numbered(one: string, two: string): string {
  return `apiVersion: v1
kind: ConfigMap
metadata: { name: app }
data:
  # {"$imagescan": "numbered/one:tag"}
  one: ${one}
  # {"$imagescan": "numbered/two:tag"}
  two: '${two}'`
}

/** A GitRepo whose bundle scans an image and wants new ones committed. */
function deployed(name: string, image: string, range?: string, spec: Partial<GitRepoSpec> = {}): Promise<ServedRepository> {
  return writable(name, { 'raw/fleet.yaml': bundle(name, image, range), 'raw/app.yaml': manifest('none') }, spec)
}

/** A GitRepo that new images may be committed to, at most once a second. */
async function writable(name: string, files: Readonly<Record<string, string>>, spec: Partial<GitRepoSpec> = {}): Promise<ServedRepository> {
  const repository = await fleet.git.repository(name, files)
  await repository.git(['config', 'http.receivepack', 'true'])
  const secret = {
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { name, namespace: WORKSPACE },
    type: 'kubernetes.io/basic-auth',
    stringData: PUSHER,
  }
  await fleet.hub.create(secret as KubeObject)
  const imageScanCommit = { authorName: 'Image Robot', authorEmail: 'robot@example.com', messageTemplate: 'Update images' }
  await fleet.gitRepo(name, {
    repo: repository.url,
    paths: ['raw'],
    clientSecretName: name,
    imageScanInterval: '1s',
    imageScanCommit,
    ...spec,
  })
  return repository
}

/** Waits until the member cluster has this image, out of a commit of the branch. */
async function runs(name: string, repository: ServedRepository, image: string): Promise<void> {
  await eventually(async () => expect((await fleet.down.find<ConfigMap>(configMapRef('app', name)))?.data?.image).toBe(image), {
    what: `${name} runs ${image}`,
    timeoutMs: 90_000,
  })
  await fleet.ready(name, await repository.head())
  expect(`${await repository.git(['show', 'master:raw/app.yaml'])}\n`).toBe(manifest(image))
}

/** Waits until the hub no longer asks for an image, which it did each second. */
function unasked(name: string): Promise<void> {
  const count = (): number => registry.seen.filter((line) => line.includes(`/${name}/`)).length
  return eventually(
    async () => {
      const before = count()
      await pause(4_000)
      expect(count()).toBe(before)
    },
    { what: `${name} is not asked for` },
  )
}

const scanRef = (name: string) => ({ ...IMAGE_SCAN, name: `imagescan-${name}-raw-0`, namespace: WORKSPACE })
const scanFails = (name: string, message: RegExp) => fleet.condition(scanRef(name), 'ImageScanned', 'False', message)
const notSynced = (name: string, message: RegExp) => fleet.gitRepoCondition(name, 'ImageSynced', 'False', message)

describe.concurrent('a new image', () => {
  test('is committed and rolled out, again and again', async () => {
    registry.push('team/app', ['1.0.0', '2.0.0-rc.1', 'latest'])
    const image = `${registry.host}/team/app`
    const repository = await deployed('app', image)
    await runs('app', repository, `${image}:1.0.0`)
    registry.push('team/app', ['1.1.0'])
    await runs('app', repository, `${image}:1.1.0`)
    await fleet.gitRepoCondition('app', 'ImageSynced', 'True')
    expect(await repository.git(['log', '--format=%an <%ae> %s', '-2'])).toBe(
      'Image Robot <robot@example.com> Update images\nImage Robot <robot@example.com> Update images',
    )
    expect((await fleet.hub.get<ImageScan>(scanRef('app'))).status).toMatchObject({
      latestTag: '1.1.0',
      latestDigest: registry.digest('team/app', '1.1.0'),
    })
    await fleet.hub.delete({ ...GIT_REPO, name: 'app', namespace: WORKSPACE })
    await fleet.gone(fleet.hub, { ...GIT_REPO, name: 'app', namespace: WORKSPACE })
    await fleet.gone(fleet.hub, scanRef('app'))
    expect(await repository.git(['rev-list', '--count', 'master'])).toBe('3')
  })

  test('is found by an object of its own, by its number, and written below its marker with others in one commit', async () => {
    const names = ['numbered/one', 'numbered/two']
    for (const name of names) registry.push(name, ['main-aaa-9', 'main-bbb-10', 'latest', '11'])
    const files = {
      'raw/fleet.yaml': 'defaultNamespace: numbered\n',
      'raw/app.yaml': numbered('old', 'old'),
    }
    // before the GitRepo: a commit that is made before the second one is known would be a commit of the first one alone
    for (const [index, name] of names.entries())
      await fleet.hub.create<ImageScan>({
        ...IMAGE_SCAN,
        metadata: { name: `numbered-${index}`, namespace: WORKSPACE },
        spec: {
          gitrepoName: 'numbered',
          image: `${registry.host}/${name}`,
          tagName: name,
          interval: '1s',
          policy: { numerical: { order: 'DESC' } },
          filterTags: { pattern: 'main-[a-f]+-(?P<build>\\d+)', extract: '$build' },
        },
      })
    const repository = await writable('numbered', files)
    const image = (): Promise<string | undefined> =>
      fleet.down.find<ConfigMap>(configMapRef('app', 'numbered')).then((found) => found?.data?.one)
    const is = (one: string) => eventually(async () => expect(await image()).toBe(one), { what: `numbered runs ${one}`, timeoutMs: 90_000 })
    await is('main-bbb-10')
    expect(await repository.git(['show', 'master:raw/app.yaml'])).toBe(numbered('main-bbb-10', 'main-bbb-10'))
    expect(await repository.git(['rev-list', '--count', 'master'])).toBe('2')
    await fleet.hub.patch({ ...IMAGE_SCAN, name: 'numbered-1', namespace: WORKSPACE }, { spec: { suspend: true } }, { type: 'merge' })
    await unasked('numbered/two')
    for (const name of names) registry.push(name, ['main-ccc-11'])
    await is('main-ccc-11')
    expect(await repository.git(['show', 'master:raw/app.yaml'])).toBe(numbered('main-ccc-11', 'main-bbb-10'))
  })

  test('waits for a registry that is away, and for one that is trusted', async () => {
    encrypted.push('app', ['1.0.0'])
    const repository = await deployed('untrusted', `${encrypted.host}/app`)
    await scanFails('untrusted', /the certificate of the registry of .* is signed by an unknown authority/)
    await notSynced('untrusted', /image scan imagescan-untrusted-raw-0 \(tagName "app"\) has failed: the certificate/)
    expect(await repository.git(['rev-list', '--count', 'master'])).toBe('1')
    const away = await startImageRegistry()
    await away.down()
    await repository.commit({ 'raw/fleet.yaml': bundle('untrusted', `${away.host}/app`) })
    await scanFails('untrusted', /the registry of 127\.0\.0\.1:\d+\/app cannot be reached \(ECONNREFUSED\)/)
    await away.up()
    away.push('app', ['3.0.0'])
    await runs('untrusted', repository, `${away.host}/app:3.0.0`)
    await away.down()
  })

  test('has to be there, and to match', async () => {
    const repository = await deployed('choosy', `${registry.host}/nothing/here`)
    await scanFails('choosy', /the registry lists no tags of .*\/nothing\/here: check its name, or push one/)
    registry.push('choosy', ['0.9.0', 'main'])
    await repository.commit({ 'raw/fleet.yaml': bundle('choosy', `${registry.host}/choosy`, '>=1') })
    await scanFails('choosy', /none of the 2 tags of .*\/choosy is a version within ">=1"/)
    await notSynced('choosy', /is a version within/)
    registry.push('choosy', ['1.0.1'])
    await runs('choosy', repository, `${registry.host}/choosy:1.0.1`)
  })

  test('stays out of a repository that refuses it', async () => {
    registry.push('refused', ['1.0.0'])
    const image = `${registry.host}/refused`
    const hooks = join(fleet.world.dir, 'hooks')
    await mkdir(hooks, { recursive: true })
    await writeFile(join(hooks, 'pre-receive'), '#!/bin/sh\necho "only by review" >&2; exit 1\n')
    await chmod(join(hooks, 'pre-receive'), 0o755)
    const repository = await deployed('refused', image, '*', { clientSecretName: '' })
    await notSynced('refused', /name a secret that may push in clientSecretName/)
    await repository.git(['config', 'core.hooksPath', hooks])
    await fleet.gitRepo('refused', {
      repo: repository.url,
      paths: ['raw'],
      clientSecretName: 'refused',
      imageScanCommit: { authorName: 'once' },
      imageScanInterval: '1s',
    })
    await notSynced('refused', /refuses the push to branch master \(pre-receive hook declined, only by review\)/)
    await rm(hooks, { recursive: true })
    await fleet.gitRepo('refused', {
      repo: repository.url,
      paths: ['raw'],
      clientSecretName: 'refused',
      imageScanCommit: { authorName: 'again' },
      imageScanInterval: '1s',
    })
    await runs('refused', repository, `${image}:1.0.0`)
  })
})

test('no password ends up where it can be read', async () => {
  const objects = await fleet.hub.list(GIT_REPO)
  const scans = await fleet.hub.list(IMAGE_SCAN)
  expect(JSON.stringify([objects, scans])).not.toContain('canary')
  expect(fleet.logs()).not.toContain('canary')
})
