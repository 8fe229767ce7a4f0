// With whose rights the agent acts in its cluster. All it sends is looked at on the way: what a deployment asks for goes out in the name of its account, and in
// the agent's own name nothing does but what is listed here.
import { beforeAll, describe, expect, test } from 'vitest'
import type { KubeObject } from '../../lib/kube/types.ts'
import { NAMESPACE } from '../../registration/kinds.ts'
import { type TestBundle, useAgent } from '../agent-scene.ts'
import type { Call } from '../call-proxy.ts'
import { uniqueNamespace } from '../cluster.ts'
import { eventually } from '../eventually.ts'
import { CONFIG_MAP, createNamespace } from '../kube.ts'

const SECRET = { apiVersion: 'v1', kind: 'Secret' }
const map = (name: string, data: Record<string, string> = { k: 'v' }) => ({ ...CONFIG_MAP, metadata: { name }, data })

/** Everything an agent may do in its own name. `NS` is any namespace, `OWN` that of the agent. */
const OWN_RIGHTS: readonly RegExp[] = [
  // what the cluster is
  /^GET \/(version|api|apis|openapi\/v3)(\/|$)/,
  // its own settings and credential, the accounts of deployments
  /^GET \/api\/v1\/namespaces\/OWN\/(secrets|configmaps|serviceaccounts)(\/|$)/,
  // records of releases, to find them whatever account wrote them, and to take back what was left pending
  /^(GET|PATCH|DELETE) \/api\/v1\/namespaces\/NS\/secrets\/sh\.helm\.release\.v1\.[^/]*$/,
  /^GET \/api\/v1\/(namespaces\/NS\/)?secrets\?.*labelSelector=owner%3Dhelm/,
  // the namespace of a release: is it there, may it be used
  /^GET \/api\/v1\/namespaces\/NS$/,
  // what was deployed is watched and compared, written never
  /^GET \/(api|apis)\/.*[?&]labelSelector=objectset\.rio\.cattle\.io%2Fhash/,
  /^GET \/api\/v1\/namespaces\/NS\/(configmaps|secrets|serviceaccounts)\/DEPLOYED$/,
  /^PATCH \/api\/v1\/namespaces\/NS\/(configmaps|secrets|serviceaccounts)\/DEPLOYED\?.*dryRun=All/,
  // copies that a deployment leaves behind when it is gone
  /^GET \/api\/v1\/(configmaps|secrets)\?.*labelSelector=fleet\.cattle\.io%2Fbundledeployment/,
  /^DELETE \/api\/v1\/namespaces\/NS\/(configmaps|secrets)\/copied$/,
]

describe.each(['native', 'helm'] as const)('with the engine %s', (engine) => {
  let calls: Call[] = []
  const scene = useAgent({
    env: { FLEET_RELEASE_ENGINE: engine },
    judge(call, cluster) {
      if (cluster === 'downstream') calls.push(call)
      return 'pass'
    },
  })
  beforeAll(() => scene.start())

  /** What was asked in the agent's own name and is not in the list. */
  function trespasses(deployed: readonly string[]): string[] {
    const own = calls.filter(({ headers }) => headers['impersonate-user'] === undefined)
    const lines = own.map(({ method, path }) => {
      const [place = '', query] = path.split('?')
      const general = place
        .replace(`/namespaces/${scene.agentNamespace}/`, '/namespaces/OWN/')
        .replace(/\/namespaces\/(?!OWN\/)[^/]+/, '/namespaces/NS')
        .replace(new RegExp(`/(${deployed.join('|')})$`), '/DEPLOYED')
      return `${method} ${general}${query === undefined ? '' : `?${query}`}`
    })
    return [...new Set(lines)].filter((line) => !OWN_RIGHTS.some((pattern) => pattern.test(line)))
  }

  const asked = (account: string): Call[] =>
    calls.filter(({ headers }) => headers['impersonate-user'] === `system:serviceaccount:${scene.agentNamespace}:${account}`)

  async function account(rules: readonly object[]): Promise<string> {
    const name = uniqueNamespace('account')
    const group = 'rbac.authorization.k8s.io'
    const subjects = [{ kind: 'ServiceAccount', name, namespace: scene.agentNamespace }]
    const roleRef = { apiGroup: group, kind: 'ClusterRole', name }
    const objects = [
      { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name, namespace: scene.agentNamespace } },
      { apiVersion: `${group}/v1`, kind: 'ClusterRole', metadata: { name }, rules },
      { apiVersion: `${group}/v1`, kind: 'ClusterRoleBinding', metadata: { name }, roleRef, subjects },
    ]
    for (const object of objects) await scene.down.create(object as KubeObject)
    return name
  }

  /** A deployment that uses all that a deployment can. */
  function everything(serviceAccount: string, text: string): TestBundle {
    const template = `apiVersion: v1\nkind: ConfigMap\nmetadata: {name: charted}\ndata:\n  text: "${text} {{ .Values.text }}"\n  found: "{{ (lookup "v1" "ConfigMap" .Release.Namespace "kube-root-ca.crt").metadata.name }}"\n`
    return {
      files: { 'Chart.yaml': 'apiVersion: v2\nname: demo\nversion: 1.0.0\n', 'templates/a.yaml': template },
      options: {
        serviceAccount,
        helm: { valuesFrom: [{ configMapKeyRef: { name: 'values', namespace: 'NAMESPACE' } }] },
        downstreamResources: [{ kind: 'ConfigMap', name: 'copied' }],
        namespaceLabels: { team: 'blue' },
      },
      spec: { correctDrift: { enabled: true } },
    }
  }

  async function prepared(serviceAccount: string, text: string): Promise<{ name: string; bundle: TestBundle }> {
    const name = await createNamespace(scene.down, 'rights')
    await scene.down.create({ ...map('values', { 'values.yaml': 'text: given\n' }), metadata: { name: 'values', namespace: name } })
    const copied = { ...map('copied'), metadata: { name: 'copied', namespace: scene.clusterNamespace } }
    if (!(await scene.hub.find({ ...CONFIG_MAP, name: 'copied', namespace: scene.clusterNamespace }))) await scene.hub.create(copied)
    return { name, bundle: JSON.parse(JSON.stringify(everything(serviceAccount, text)).replaceAll('NAMESPACE', name)) as TestBundle }
  }

  test('nothing is done in the name of the agent that the account could have done', async () => {
    calls = []
    const serviceAccount = await account([{ apiGroups: ['*'], resources: ['*'], verbs: ['*'] }])
    const { name, bundle } = await prepared(serviceAccount, 'first')
    await scene.deploy(name, bundle)
    await scene.ready(name)
    await scene.deploy(name, secondOf(bundle))
    await scene.ready(name)
    await scene.down.patch({ ...CONFIG_MAP, name: 'charted', namespace: name }, { data: { text: 'by hand' } }, { type: 'merge' })
    await eventually(async () => expect((await scene.isReady(name)).status?.release).toMatch(/:3$/))
    await scene.remove(name)
    await eventually(async () => {
      expect(await scene.down.find({ ...CONFIG_MAP, name: 'charted', namespace: name })).toBeUndefined()
      expect(await scene.down.find({ ...CONFIG_MAP, name: 'copied', namespace: name })).toBeUndefined()
    })
    expect(asked(serviceAccount).some(({ method }) => method === 'DELETE')).toBe(true)
    expect(asked(serviceAccount).some(({ path }) => path.includes('/configmaps/values'))).toBe(true)
    expect(trespasses(['charted'])).toEqual([])
  })

  test.each([
    ['nothing at all', []],
    ['copy', [{ apiGroups: [''], resources: ['configmaps'], verbs: ['*'] }]],
    ['read and copy, but write no records', [{ apiGroups: [''], resources: ['configmaps', 'namespaces'], verbs: ['*'] }]],
  ] as const)('an account that may do %s gets no further, and nobody helps', async (_, rules) => {
    calls = []
    const serviceAccount = await account(rules)
    const { name, bundle } = await prepared(serviceAccount, 'never')
    await scene.deploy(name, bundle)
    await scene.refused(name, 'Deployed', /forbidden/)
    expect(asked(serviceAccount).length).toBeGreaterThan(0)
    expect(trespasses([])).toEqual([])
    expect(await scene.down.find({ ...CONFIG_MAP, name: 'charted', namespace: name })).toBeUndefined()
    expect((await scene.down.list(SECRET, { namespace: name })).items).toEqual([])
    expect((await scene.down.get<KubeObject>({ ...NAMESPACE, name })).metadata.labels).not.toHaveProperty('team')
  })

  test('values that the account may not read are not read for it', async () => {
    calls = []
    const serviceAccount = await account([{ apiGroups: [''], resources: ['configmaps'], verbs: ['*'] }])
    const secret = await createNamespace(scene.down, 'secret')
    await scene.down.create({
      ...SECRET,
      metadata: { name: 'values', namespace: secret },
      stringData: { 'values.yaml': 'a: b' },
    } as KubeObject)
    const name = await createNamespace(scene.down, 'rights')
    const helm = { valuesFrom: [{ secretKeyRef: { name: 'values', namespace: secret } }] }
    await scene.deploy(name, { files: { 'a.json': map('charted') }, options: { serviceAccount, helm } })
    await scene.refused(name, 'Deployed', /secrets "values" is forbidden/)
    expect(trespasses([])).toEqual([])
  })
})

function secondOf({ files = {}, ...rest }: TestBundle): TestBundle {
  return {
    ...rest,
    files: Object.fromEntries(Object.entries(files).map(([name, text]) => [name, String(text).replace('first', 'second')])),
  }
}
