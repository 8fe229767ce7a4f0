// What a user can get wrong: each mistake is named where the user looks, what was deployed stays, and it goes on once the mistake is mended.
import { describe, expect, test } from 'vitest'
import { configMap, configMapRef, useFleet } from '../fleet.ts'

const fleet = useFleet()

/** A GitRepo that has been deployed once: ConfigMap `one` in a namespace of its name. */
async function deployed(name: string) {
  const repository = await fleet.git.repository(name, { 'raw/one.yaml': configMap('one'), 'raw/fleet.yaml': `defaultNamespace: ${name}\n` })
  await fleet.gitRepo(name, { repo: repository.url, paths: ['raw'] })
  await fleet.ready(name, await repository.head())
  return { repository, stays: async () => expect(await fleet.down.find(configMapRef('one', name))).toBeDefined() }
}

describe.concurrent('a GitRepo', () => {
  test('whose server fails', async () => {
    const { repository, stays } = await deployed('unreachable')
    repository.fault({ status: 503 })
    await fleet.gitRepoCondition('unreachable', 'GitPolling', 'False', /503|unavailable/i)
    await stays()
    repository.fault(undefined)
    const commit = await repository.commit({ 'raw/two.yaml': configMap('two') })
    await fleet.ready('unreachable', commit)
    await fleet.gitRepoCondition('unreachable', 'GitPolling', 'True')
  })

  test('whose server cannot be reached', async () => {
    await fleet.gitRepo('nobody', { repo: 'http://127.0.0.1:9/nobody.git', paths: ['raw'] })
    await fleet.gitRepoCondition('nobody', 'GitPolling', 'False', /127\.0\.0\.1:9/)
  })

  test('with a branch that does not exist', async () => {
    const { repository, stays } = await deployed('branch')
    await fleet.gitRepo('branch', { repo: repository.url, paths: ['raw'], branch: 'nope' })
    await fleet.gitRepoCondition('branch', 'GitPolling', 'False', /nope/)
    await stays()
    await repository.branch('nope', await repository.head())
    await fleet.gitRepoCondition('branch', 'GitPolling', 'True')
    await fleet.ready('branch', await repository.head())
  })

  test('with a fleet.yaml that is no YAML', async () => {
    const { repository, stays } = await deployed('broken')
    await repository.commit({ 'raw/fleet.yaml': 'defaultNamespace: broken\nhelm: [\n' })
    await fleet.gitRepoCondition('broken', 'Stalled', 'True', /raw\/fleet\.yaml/)
    await stays()
    const commit = await repository.commit({ 'raw/fleet.yaml': 'defaultNamespace: broken\n' })
    await fleet.ready('broken', commit)
    await fleet.gitRepoCondition('broken', 'Stalled', 'False')
  })

  test('with a manifest that is no YAML', async () => {
    const { repository, stays } = await deployed('manifest')
    await repository.commit({ 'raw/two.yaml': 'kind: [ConfigMap\n' })
    await fleet.gitRepoCondition('manifest', 'Ready', 'False', /two\.yaml/)
    await stays()
    const commit = await repository.commit({ 'raw/two.yaml': configMap('two') })
    await fleet.ready('manifest', commit)
  })

  test('with a manifest that the cluster refuses', async () => {
    const { repository, stays } = await deployed('refused')
    await repository.commit({ 'raw/two.yaml': '{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"NOT_A_NAME"}}' })
    await fleet.gitRepoCondition('refused', 'Ready', 'False', /NOT_A_NAME/)
    await stays()
    const commit = await repository.commit({ 'raw/two.yaml': configMap('two') })
    await fleet.ready('refused', commit)
  })

  test('with a path in which there is nothing', async () => {
    const { repository, stays } = await deployed('empty')
    await fleet.gitRepo('empty', { repo: repository.url, paths: ['nothing-here'] })
    await fleet.gitRepoCondition('empty', 'Stalled', 'True', /nothing-here/)
    await stays()
    await fleet.gitRepo('empty', { repo: repository.url, paths: ['raw'] })
    await fleet.gitRepoCondition('empty', 'Stalled', 'False')
    await fleet.ready('empty', await repository.head())
  })
})
