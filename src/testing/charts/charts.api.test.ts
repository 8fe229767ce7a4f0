// The charts: what they render to, and what they refuse. `npx vitest run --project api -u src/testing/charts` writes the golden files anew.
import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, inject, test } from 'vitest'
import { parseYaml, parseYamlDocuments } from '../../lib/yaml/parse.ts'

const ROOT = join(import.meta.dirname, '..', '..', '..')
const CHARTS = ['fleet-crd', 'fleet', 'fleet-agent'] as const
const TOKEN_VALUES = ['--set', 'apiServerURL=https://hub.example.com:6443,token=secret,tokenName=import,clusterNamespace=fleet-default']

function helm(args: readonly string[]): { ok: boolean; output: string } {
  try {
    const output = execFileSync(join(inject('clusters').hub.bin, 'helm'), args, {
      cwd: ROOT,
      encoding: 'utf8',
      timeout: 60_000,
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { HOME: '/nowhere', PATH: process.env.PATH ?? '' },
    })
    return { ok: true, output }
  } catch (error) {
    return { ok: false, output: String((error as { stderr?: string }).stderr) }
  }
}

function render(chart: string, values: readonly string[] = [], release = chart, namespace = 'cattle-fleet-system') {
  return helm(['template', release, `charts/${chart}`, '--namespace', namespace, '--kube-version', '1.36.0', ...values])
}

test.each(CHARTS)('%s has the version of the programs', (chart) => {
  const { version } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as { version: string }
  expect(parseYaml(readFileSync(join(ROOT, 'charts', chart, 'Chart.yaml'), 'utf8'))).toMatchObject({ version, appVersion: version })
})

describe('rendered as it should be', () => {
  test.each<[file: string, chart: string, values: string[]]>([
    ['fleet-defaults', 'fleet', []],
    ['fleet-everything', 'fleet', ['--values', 'src/testing/charts/fleet-everything.values.yaml']],
    ['fleet-all-in-one', 'fleet', ['--set', 'controller.allInOne=true,bootstrap.enabled=false,metrics.enabled=false']],
    ['fleet-agent', 'fleet-agent', TOKEN_VALUES],
  ])('%s', async (file, chart, values) => {
    const { ok, output } = render(chart, values)
    expect(ok, output).toBe(true)
    await expect(output).toMatchFileSnapshot(`${file}.golden.yaml`)
  })

  test('chart fleet-crd has all definitions', () => {
    const kinds = parseYamlDocuments(render('fleet-crd').output).map((definition) => (definition as { kind?: string } | null)?.kind)
    expect(kinds.filter((kind) => kind === 'CustomResourceDefinition')).toHaveLength(14)
  })
})

describe('refused with a word about what to do', () => {
  test.each<[values: string, message: string]>([
    ['agentTLSMode=none', 'agentTLSMode'],
    ['apiServerURL=hub.example.com', 'apiServerURL must begin with https://'],
    ['agentTLSMode=strict,apiServerURL=https://h', 'agentTLSMode strict needs apiServerCA'],
    ['imagescan=true', 'imagescan'],
    ['image.repository=rancher/fleet', 'image.repository is that of Rancher Fleet'],
    ['controler.replicas=2', "additional properties 'controler' not allowed"],
  ])('fleet with %s', (values, message) => {
    const { ok, output } = render('fleet', ['--set', values])
    expect(ok).toBe(false)
    expect(output).toContain(message)
  })

  test('fleet-agent elsewhere, under another name, or without a token', () => {
    expect(render('fleet-agent', TOKEN_VALUES, 'fleet-agent', 'default').output).toContain(
      'install this chart in namespace cattle-fleet-system',
    )
    expect(render('fleet-agent', TOKEN_VALUES, 'agent').output).toContain('install this chart as release fleet-agent')
    expect(render('fleet-agent').output).toContain('apiServerURL is missing')
  })
})
