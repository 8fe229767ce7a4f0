import { describe, expect, test } from 'vitest'
import { dryRunUpgradeArgs, rollbackArgs, templateArgs, uninstallArgs, upgradeArgs } from './args.ts'

const target = { release: 'web', namespace: 'apps', kubeconfig: '/w/kubeconfig' }
const upgrade = { ...target, chart: '/w/chart', serverSide: true, maxHistory: 2 }

describe('template', () => {
  test('renders hooks and definitions, and nothing else by default', () => {
    expect(templateArgs({ release: 'web', namespace: 'apps', chart: '/w/chart' })).toEqual([
      'template',
      'web',
      '/w/chart',
      '--namespace',
      'apps',
      '--include-crds',
    ])
  })

  test('shows the chart the cluster it will be installed to', () => {
    const args = templateArgs({
      release: 'web',
      namespace: 'apps',
      chart: 'c',
      values: 'v.json',
      kubeVersion: 'v1.36.3',
      apiVersions: ['v1', 'v1/Pod'],
      upgrade: true,
      enableDns: true,
      skipSchemaValidation: true,
    })
    expect(args.slice(6)).toEqual([
      '--values',
      'v.json',
      '--kube-version',
      'v1.36.3',
      '--api-versions',
      'v1,v1/Pod',
      '--is-upgrade',
      '--enable-dns',
      '--skip-schema-validation',
    ])
  })

  test('splits long lists of versions, no argument may be too long for the system', () => {
    const apiVersions = Array.from({ length: 1_201 }, (_, i) => `group-${i}.example.org/v1/Kind`)
    const flags = templateArgs({ release: 'web', namespace: 'apps', chart: 'c', apiVersions }).filter((arg) => arg === '--api-versions')
    expect(flags).toHaveLength(3)
  })

  test('takes everything from the cluster when templates look something up', () => {
    const args = templateArgs({
      release: 'web',
      namespace: 'apps',
      chart: 'c',
      kubeVersion: 'v1',
      apiVersions: ['v1'],
      lookup: { kubeconfig: '/k' },
    })
    expect(args.slice(6)).toEqual(['--dry-run=server', '--take-ownership', '--disable-openapi-validation', '--kubeconfig', '/k'])
  })
})

test('a dry run changes nothing', () => {
  expect(dryRunUpgradeArgs({ ...target, chart: 'c' })).toContain('--dry-run=client')
  expect(dryRunUpgradeArgs({ ...target, chart: 'c', lookup: { kubeconfig: '/k' } })).toContain('--dry-run=server')
})

describe('upgrade', () => {
  test('applies on the server, takes back fields that others changed, and waits for hooks only', () => {
    expect(upgradeArgs(upgrade)).toEqual([
      ...[
        'upgrade',
        'web',
        '/w/chart',
        '--install',
        '--output',
        'json',
        '--hide-notes',
        '--namespace',
        'apps',
        '--kubeconfig',
        '/w/kubeconfig',
      ],
      ...[
        '--reset-values',
        '--server-side=true',
        '--force-conflicts',
        '--disable-openapi-validation',
        '--wait=hookOnly',
        '--timeout',
        '300s',
        '--history-max',
        '2',
      ],
    ])
  })

  test('by the client has the schema checked, and knows no conflicts', () => {
    const args = upgradeArgs({ ...upgrade, serverSide: false, takeOwnership: true, forceReplace: true })
    expect(args).toContain('--server-side=false')
    expect(args).toContain('--take-ownership')
    expect(args).toContain('--force-replace')
    expect(args).not.toContain('--force-conflicts')
    expect(args).not.toContain('--disable-openapi-validation')
  })

  test('waits as long as the options say', () => {
    expect(upgradeArgs({ ...upgrade, timeoutSeconds: 30, waitForJobs: true, rollbackOnFailure: true })).toEqual(
      expect.arrayContaining(['--wait=watcher', '--timeout', '30s', '--wait-for-jobs', '--rollback-on-failure']),
    )
    expect(upgradeArgs({ ...upgrade, timeoutSeconds: 0 })).toContain('--wait=hookOnly')
    expect(upgradeArgs({ ...upgrade, timeoutSeconds: -5 })).toContain('300s')
  })

  test('passes values, namespace creation and labels', () => {
    const args = upgradeArgs({
      ...upgrade,
      values: 'v.json',
      createNamespace: true,
      skipSchemaValidation: true,
      labels: { 'a/b': '1', c: '2' },
    })
    expect(args).toEqual(
      expect.arrayContaining(['--values', 'v.json', '--create-namespace', '--skip-schema-validation', '--labels', 'a/b=1,c=2']),
    )
    expect(upgradeArgs({ ...upgrade, labels: {} })).not.toContain('--labels')
  })
})

test('a rollback is made by the client', () => {
  expect(rollbackArgs({ ...target, version: 4, maxHistory: 3, forceReplace: true })).toEqual([
    ...['rollback', 'web', '4', '--namespace', 'apps', '--kubeconfig', '/w/kubeconfig', '--server-side=false', '--force-replace'],
    ...['--wait=hookOnly', '--timeout', '300s', '--history-max', '3'],
  ])
})

test('uninstalling what is not there is no error', () => {
  expect(uninstallArgs(target)).toEqual([
    'uninstall',
    'web',
    '--namespace',
    'apps',
    '--kubeconfig',
    '/w/kubeconfig',
    '--ignore-not-found',
    '--timeout',
    '300s',
  ])
})

test('uninstalling can keep the history', () => {
  expect(uninstallArgs({ ...target, keepHistory: true })).toContain('--keep-history')
})
