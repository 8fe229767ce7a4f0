{{/* Program → its controllers, as JSON. Those that are switched off have no rights. */}}
{{- define "fleet.programs" -}}
{{- $values := .Values }}
{{- $main := list "registration" "cluster" "bundle" "bundledeployment" "clustergroup" "content" "cleanup" }}
{{- $extra := dict }}
{{- range $values.extraEnv }}{{ $_ := set $extra .name (.value | default "true" | toString) }}{{ end }}
{{- if ne (get $extra "EXPERIMENTAL_SCHEDULES" | default "false") "false" }}{{ $main = append $main "schedule" }}{{ end }}
{{- if $values.imagescan.enabled }}{{ $main = append $main "imagescan" }}{{ end }}
{{- $programs := dict }}
{{- range $program, $controller := dict "gitjob" (ternary "gitrepo" "" $values.gitops.enabled) "helmops" (ternary "helmop" "" $values.helmops.enabled) }}
{{- if $controller }}
{{- if $values.controller.allInOne }}{{ $main = append $main $controller }}{{ else }}{{ $_ := set $programs $program (list $controller) }}{{ end }}
{{- end }}
{{- end }}
{{- set $programs "fleet-controller" $main | toJson }}
{{- end }}

{{/* The rules of a role: `include "fleet.rules" (dict "root" $ "controllers" (list "gitrepo") "where" "")`, or "own" for those in the namespace of the release. */}}
{{- define "fleet.rules" -}}
{{- $rights := .root.Files.Get "files/rights.yaml" | fromYaml }}
{{- $controllers := .controllers }}{{ $where := .where }}
{{- $withImageScans := .root.Values.imagescan.enabled }}
{{- $rows := $rights.everybody }}
{{- range $controllers }}{{ $rows = concat $rows (get $rights.controllers .) }}{{ end }}
{{- /* resource and names → verbs */}}
{{- $verbs := dict }}
{{- range $row := $rows }}
{{- if and (eq ($row.where | default "") $where) (or (ne ($row.with | default "") "imagescan") $withImageScans) }}
{{- range $row.resources }}
{{- $key := printf "%s %s" . (join "," ($row.named | default list)) }}
{{- $_ := set $verbs $key (concat (get $verbs $key | default list) $row.verbs) }}
{{- end }}
{{- end }}
{{- end }}
{{- /* group, names and verbs → resources */}}
{{- $rules := dict }}
{{- range $key, $allowed := $verbs }}
{{- $on := splitList " " $key | first }}
{{- $ordered := list }}
{{- range list "get" "list" "watch" "create" "update" "patch" "delete" }}{{ if has . $allowed }}{{ $ordered = append $ordered . }}{{ end }}{{ end }}
{{- $rule := dict "apiGroups" (list (regexFind "[.][^/]+" $on | trimPrefix ".")) "verbs" $ordered }}
{{- with splitList " " $key | last }}{{ $_ := set $rule "resourceNames" (splitList "," .) }}{{ end }}
{{- $id := $rule | toJson }}
{{- $_ := set $rules $id (append (get $rules $id | default list) (regexReplaceAll "[.][^/]+" $on "")) }}
{{- end }}
{{- $list := list }}
{{- range $id, $resources := $rules }}{{ $list = append $list (merge (dict "resources" $resources) (fromJson $id)) }}{{ end }}
{{- toYaml $list }}
{{- end }}
