{{- define "program" }}
{{- $root := .root }}
{{- $name := .name }}
---
apiVersion: apps/v1
kind: Deployment
metadata:
  name: {{ $name }}{{ with .shard.id }}-shard-{{ . }}{{ end }}
spec:
  replicas: {{ .replicas }}
  selector:
    matchLabels: {app: {{ $name }}}
  template:
    metadata:
      labels:
        app: {{ $name }}
        fleet.cattle.io/shard-id: {{ .shard.id | quote }}
        {{- if not .shard.id }}
        fleet.cattle.io/shard-default: 'true'
        {{- end }}
        {{- with get ($root.Values.extraLabels | default dict) .key }}
        {{- toYaml . | nindent 8 }}
        {{- end }}
    spec:
      serviceAccountName: {{ $name }}
      {{- with $root.Values.priorityClassName }}
      priorityClassName: {{ . }}
      {{- end }}
      securityContext: {runAsNonRoot: true, runAsUser: 1000, runAsGroup: 1000}
      containers:
        {{- range .containers }}
        - name: {{ .name }}
          image: {{ $root.Values.image.repository }}:{{ $root.Values.image.tag }}
          imagePullPolicy: {{ $root.Values.image.imagePullPolicy }}
          {{- if .isCommand }}
          command: {{ concat (list "fleetcontroller") .args | toJson }}
          {{- else }}
          command: [fleetcontroller]
          args: {{ .args | toJson }}
          {{- end }}
          env:
            - {name: NAMESPACE, valueFrom: {fieldRef: {fieldPath: metadata.namespace}}}
            - {name: CATTLE_ELECTION_LEASE_DURATION, value: {{ $root.Values.leaderElection.leaseDuration }}}
            {{- with $root.Values.proxy }}
            - {name: HTTP_PROXY, value: {{ . | quote }}}
            - {name: NO_PROXY, value: {{ $root.Values.noProxy | quote }}}
            {{- end }}
            {{- with $root.Values.proxyCACert }}
            - {name: PROXY_CA_BUNDLE, value: {{ . | quote }}}
            {{- end }}
            {{- with $root.Values.extraEnv }}
            {{- toYaml . | nindent 12 }}
            {{- end }}
          {{- with .port }}
          ports:
            - {containerPort: {{ . }}, name: metrics}
          {{- end }}
          {{- with $root.Values.resources }}
          resources: {{ toJson . }}
          {{- end }}
          securityContext: {allowPrivilegeEscalation: false, readOnlyRootFilesystem: true, privileged: false, capabilities: {drop: [ALL]}}
          volumeMounts:
            - {mountPath: /tmp, name: tmp}
        {{- end }}
      volumes:
        - {name: tmp, emptyDir: {}}
      nodeSelector:
        kubernetes.io/os: linux
        {{- with .shard.nodeSelector }}
        {{- toYaml . | nindent 8 }}
        {{- end }}
      tolerations:
        - {key: cattle.io/os, value: linux, effect: NoSchedule, operator: Equal}
        {{- with $root.Values.tolerations }}
        {{- toYaml . | nindent 8 }}
        {{- end }}
{{- if .metrics }}
---
apiVersion: v1
kind: Service
metadata:
  name: monitoring-{{ $name }}{{ with .shard.id }}-shard-{{ . }}{{ end }}
  labels: {app: {{ $name }}}
spec:
  type: ClusterIP
  ports:
    - {port: {{ .metrics }}, targetPort: {{ .metrics }}, protocol: TCP, name: metrics}
  selector:
    app: {{ $name }}
    {{- if .shard.id }}
    fleet.cattle.io/shard-id: {{ .shard.id | quote }}
    {{- else }}
    fleet.cattle.io/shard-default: 'true'
    {{- end }}
{{- end }}
{{- end }}
