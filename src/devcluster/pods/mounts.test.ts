import { describe, expect, it } from 'vitest'
import { mountedPaths, rewritePaths } from './mounts.ts'

describe('mountedPaths', () => {
  it('gives each mount its folder below the volumes, a sub path included, and hostPath its own', () => {
    const container = {
      name: 'main',
      volumeMounts: [
        { name: 'config', mountPath: '/etc/app/' },
        { name: 'config', mountPath: '/etc/one.yaml', subPath: 'one.yaml' },
        { name: 'host', mountPath: '/data' },
      ],
    }
    expect(mountedPaths(container, [{ name: 'host', hostPath: { path: '/srv/data' } }], '/pods/x/volumes')).toEqual([
      { mountPath: '/etc/app', hostPath: '/pods/x/volumes/config' },
      { mountPath: '/etc/one.yaml', hostPath: '/pods/x/volumes/config/one.yaml' },
      { mountPath: '/data', hostPath: '/srv/data' },
    ])
  })
})

describe('rewritePaths', () => {
  const mounts = [
    { mountPath: '/tmp', hostPath: '/tmp/pods/x/tmp' },
    { mountPath: '/etc/app', hostPath: '/tmp/pods/x/app' },
    { mountPath: '/etc/app/tls', hostPath: '/tmp/pods/x/tls' },
    { mountPath: '/', hostPath: '/never' },
  ]
  it.each([
    ['/etc/app', '/tmp/pods/x/app'],
    ['/etc/app/config.yaml', '/tmp/pods/x/app/config.yaml'],
    ['--cert=/etc/app/tls/tls.crt', '--cert=/tmp/pods/x/tls/tls.crt'],
    ['/etc/app:/tmp', '/tmp/pods/x/app:/tmp/pods/x/tmp'],
    ['cat "/etc/app/a" > /tmp/b', 'cat "/tmp/pods/x/app/a" > /tmp/pods/x/tmp/b'],
    ['/etc/application', '/etc/application'],
    ['/etc/app.yaml', '/etc/app.yaml'],
    ['https://host/etc/app', 'https://host/etc/app'],
    ['/usr/tmp/x', '/usr/tmp/x'],
    ['/', '/'],
    ['nothing', 'nothing'],
  ])('%s → %s', (text, rewritten) => {
    expect(rewritePaths(text, mounts)).toBe(rewritten)
  })
})
