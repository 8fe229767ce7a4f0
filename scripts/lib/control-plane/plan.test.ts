import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { goInDocker, planBuild } from './plan.ts'

const texts = {
  goMod: 'module x\n\ngo 1.26.0\n\nrequire (\n\tk8s.io/kubernetes v1.36.3\n\thelm.sh/helm/v4 v4.2.4 // indirect\n)\n',
  goSum: 'sums',
  mainGo: 'package main',
}

describe('planBuild', () => {
  it('stamps the versions of go.mod into the binaries', () => {
    const linker = planBuild(texts, 'linux', 'x64').flags.join(' ')
    expect(linker).toContain('-X k8s.io/component-base/version.gitVersion=v1.36.3')
    expect(linker).toContain('-X k8s.io/component-base/version.gitMajor=1 -X k8s.io/component-base/version.gitMinor=36')
    expect(linker).toContain('-X helm.sh/helm/v4/internal/version.version=v4.2.4')
  })

  it('has a key of 16 hex digits that changes with every input and not otherwise', () => {
    const plan = planBuild(texts, 'linux', 'x64')
    expect(plan.key).toMatch(/^[0-9a-f]{16}$/)
    expect(planBuild({ ...texts }, 'linux', 'x64').key).toBe(plan.key)
    const others = [
      planBuild({ ...texts, goMod: `${texts.goMod}\n` }, 'linux', 'x64'),
      planBuild({ ...texts, goSum: 'other' }, 'linux', 'x64'),
      planBuild({ ...texts, mainGo: 'package main // changed' }, 'linux', 'x64'),
      planBuild(texts, 'linux', 'arm64'),
      planBuild(texts, 'darwin', 'arm64'),
    ]
    expect(new Set([plan, ...others].map(({ key }) => key)).size).toBe(6)
  })

  it('uses the names that Go has for platforms', () => {
    expect(planBuild(texts, 'darwin', 'arm64')).toMatchObject({ goos: 'darwin', goarch: 'arm64' })
    expect(planBuild(texts, 'linux', 'x64')).toMatchObject({ goos: 'linux', goarch: 'amd64', goVersion: '1.26.0' })
  })

  it('says what go.mod lacks', () => {
    expect(() => planBuild({ ...texts, goMod: 'go 1.26.0' }, 'linux', 'x64')).toThrow('go.mod requires no version of k8s.io/kubernetes')
    expect(() => planBuild({ ...texts, goMod: texts.goMod.replace('go 1.26.0', '') }, 'linux', 'x64')).toThrow('go.mod has no go line')
  })

  it('understands the module of this repository', () => {
    const folder = join(import.meta.dirname, '..', '..', 'control-plane')
    const read = (name: string) => readFileSync(join(folder, name), 'utf8')
    const plan = planBuild({ goMod: read('go.mod'), goSum: read('go.sum'), mainGo: read('main.go') }, 'linux', 'x64')
    expect(plan.flags.join(' ')).toMatch(/version\.gitVersion=v1\.\d+\.\d+ .*helm\/v4\/internal\/version\.version=v4\.\d+\.\d+$/)
  })
})

describe('goInDocker', () => {
  it('runs the release of go.mod as the same user, with the module read-only, for the platform of this host', () => {
    const plan = planBuild(texts, 'darwin', 'arm64')
    const mounts = { moduleDir: '/src/module', work: '/cache/key.tmp', cache: '/cache/go-cache', uid: 1000, gid: 100 }
    const { program, args } = goInDocker(plan, mounts, ['build', '.'])
    expect(program).toBe('docker')
    expect(args.join(' ')).toMatch(
      /^run --rm --workdir \/module --user 1000:100 --volume \/src\/module:\/module:ro --volume \/cache\/key\.tmp:\/out\/ /,
    )
    expect(args).toContain('GOOS=darwin')
    expect(args.slice(-4)).toEqual(['golang:1.26', 'go', 'build', '.'])
  })
})
