import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { ROOT } from '../run.ts'
import { copiedFromStages, defaultOf, IMAGES } from './options.ts'

// Without a registry the stages `build` and `tools` are replaced by folders, and all else of the file stays: so these lines are all that can differ.
const text = readFileSync(join(ROOT, 'Containerfile'), 'utf8')

test('what is copied from stages is what builds without a registry provide', () => {
  expect(copiedFromStages(text)).toEqual([
    { stage: 'build', paths: ['/src/node_modules/node/bin/node'] },
    { stage: 'build', paths: ['/src/dist'] },
    { stage: 'tools', paths: ['/tools/helm'] },
    { stage: 'tools', paths: ['/tools/helm', '/tools/kustomize'] },
  ])
})

test('nothing is copied from elsewhere, and only the stages that are replaced see the checkout', () => {
  const stages = text.split(/^FROM /m).slice(1)
  const seeing = stages.filter((stage) => /^(COPY (?!--from=)|ADD )/m.test(stage)).map((stage) => stage.match(/ AS (\S+)/)?.[1])
  expect(seeing).toEqual(['build'])
})

test('images end as a user without rights', () => {
  const usersOf = (name: string) => {
    const stage = text.split(/^FROM /m).find((part) => part.split('\n', 1)[0]?.endsWith(` AS ${name}`)) ?? ''
    return [...stage.matchAll(/^USER (\S+)$/gm)].map(([, user]) => user)
  }
  const inherited = usersOf('runtime').at(-1)
  expect(IMAGES.map(({ target }) => usersOf(target).at(-1) ?? inherited)).toEqual(['1000:1000', '1000:1000'])
})

test('helm is of the version that the tests use', () => {
  const goMod = readFileSync(join(ROOT, 'scripts', 'control-plane', 'go.mod'), 'utf8')
  expect(goMod).toContain(`helm.sh/helm/v4 ${defaultOf(text, 'HELM_VERSION')}`)
})

test('rows of COPY', () => {
  expect(copiedFromStages('COPY --from=a /b  /c /d/\nCOPY . .\nRUN COPY --from=x y z\n')).toEqual([{ stage: 'a', paths: ['/b', '/c'] }])
})
