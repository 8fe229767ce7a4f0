import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { TerminalError } from '../lib/controller/errors.ts'
import { parseFleetYaml, parseTargetsFile, parseValuesFile } from './fleet-yaml.ts'

const parse = (text: string) => parseFleetYaml(text, 'app/fleet.yaml').fleet

function failure(text: string): string {
  try {
    parse(text)
  } catch (error) {
    expect(error).toBeInstanceOf(TerminalError)
    return (error as Error).message
  }
  throw new Error('expected an error')
}

describe('fields', () => {
  test('an empty file says nothing', () => {
    const nothing = {
      name: '',
      labels: {},
      annotations: {},
      spec: {},
      targetCustomizations: [],
      overrideTargets: undefined,
      imageScans: [],
    }
    for (const text of ['', '# comment', '---', '{}', 'null']) expect(parse(text)).toEqual(nothing)
  })

  test('zero values are left out, pointers to them stay', () => {
    const text = `{defaultNamespace: "", paused: false, helm: {}, createNamespace: false, labels: {}, targets: [], yaml: {overlays: []},
      forceSyncGeneration: 0, rolloutStrategy: {maxUnavailable: 0, maxNew: 0, partitions: []}, correctDrift: {enabled: false}}`
    expect(parse(text).spec).toEqual({
      helm: {},
      createNamespace: false,
      yaml: {},
      rolloutStrategy: { maxUnavailable: 0, maxNew: 0 },
      correctDrift: {},
    })
  })

  test('null is the same as nothing, but an empty entry in a list', () => {
    const fleet = parse('helm:\nkustomize: ~\nlabels:\noverrideTargets:\ntargets:\n-\n- {name: a}\nhelm: {values: {a: ~}}\n')
    expect(fleet.spec).toEqual({ targets: [{}, { name: 'a' }], helm: { values: { a: null } } })
    expect(fleet.overrideTargets).toBeUndefined()
    expect(parse('overrideTargets: []').overrideTargets).toEqual([])
  })

  test('keys may be written in any case, the usual spelling wins', () => {
    expect(parse('DEFAULTNAMESPACE: a\nHelm: {RELEASENAME: b, values: {Keep: 1}}').spec).toEqual({
      defaultNamespace: 'a',
      helm: { releaseName: 'b', values: { Keep: 1 } },
    })
    expect(parse('DefaultNamespace: one\ndefaultNamespace: two\nDEFAULTNAMESPACE: three').spec).toEqual({ defaultNamespace: 'two' })
  })

  test('every documented option arrives', () => {
    const text = `
name: nn
labels: {a: b}
annotations: {c: d}
dependsOn: [{name: x, acceptedStates: [Ready, Modified]}, {selector: {matchLabels: {a: b}}}]
ignore: {conditions: [{type: Ready, status: "False"}]}
diff: {comparePatches: [{apiVersion: v1, kind: K, namespace: ns, name: nn, jsonPointers: [/a], operations: [{op: remove, path: /b, value: c}]}]}
helm:
  chart: c
  repo: r
  version: "1"
  releaseName: rn
  timeoutSeconds: 5
  maxHistory: 3
  valuesFiles: [v.yaml]
  valuesFrom: [{configMapKeyRef: {namespace: ns, key: k}}]
  templateValues: {t: x}
  force: true
  takeOwnership: true
  waitForJobs: true
  atomic: true
  disablePreProcess: true
  disableDNS: true
  skipSchemaValidation: true
  disableDependencyUpdate: true
downstreamResources: [{kind: Secret, name: s}]
namespaceLabels: {l: "1"}
namespaceAnnotations: {m: "1"}
targetCustomizationMode: AllMatches
targetRestrictions: [{clusterGroup: g}]
imageScans: [{name: i, image: x, tagName: t, interval: 5m, suspend: true, secretRef: {name: s}, policy: {semver: {range: "*"}}}]
`
    const fleet = parse(text)
    expect(fleet).toMatchObject({ name: 'nn', labels: { a: 'b' }, annotations: { c: 'd' } })
    expect(fleet.spec.helm?.valuesFrom).toEqual([{ configMapKeyRef: { name: '', namespace: 'ns', key: 'k' } }])
    expect(Object.keys(fleet.spec.helm ?? {})).toHaveLength(17)
    expect(Object.keys(fleet.spec)).toHaveLength(9)
    expect(fleet.imageScans).toEqual([
      { name: 'i', image: 'x', tagName: 't', interval: '5m', suspend: true, secretRef: { name: 's' }, policy: { semver: { range: '*' } } },
    ])
  })

  test('unknown keys are warnings that name them', () => {
    const { warnings } = parseFleetYaml('helm: {vlaues: {a: 1}, values: {anything: 1}}\nuid: x\ntargets: [{nmae: a}]', 'f.yaml')
    expect(warnings).toEqual([
      'f.yaml: uid has no effect here',
      'f.yaml: the key helm.vlaues is unknown and has no effect: check its spelling',
      'f.yaml: the key targets[0].nmae is unknown and has no effect: check its spelling',
    ])
  })
})

describe('types', () => {
  test.each([
    ['defaultNamespace: 12', 'defaultNamespace must be text, not a number: put it in quotes'],
    ['labels: {version: 1}', 'labels.version must be text, not a number: put it in quotes'],
    ['name: yes', 'name must be text, not true or false: put it in quotes'],
    ['helm: {version: 1.5}', 'helm.version must be text, not a number: put it in quotes'],
    ['helm: {maxHistory: 1.5}', 'helm.maxHistory must be a whole number, not a fraction'],
    ['helm: {values: [1]}', 'helm.values must be a map, not a list'],
    ['helm: [1]', 'helm must be a map, not a list'],
    ['paused: "true"', 'paused must be true or false, not text'],
    ['targets: {}', 'targets must be a list, not a map'],
    [
      'targets: [{clusterSelector: {matchLabels: {a: 1}}}]',
      'targets[0].clusterSelector.matchLabels.a must be text, not a number: put it in quotes',
    ],
    [
      'targetCustomizations: [{defaultNamespace: 1}]',
      'targetCustomizations[0].defaultNamespace must be text, not a number: put it in quotes',
    ],
    ['rolloutStrategy: {maxUnavailable: true}', 'rolloutStrategy.maxUnavailable must be a whole number, not true or false'],
    ['rolloutStrategy: {maxUnavailable: 3000000000}', 'rolloutStrategy.maxUnavailable must be a whole number of at most 32 bits'],
    ['- a', 'the file must be a map, not a list'],
    ['dependsOn: [{name: a}, {}]', 'dependsOn[1] needs a name or a selector'],
    ['dependsOn: [{name: a, acceptedStates: [Ready, Happy]}]', 'dependsOn[0].acceptedStates: "Happy" is no state of a bundle'],
    ['a: 1\nb: [', '3:1: '],
  ])('%s', (text, message) => {
    expect(failure(text)).toContain(message.startsWith('3:1') ? 'app/fleet.yaml:2:' : `app/fleet.yaml: ${message}`)
  })

  test('numbers and booleans become text in selectors of customizations and overrides', () => {
    const fleet = parse(
      'targetCustomizations: [{name: 1, clusterSelector: {matchLabels: {a: true, b: 1.5}}}]\noverrideTargets: [{clusterName: 7}]',
    )
    expect(fleet.targetCustomizations).toEqual([{ name: '1', clusterSelector: { matchLabels: { a: 'true', b: '1.5' } } }])
    expect(fleet.overrideTargets).toEqual([{ clusterName: '7' }])
  })

  test('numbers that become text are written as Go writes them', () => {
    const fleet = parse('overrideTargets: [{clusterName: 1234567.5, clusterGroup: 0.00001}, {clusterName: 1234567}, {clusterName: 0.5}]')
    expect(fleet.overrideTargets).toEqual([
      { clusterName: '1.2345675e+06', clusterGroup: '1e-05' },
      { clusterName: '1234567' },
      { clusterName: '0.5' },
    ])
  })

  test('some fields are written even when they are not given', () => {
    const fleet = parse('helm: {valuesFrom: [{secretKeyRef: {}}, {}]}\nimageScans: [{policy: {semver: {}, alphabetical: {}}}]')
    expect(fleet.spec.helm?.valuesFrom).toEqual([{ secretKeyRef: { name: '' } }, {}])
    const [target] = parse('targets: [{clusterSelector: {matchExpressions: [{values: [a]}]}}]').spec.targets ?? []
    expect(target?.clusterSelector?.matchExpressions).toEqual([{ key: '', operator: '', values: ['a'] }])
    expect(fleet.imageScans).toEqual([{ policy: { semver: { range: '' }, alphabetical: {} } }])
  })

  test('all problems are told, up to ten, and no values', () => {
    const message = failure(
      Array.from({ length: 12 }, (_, index) => `labels${index}: 1`).join('\n') +
        '\nlabels: {' +
        Array.from({ length: 12 }, (_, index) => `hunter${index}: 4711`).join(', ') +
        '}',
    )
    expect(message.split(';')).toHaveLength(11)
    expect(message).toMatch(/and 2 more$/)
    expect(message).not.toContain('4711')
  })
})

describe('other files', () => {
  test('values files are maps', () => {
    expect(parseValuesFile('a: {b: yes}', 'v.yaml')).toEqual({ a: { b: true } })
    expect(parseValuesFile('', 'v.yaml')).toEqual({})
    expect(() => parseValuesFile('- 1', 'v.yaml')).toThrow('v.yaml: a values file must be a map of values')
  })

  test('targets files have targets and restrictions', () => {
    expect(
      parseTargetsFile('targets: [{name: a, clusterSelector: {}}]\ntargetRestrictions: [{name: a, clusterSelector: {}}]', 't'),
    ).toEqual({
      targets: [{ name: 'a', clusterSelector: {} }],
      targetRestrictions: [{ name: 'a', clusterSelector: {} }],
    })
  })

  test('targets files are checked as a whole', () => {
    expect(() => parseTargetsFile('targets: [{name: a}]\npaused: 5', 't')).toThrow('t: paused must be true or false, not a number')
    expect(parseTargetsFile('paused: true\nx: 1', 't')).toEqual({ targets: [], targetRestrictions: [] })
  })
})

test('any text gives options or a TerminalError with the name of the file', () => {
  const key = fc.constantFrom(
    'helm',
    'values',
    'targets',
    'name',
    'labels',
    'overrideTargets',
    'paused',
    'dependsOn',
    'diff',
    'HELM',
    'x',
    '<<',
    'rolloutStrategy',
    'maxNew',
    'imageScans',
  )
  const value = fc.letrec<{ any: unknown }>((tie) => ({
    any: fc.oneof(
      { maxDepth: 4 },
      fc.constantFrom(null, true, 0, 1.5, -1, 1e30, '', 'text', [], {}),
      fc.array(tie('any'), { maxLength: 3 }),
      fc.dictionary(key, tie('any'), { maxKeys: 4 }),
    ),
  })).any
  fc.assert(
    fc.property(
      fc.oneof(
        value.map((json) => JSON.stringify(json)),
        fc.string(),
      ),
      (text) => {
        try {
          parse(text)
        } catch (error) {
          expect(error).toBeInstanceOf(TerminalError)
          expect((error as Error).message).toMatch(/^app\/fleet\.yaml:/)
        }
      },
    ),
    { numRuns: 500 },
  )
})
