{{/* The image of a component: `include "fleet.image" (list $ .Values.image)` */}}
{{- define "fleet.image" -}}
{{- $root := index . 0 }}{{ $image := index . 1 }}
{{- with $root.Values.global.cattle.systemDefaultRegistry }}{{ . }}/{{ end }}{{ $image.repository }}:{{ $image.tag | default $root.Chart.AppVersion }}
{{- end }}

{{- define "fleet.labels" -}}
app.kubernetes.io/name: {{ .Chart.Name }}
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
{{- end }}

{{/* The shards: the one without a name, then those of the values, each name once. */}}
{{- define "fleet.shards" -}}
{{- $shards := list (dict "id" "" "nodeSelector" dict) }}
{{- $ids := list "" }}
{{- range .Values.shards }}
{{- $id := .id | toString }}
{{- if not (has $id $ids) }}
{{- $ids = append $ids $id }}
{{- $shards = append $shards (dict "id" $id "nodeSelector" (.nodeSelector | default dict)) }}
{{- end }}
{{- end }}
{{- $shards | toJson }}
{{- end }}

{{/* Resources of a program: its own, which may be none, or those for all. Keys of programs never occur among those of resources. */}}
{{- define "fleet.resources" -}}
{{- $root := index . 0 }}{{ $key := index . 1 }}
{{- $resources := $root.Values.resources | default dict }}
{{- $all := omit $resources "fleetController" "fleetCleanup" "fleetAgentmanagement" "gitjob" "helmops" }}
{{- toYaml (hasKey $resources $key | ternary (get $resources $key | default dict) $all) }}
{{- end }}

{{/* What all containers get: identity, election, proxy. */}}
{{- define "fleet.env" -}}
- name: NAMESPACE
  valueFrom: {fieldRef: {fieldPath: metadata.namespace}}
- name: POD_NAME
  valueFrom: {fieldRef: {fieldPath: metadata.name}}
- name: HOME
  value: /tmp
{{- with .Values.leaderElection.leaseDuration }}
- name: CATTLE_ELECTION_LEASE_DURATION
  value: {{ . | quote }}
{{- end }}
{{- with .Values.leaderElection.retryPeriod }}
- name: CATTLE_ELECTION_RETRY_PERIOD
  value: {{ . | quote }}
{{- end }}
{{- with .Values.leaderElection.renewDeadline }}
- name: CATTLE_ELECTION_RENEW_DEADLINE
  value: {{ . | quote }}
{{- end }}
{{- with .Values.proxy }}
- name: HTTP_PROXY
  value: {{ . | quote }}
- name: HTTPS_PROXY
  value: {{ . | quote }}
- name: NO_PROXY
  value: {{ $.Values.noProxy | quote }}
{{- end }}
{{- if .Values.proxyCACert }}
- name: PROXY_CA_BUNDLE
  valueFrom: {secretKeyRef: {name: fleet-proxy-ca, key: ca.crt}}
{{- end }}
{{- end }}

{{/* Of containers: nothing that a controller does not need. */}}
{{- define "fleet.containerSecurity" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
privileged: false
capabilities: {drop: [ALL]}
{{- end }}

{{- define "fleet.podSecurity" -}}
runAsNonRoot: true
runAsUser: 1000
runAsGroup: 1000
seccompProfile: {type: RuntimeDefault}
{{- end }}

{{/*
A Deployment of one program: `include "fleet.deployment" (dict "root" $ "shard" $shard "name" … )`, with
name, key (among resources, extraLabels, extraAnnotations), replicas, args (list), env (YAML, may be empty), ports (list of name, port), health (port).
*/}}
{{- define "fleet.deployment" -}}
{{- $root := .root }}{{ $values := .root.Values }}{{ $name := .name }}
{{- if .shard.id }}{{ $name = printf "%s-shard-%s" .name .shard.id }}{{ end }}
---
apiVersion: apps/v1
kind: Deployment
metadata:
  name: {{ $name }}
  namespace: {{ $root.Release.Namespace }}
  labels:
    {{- include "fleet.labels" $root | nindent 4 }}
spec:
  replicas: {{ .replicas }}
  # as it always was: a selector cannot be changed
  selector:
    matchLabels:
      app: {{ .name }}
  template:
    metadata:
      labels:
        app: {{ .name }}
        fleet.cattle.io/shard-id: {{ .shard.id | quote }}
        {{- if eq .shard.id "" }}
        fleet.cattle.io/shard-default: 'true'
        {{- end }}
        {{- with get ($values.extraLabels | default dict) .key }}
        {{- toYaml . | nindent 8 }}
        {{- end }}
      annotations:
        fleet.cattle.io/config-version: {{ $root.Chart.AppVersion | quote }}
        {{- with get ($values.extraAnnotations | default dict) .key }}
        {{- toYaml . | nindent 8 }}
        {{- end }}
    spec:
      serviceAccountName: {{ .name }}
      {{- with $values.global.cattle.imagePullSecrets }}
      imagePullSecrets:
        {{- range . }}
        - name: {{ kindIs "map" . | ternary (get (kindIs "map" . | ternary . dict) "name") . }}
        {{- end }}
      {{- end }}
      {{- with $values.priorityClassName }}
      priorityClassName: {{ . }}
      {{- end }}
      {{- if not $values.disableSecurityContext }}
      securityContext:
        {{- include "fleet.podSecurity" $root | nindent 8 }}
      {{- end }}
      terminationGracePeriodSeconds: 30
      containers:
        - name: {{ .name }}
          image: {{ include "fleet.image" (list $root $values.image) }}
          imagePullPolicy: {{ $values.image.imagePullPolicy }}
          command: [fleetcontroller]
          args:
            {{- range .args }}
            - {{ . | quote }}
            {{- end }}
            {{- if .shard.id }}
            - --shard-id={{ .shard.id }}
            {{- end }}
            {{- if not $values.metrics.enabled }}
            - --disable-metrics
            {{- end }}
            {{- if $values.debug }}
            - --debug
            - --debug-level={{ $values.debugLevel }}
            {{- end }}
          env:
            {{- include "fleet.env" $root | nindent 12 }}
            {{- with .env }}
            {{- . | nindent 12 }}
            {{- end }}
            {{- with $values.extraEnv }}
            {{- toYaml . | nindent 12 }}
            {{- end }}
          ports:
            {{- range .ports }}
            - name: {{ .name }}
              containerPort: {{ .port }}
            {{- end }}
            - name: health
              containerPort: {{ .health }}
          livenessProbe:
            httpGet: {path: /healthz, port: health}
            periodSeconds: 20
          readinessProbe:
            httpGet: {path: /readyz, port: health}
            periodSeconds: 10
          resources:
            {{- include "fleet.resources" (list $root .key) | nindent 12 }}
          {{- if not $values.disableSecurityContext }}
          securityContext:
            {{- include "fleet.containerSecurity" $root | nindent 12 }}
          {{- end }}
          volumeMounts:
            - name: tmp
              mountPath: /tmp
      volumes:
        - name: tmp
          emptyDir: {}
      nodeSelector:
        kubernetes.io/os: linux
        {{- with merge (deepCopy .shard.nodeSelector) ($values.nodeSelector | default dict) }}
        {{- toYaml . | nindent 8 }}
        {{- end }}
      tolerations:
        - key: cattle.io/os
          operator: Equal
          value: linux
          effect: NoSchedule
        {{- with $values.tolerations }}
        {{- toYaml . | nindent 8 }}
        {{- end }}
      {{- with $values.affinity }}
      affinity:
        {{- toYaml . | nindent 8 }}
      {{- end }}
{{- if and $values.podDisruptionBudget.enabled (gt (int .replicas) 1) }}
---
apiVersion: policy/v1
kind: PodDisruptionBudget
metadata:
  name: {{ $name }}
  namespace: {{ $root.Release.Namespace }}
spec:
  minAvailable: 1
  selector:
    matchLabels:
      app: {{ .name }}
      fleet.cattle.io/shard-id: {{ .shard.id | quote }}
{{- end }}
{{- end }}
