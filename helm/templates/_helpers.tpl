{{- define "portcullis.name" -}}
{{- .Values.nameOverride | default .Chart.Name | trunc 63 | trimSuffix "-" }}
{{- end }}

{{/* 42 characters leave room for what Kubernetes and this chart put behind it in the names of objects. */}}
{{- define "portcullis.fullname" -}}
{{- if .Values.fullnameOverride }}
{{- .Values.fullnameOverride | trunc 42 | trimSuffix "-" }}
{{- else if contains (include "portcullis.name" .) .Release.Name }}
{{- .Release.Name | trunc 42 | trimSuffix "-" }}
{{- else }}
{{- printf "%s-%s" .Release.Name (include "portcullis.name" .) | trunc 42 | trimSuffix "-" }}
{{- end }}
{{- end }}

{{- define "portcullis.serviceAccountName" -}}
{{- if .Values.serviceAccount.create }}
{{- .Values.serviceAccount.name | default (include "portcullis.fullname" .) }}
{{- else }}
{{- .Values.serviceAccount.name | default "default" }}
{{- end }}
{{- end }}

{{- define "portcullis.selectorLabels" -}}
app.kubernetes.io/name: {{ include "portcullis.name" . | quote }}
app.kubernetes.io/instance: {{ .Release.Name | quote }}
{{- end }}

{{- define "portcullis.labels" -}}
{{ include "portcullis.selectorLabels" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" }}
{{- end }}

{{- define "portcullis.image" -}}
{{- $tagged := printf "%s:%s" .Values.image.repository (.Values.image.tag | default .Chart.AppVersion) }}
{{- if .Values.image.digest }}
{{- printf "%s@%s" $tagged .Values.image.digest }}
{{- else }}
{{- $tagged }}
{{- end }}
{{- end }}

{{/* What no value weakens: the rules of the Pod Security Standard "restricted" for a container, and a read-only root. */}}
{{- define "portcullis.containerSecurity" -}}
allowPrivilegeEscalation: false
capabilities:
  drop: [ALL]
privileged: false
readOnlyRootFilesystem: true
runAsNonRoot: true
seccompProfile:
  type: RuntimeDefault
{{- end }}

{{/* The ports that the gateway listens on; `dig` isn't used because a key may be there with null in it. */}}
{{- define "portcullis.listenPort" -}}
{{- (.Values.config.listen | default dict).port | default 8080 | int }}
{{- end }}

{{- define "portcullis.opsPort" -}}
{{- (.Values.config.ops | default dict).port | default 9090 | int }}
{{- end }}

{{/* The host of publicUrl, without a port. */}}
{{- define "portcullis.publicHost" -}}
{{- regexReplaceAll "^https?://(\\[[^]]*\\]|[^/:?#]*).*$" (lower .Values.config.publicUrl) "${1}" }}
{{- end }}

{{/* Whether more than one pod may run: then they have to share what one alone can make up. */}}
{{- define "portcullis.isShared" -}}
{{- if or .Values.autoscaling.enabled (gt (.Values.replicaCount | int) 1) }}true{{ end }}
{{- end }}

{{/* What a running gateway doesn't take up from a changed file, as JSON. */}}
{{- define "portcullis.keptUntilRestart" -}}
{{- $listen := .Values.config.listen | default dict }}
{{- $log := .Values.config.log | default dict }}
{{- list $listen.host $listen.port (empty $listen.tls) .Values.config.ops $log.audit .Values.config.state | toJson }}
{{- end }}
