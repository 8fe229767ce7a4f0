import { expect, test } from 'vitest'
import { clusterFiles } from '../../../src/devcluster/flags.ts'
import { apiServerArgs, cniConfig, containerdConfig, kubeletArgs, kubeletConfig, type NodeLayout, nodeScript } from './flags.ts'
import { kubernetesVersion } from './programs.ts'

const layout: NodeLayout = {
  name: 'hub',
  address: '10.0.0.2',
  podNetwork: '10.245',
  dir: '/x/hub',
  files: clusterFiles('/x', 'hub'),
  cgroup: '/group',
  cniPlugins: '/usr/lib/cni',
}

test('everything that the node writes lies below the folder of its cluster or in memory', () => {
  const written = [
    ...(kubeletArgs(layout).filter((arg) => arg.startsWith('/')) as string[]),
    JSON.parse(kubeletConfig(layout)).podLogsDir,
    JSON.parse(kubeletConfig(layout)).volumePluginDir,
    JSON.parse(cniConfig(layout)).plugins[0].ipam.dataDir,
    containerdConfig(layout).match(/^root = "(.*)"$/m)?.[1],
  ]
  for (const path of written) expect(path).toMatch(/^\/x\/hub\//)
  for (const folder of ['/run', '/var/lib', '/var/log']) expect(nodeScript('/pause')).toContain(`tmpfs ${folder}\n`)
})

test('the kubelet finds the kernel as it wants it, so that it changes nothing', () => {
  expect(JSON.parse(kubeletConfig(layout))).toMatchObject({ protectKernelDefaults: true, cgroupRoot: '/group' })
  expect(nodeScript('/pause')).toContain('mount --bind /run/kernel/vm.overcommit_memory /proc/sys/vm/overcommit_memory')
  expect(nodeScript('/pause')).toMatch(/exec \/pause$/)
})

test('the API server is reached by the address of the node', () => {
  const args = apiServerArgs(layout)
  expect(args[args.indexOf('--advertise-address') + 1]).toBe('10.0.0.2')
})

test('the version of Kubernetes comes from go.mod', () => {
  expect(kubernetesVersion('require (\n\tk8s.io/kubernetes v1.36.3\n)\n')).toBe('v1.36.3')
  expect(() => kubernetesVersion('module x\n')).toThrow('k8s.io/kubernetes')
})
