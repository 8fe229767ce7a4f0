import { describe, expect, test } from 'vitest'
import { parseSshUrl } from '../url.ts'
import { sshProxyFor } from './proxy.ts'

const URL = 'ssh://git@git.example:2222/repo'
const find = (all: string | undefined, none = '', url = URL) => sshProxyFor({ url, proxy: proxies({ all, none }) }, parseSshUrl(url))
const proxies = (settings: { all?: string | undefined; none?: string }) => ({ none: '', ...settings })

describe('the proxy for an ssh server', () => {
  test.each([
    ['socks5://p.example', { kind: 'socks5', host: 'p.example', port: 1_080, shown: 'socks5://p.example:1080' }],
    ['socks5h://p.example:9', { kind: 'socks5', host: 'p.example', port: 9, shown: 'socks5h://p.example:9' }],
    ['http://p.example', { kind: 'http', port: 80, shown: 'http://p.example:80' }],
    ['p.example:3128', { kind: 'http', host: 'p.example', port: 3_128 }],
    ['https://[::1]:8443/', { kind: 'https', host: '::1', port: 8_443, shown: 'https://[::1]:8443' }],
    ['http://me:s%40crt@p.example', { credentials: { username: 'me', password: 's@crt' }, shown: 'http://p.example:80' }],
    ['socks5://me%:x@p.example', { credentials: { username: 'me%', password: 'x' } }],
  ])('is that for everything: %s', (all, expected) => {
    expect(find(all)).toMatchObject({ repo: 'ssh://git.example:2222/repo', ...expected })
  })

  test('is not one for http or https', () => {
    const proxy = { http: 'http://p.example', https: 'http://p.example' }
    expect(sshProxyFor({ url: URL, proxy }, parseSshUrl(URL))).toBeUndefined()
    expect(find('')).toBeUndefined()
  })

  test.each(['*', 'git.example', '.example', 'other,git.example:2222', ' GIT.example '])('is none for excepted hosts: %j', (none) => {
    expect(find('socks5://p.example', none)).toBeUndefined()
  })

  test.each(['git.example:22', 'it.example', 'example.com', '10.0.0.0/8'])('is not kept away by %j', (none) => {
    expect(find('socks5://p.example', none)).toBeDefined()
  })

  test.each(['git@10.1.2.3:repo', 'git@localhost:repo', 'ssh://git@127.0.0.1/repo', 'ssh://git@[::1]:22/repo'])('is none for %s', (url) => {
    expect(find('socks5://p.example', '10.0.0.0/8', url)).toBeUndefined()
  })

  test.each(['git@my_host:repo', 'git@höst.example:repo', 'git@a|b:repo'])('is there for %s too', (url) => {
    expect(find('socks5://p.example', '10.0.0.0/8', url)).toBeDefined()
  })

  test.each(['socks4://p.example', 'socks://p.example', 'file:///etc/passwd', 'http://', 'http://me:CANARY@p.example:99999'])(
    'is refused when it has no address of use: %s',
    (all) => {
      expect(() => find(all)).toThrow(/^(?!.*CANARY)the proxy for ssh:\/\/git.example:2222\/repo \(ALL_PROXY\) has no address of use/)
    },
  )

  test('is trusted by the certificates that the repository is', () => {
    const remote = { url: URL, proxy: proxies({ all: 'https://p.example' }) }
    const { ca = [] } = sshProxyFor({ ...remote, caBundle: 'PEM' }, parseSshUrl(URL))?.tls ?? {}
    expect(ca.length).toBeGreaterThan(1)
    expect(ca.at(-1)).toBe('PEM')
    expect(sshProxyFor({ ...remote, insecureSkipTLSVerify: true }, parseSshUrl(URL))?.tls).toEqual({ rejectUnauthorized: false })
  })
})
