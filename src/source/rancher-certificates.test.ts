import { beforeEach, describe, expect, test } from 'vitest'
import { keyOf } from '../lib/controller/keys.ts'
import type { InformerFactory } from '../lib/kube/informer.ts'
import type { KubeObject, ObjectRef } from '../lib/kube/types.ts'
import { createRancherCertificates, type RancherCertificates } from './rancher-certificates.ts'

const pem = (text: string): string => `-----BEGIN CERTIFICATE-----\n${text}\n-----END CERTIFICATE-----`

describe('certificates of Rancher', () => {
  let cached: Map<string, string>
  let stored: Record<string, Record<string, string>>
  let asked: string[]
  let isDown: boolean
  let certificates: RancherCertificates
  beforeEach(() => {
    cached = new Map()
    stored = {}
    asked = []
    isDown = false
    const get = (name: string, namespace?: string) => {
      const resourceVersion = cached.get(keyOf({ name, namespace }))
      return resourceVersion && { apiVersion: 'v1', kind: 'Secret', metadata: { name, namespace, resourceVersion } }
    }
    const client = {
      async find({ name }: ObjectRef) {
        asked.push(name)
        if (isDown) throw new Error('away')
        const data = Object.entries(stored[name] ?? {}).map(([key, value]) => [key, Buffer.from(value).toString('base64')])
        return { apiVersion: 'v1', kind: 'Secret', metadata: { name }, data: Object.fromEntries(data) } as never
      },
    }
    certificates = createRancherCertificates({ client, informers: { informer: () => ({ get }) } as unknown as InformerFactory })
  })
  const keep = (name: string, version: string, data: Record<string, string>) => {
    cached.set(`cattle-system/${name}`, version)
    stored[name] = data
  }

  test('are none without its secrets, and nobody is asked', async () => {
    cached.set('elsewhere/tls-ca', '1')
    expect(await certificates.read()).toBeUndefined()
    expect(asked).toEqual([])
  })

  test('come out of both secrets, each read once until it changes', async () => {
    keep('tls-ca-additional', '1', { 'ca-additional.pem': `${pem('TWO')}\n` })
    keep('tls-ca', '1', { 'cacerts.pem': pem('ONE') })
    const both = `${pem('ONE')}\n${pem('TWO')}`
    expect(await Promise.all([certificates.read(), certificates.read()])).toEqual([both, both])
    expect(asked).toEqual(['tls-ca', 'tls-ca-additional'])
    keep('tls-ca', '2', { 'cacerts.pem': pem('NEW') })
    expect(await certificates.read()).toBe(`${pem('NEW')}\n${pem('TWO')}`)
    expect(asked).toEqual(['tls-ca', 'tls-ca-additional', 'tls-ca'])
    cached.delete('cattle-system/tls-ca')
    expect(await certificates.read()).toBe(pem('TWO'))
  })

  test('that are no certificates are left out', async () => {
    keep('tls-ca', '1', { 'cacerts.pem': 'nonsense' })
    keep('tls-ca-additional', '1', { other: pem('TWO') })
    expect(await certificates.read()).toBeUndefined()
  })

  test('that cannot be read are asked for again', async () => {
    keep('tls-ca', '1', { 'cacerts.pem': pem('ONE') })
    isDown = true
    await expect(certificates.read()).rejects.toThrow('away')
    isDown = false
    expect(await certificates.read()).toBe(pem('ONE'))
  })

  test.each([
    ['cattle-system', 'tls-ca', true],
    ['cattle-system', 'tls-ca-additional', true],
    ['cattle-system', 'other', false],
    ['fleet-default', 'tls-ca', false],
  ])('whether they are in %s/%s: %s', (namespace, name, expected) => {
    const secret: KubeObject = { apiVersion: 'v1', kind: 'Secret', metadata: { namespace, name } }
    expect(certificates.areIn(secret)).toBe(expected)
  })
})
