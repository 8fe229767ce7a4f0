// What the path of the story about rights commits.

/** A folder with a chart whose bundle has values, and copies of objects beside its deployments. */
export function chart(folder: string, more: object, text = 'bundle'): Record<string, string> {
  const fleetYaml = {
    defaultNamespace: folder,
    helm: { releaseName: folder, values: { text } },
    downstreamResources: [
      { kind: 'Secret', name: 'copied' },
      { kind: 'ConfigMap', name: 'copied' },
    ],
    ...more,
  }
  return {
    [`${folder}/Chart.yaml`]: JSON.stringify({ apiVersion: 'v2', name: folder, version: '1.0.0' }),
    [`${folder}/values.yaml`]: 'text: chart\n',
    [`${folder}/templates/one.yaml`]: `apiVersion: v1\nkind: ConfigMap\nmetadata: { name: ${folder}-text }\ndata: { text: {{ .Values.text | quote }} }\n`,
    [`${folder}/fleet.yaml`]: JSON.stringify(fleetYaml),
  }
}
