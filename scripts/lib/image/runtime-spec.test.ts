import { expect, test } from 'vitest'
import { confinedSpec } from './runtime-spec.ts'

test('the image decides user, environment and folder; the root is read-only and nothing is allowed', () => {
  const spec = confinedSpec('/rootfs', { User: '1000:1001', Env: ['A=b'], WorkingDir: '/tmp' }, ['fleet', '--version'])
  expect(spec.root).toEqual({ path: '/rootfs', readonly: true })
  expect(spec.process).toMatchObject({
    user: { uid: 1000, gid: 1001 },
    args: ['fleet', '--version'],
    env: ['A=b', 'HOME=/tmp'],
    cwd: '/tmp',
    noNewPrivileges: true,
    capabilities: { bounding: [] },
  })
})
