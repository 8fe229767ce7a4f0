// The parts of core/v1 that a Cluster may give its agent, field by field as Kubernetes has them.
import { flag, int64, integer, intOrString, list, map, object, type Static, text, texts, typed } from './schema.ts'
import { selector } from './selectors.ts'

const QUANTITY = '^(\\+|-)?(([0-9]+(\\.[0-9]*)?)|(\\.[0-9]+))(([KMGTPE]i)|[numkMGTPE]|([eE](\\+|-)?(([0-9]+(\\.[0-9]*)?)|(\\.[0-9]+))))?$'

const quantity = typed<number | string>({ ...intOrString('Number with unit, such as 100m or 64Mi.'), pattern: QUANTITY })

// server-side apply treats these as one value each, as in pods
const ATOMIC = { 'x-kubernetes-map-type': 'atomic' } as const

const keyReference = (what: string) =>
  object({ name: text(`Name of the ${what}.`), key: text('Its key.'), optional: flag('It may be absent.') }, `Key of a ${what}.`, {
    required: ['key'],
    ...ATOMIC,
  })

export const EnvVar = object(
  {
    name: text('Its name.'),
    value: text('Its value.'),
    valueFrom: object(
      {
        fieldRef: object({ apiVersion: text('Version of the path.'), fieldPath: text('Path of the field.') }, 'Field of the pod.', {
          required: ['fieldPath'],
          ...ATOMIC,
        }),
        resourceFieldRef: object(
          { containerName: text('The container.'), resource: text('The resource.'), divisor: quantity },
          'Resource of a container.',
          { required: ['resource'], ...ATOMIC },
        ),
        configMapKeyRef: keyReference('config map'),
        secretKeyRef: keyReference('secret'),
        fileKeyRef: object(
          {
            volumeName: text('The volume.'),
            path: text('The file.'),
            key: text('Its key.'),
            optional: flag('It may be absent.'),
          },
          'Key of a file.',
          { required: ['volumeName', 'path', 'key'], ...ATOMIC },
        ),
      },
      'Where the value is taken from.',
    ),
  },
  'An environment variable.',
  { title: 'EnvVar', required: ['name'] },
)
/** core/v1 EnvVar. */
export type EnvVar = Static<typeof EnvVar>

export const Toleration = object(
  {
    key: text('Key of the taint; empty with Exists means all.'),
    operator: text('Exists or Equal.'),
    value: text('Value of the taint.'),
    effect: text('NoSchedule, PreferNoSchedule or NoExecute; empty means all.'),
    tolerationSeconds: int64('How long NoExecute is tolerated.'),
  },
  'A taint that is tolerated.',
  { title: 'Toleration' },
)
/** core/v1 Toleration. */
export type Toleration = Static<typeof Toleration>

const requirements = list(
  object({ key: text('Key.'), operator: text('In, NotIn, Exists, DoesNotExist, Gt or Lt.'), values: texts('Values.') }, 'One condition.', {
    required: ['key', 'operator'],
  }),
  'Conditions that must all hold.',
)

const nodeTerm = object({ matchExpressions: requirements, matchFields: requirements }, 'Conditions on a node.', {
  title: 'NodeSelectorTerm',
  ...ATOMIC,
})

const podTermFields = {
  labelSelector: selector('Pods with these labels.'),
  namespaces: texts('Namespaces of the pods.'),
  topologyKey: text('Node label that says what is near.'),
  namespaceSelector: selector('Namespaces of the pods, by label.'),
  matchLabelKeys: texts('Labels whose value the pods must share.'),
  mismatchLabelKeys: texts('Labels whose value the pods must not share.'),
}

const podTerm = object(podTermFields, 'Pods and what is near.', { title: 'PodAffinityTerm', required: ['topologyKey'] })

const podAffinity = (word: string) =>
  object(
    {
      requiredDuringSchedulingIgnoredDuringExecution: list(podTerm, `Pods that must be ${word}.`),
      preferredDuringSchedulingIgnoredDuringExecution: list(
        object({ weight: integer('1 to 100.', { format: 'int32' }), podAffinityTerm: podTerm }, 'A wish.', {
          required: ['weight', 'podAffinityTerm'],
        }),
        `Pods that should be ${word}.`,
      ),
    },
    `Pods to be ${word}.`,
  )

export const Affinity = object(
  {
    nodeAffinity: object(
      {
        requiredDuringSchedulingIgnoredDuringExecution: object(
          { nodeSelectorTerms: list(nodeTerm, 'One of them must hold.') },
          'Nodes that the pods must run on.',
          { required: ['nodeSelectorTerms'], ...ATOMIC },
        ),
        preferredDuringSchedulingIgnoredDuringExecution: list(
          object({ weight: integer('1 to 100.', { format: 'int32' }), preference: nodeTerm }, 'A wish.', {
            required: ['weight', 'preference'],
          }),
          'Nodes that the pods should run on.',
        ),
      },
      'Nodes to run on.',
    ),
    podAffinity: podAffinity('near'),
    podAntiAffinity: podAffinity('far'),
  },
  'Where pods run.',
  { title: 'Affinity' },
)
/** core/v1 Affinity. */
export type Affinity = Static<typeof Affinity>

export const ResourceRequirements = object(
  {
    limits: map(quantity, 'The most that may be used.'),
    requests: map(quantity, 'The least that is set aside.'),
    claims: list(object({ name: text('The claim.'), request: text('The request in it.') }, 'A claim.', { required: ['name'] }), 'Claims.'),
  },
  'Resources of a container.',
  { title: 'ResourceRequirements' },
)
/** core/v1 ResourceRequirements. */
export type ResourceRequirements = Static<typeof ResourceRequirements>
