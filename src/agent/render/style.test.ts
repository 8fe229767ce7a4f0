import { expect, test } from 'vitest'
import { chartDirectory } from '../../api/names.ts'
import { detectStyle } from './style.ts'

test('a bundle without chart and kustomization is plain', () => {
  expect(detectStyle(['a.yaml', 'sub/Chart.yaml', 'sub/kustomization.yaml'], {})).toEqual({})
})

test('a chart is found at the root or in the folder that the options name', () => {
  expect(detectStyle(['Chart.yaml'], {})).toEqual({ chart: '.' })
  expect(detectStyle(['charts/web/Chart.yaml'], { helm: { chart: './charts/web/' } })).toEqual({ chart: 'charts/web' })
  expect(detectStyle(['Chart.yaml'], { helm: { chart: 'charts/web' } })).toEqual({})
  expect(detectStyle(['local/Chart.yaml'], { helm: { repo: 'local' } })).toEqual({ chart: 'local' })
})

test('a downloaded chart is found by chart, repository and version', () => {
  const helm = { chart: 'web', repo: 'https://charts.example.org', version: '1.x' }
  const folder = chartDirectory('web', 'https://charts.example.org', '1.x')
  expect(detectStyle([`${folder}/Chart.yaml`], { helm })).toEqual({ chart: folder })
  expect(detectStyle([`${folder}/web/Chart.yaml`, `${folder}/web/charts/a/Chart.yaml`], { helm })).toEqual({ chart: `${folder}/web` })
  expect(detectStyle([`${folder}/web/Chart.yaml`], { helm: { ...helm, version: '2.x' } })).toEqual({})
})

test('a kustomization counts in its folder and under its exact name', () => {
  expect(detectStyle(['kustomization.yaml'], {})).toEqual({ kustomize: '.' })
  expect(detectStyle(['kustomization.yml', 'Kustomization'], {})).toEqual({})
  expect(detectStyle(['overlays/dev/kustomization.yaml'], { kustomize: { dir: './overlays/dev/' } })).toEqual({ kustomize: 'overlays/dev' })
  expect(detectStyle(['kustomization.yaml'], { kustomize: { dir: 'sub' } })).toEqual({})
})

test('a chart may have a kustomization beside it', () => {
  expect(detectStyle(['Chart.yaml', 'k/kustomization.yaml'], { kustomize: { dir: 'k' } })).toEqual({ chart: '.', kustomize: 'k' })
})
