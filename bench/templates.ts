// Renderings per second and core of a values document of 20 lines, for data of one cluster.
//   node bench/templates.ts [SECONDS]
import { compileTemplate } from '../src/lib/gotemplate/template.ts'

const BUDGET = 20_000
const BATCH = 200
const seconds = Number(process.argv[2] ?? 3)

const DOCUMENT = `cluster: \${ .ClusterName }
domain: \${ .ClusterName }.\${ .ClusterValues.domain | default "example.org" }
env: \${ .ClusterLabels.env }
global:
  region: \${ index .ClusterLabels "topology.example.org/region" | quote }
  tier: \${ get .ClusterLabels "tier" | default "standard" | upper }
image:
  pullPolicy: IfNotPresent
  repository: registry.example.org/shop/web
  tag: \${ if eq .ClusterLabels.env "prod" }stable\${ else }edge\${ end }
ingress:
  enabled: \${ hasKey .ClusterLabels "ingress" }
  hosts: \${ .ClusterValues.hosts | toJson }
logLevel: \${ ternary "warn" "debug" (eq .ClusterLabels.env "prod") }
replicas: \${ .ClusterValues.replicas | int | mul 2 }
resources:
  memory: \${ printf "%dMi" (int .ClusterValues.memory) }
servers: \${ range $i, $host := .ClusterValues.hosts }\${ if $i },\${ end }\${ $host }\${ end }
sharded: \${ and .ClusterValues.sharded (gt (len .ClusterValues.hosts) 1) }
zone: \${ splitList "-" .ClusterLabels.env | first }
`

const data = {
  ClusterNamespace: 'fleet-default',
  ClusterName: 'edge-1',
  ClusterLabels: {
    env: 'prod',
    'topology.example.org/region': 'eu-west-1',
    ingress: 'yes',
    'management.cattle.io/cluster-name': 'c-m-abc123',
  },
  ClusterAnnotations: { owner: 'team-a' },
  ClusterValues: { domain: 'shop.example.org', hosts: ['a.example.org', 'b.example.org'], replicas: 3, memory: 512, sharded: true },
}

const template = compileTemplate(DOCUMENT, { delimiters: ['${', '}'] })

function rendersPerSecond(duration: number): number {
  const started = process.cpuUsage()
  const spent = () => {
    const { user, system } = process.cpuUsage(started)
    return (user + system) / 1e6
  }
  let count = 0
  for (; spent() < duration; count += BATCH) for (let run = 0; run < BATCH; run++) template.render(data)
  return count / spent()
}

rendersPerSecond(0.5)
const rate = rendersPerSecond(seconds)
const parse = performance.now()
for (let run = 0; run < BATCH; run++) compileTemplate(DOCUMENT, { delimiters: ['${', '}'] })
process.stdout.write(
  `${Math.round(rate)} renderings per second and core (budget ${BUDGET}); parsing ${((1_000 * (performance.now() - parse)) / BATCH).toFixed(0)} µs\n`,
)
process.exitCode = rate < BUDGET ? 1 : 0
