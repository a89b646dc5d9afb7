{{- define "portcullis.name" -}}
{{- .Values.nameOverride | default .Chart.Name | trunc 63 | trimSuffix "-" }}
{{- end }}

{{/* 53 characters leave room for the suffixes of the objects that Kubernetes makes from a Deployment. */}}
{{- define "portcullis.fullname" -}}
{{- if .Values.fullnameOverride }}
{{- .Values.fullnameOverride | trunc 53 | trimSuffix "-" }}
{{- else if contains (include "portcullis.name" .) .Release.Name }}
{{- .Release.Name | trunc 53 | trimSuffix "-" }}
{{- else }}
{{- printf "%s-%s" .Release.Name (include "portcullis.name" .) | trunc 53 | trimSuffix "-" }}
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
app.kubernetes.io/name: {{ include "portcullis.name" . }}
app.kubernetes.io/instance: {{ .Release.Name }}
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

{{/* The ports that the gateway listens on; `dig` isn't used because a key may be there with null in it. */}}
{{- define "portcullis.listenPort" -}}
{{- (.Values.config.listen | default dict).port | default 8080 | int }}
{{- end }}

{{- define "portcullis.opsPort" -}}
{{- (.Values.config.ops | default dict).port | default 9090 | int }}
{{- end }}

{{/* The draining time in whole seconds, rounded up. */}}
{{- define "portcullis.drainSeconds" -}}
{{- $drain := (.Values.config.stop | default dict).drain | default "15s" | toString }}
{{- $count := regexFind "^[0-9]+" $drain | int }}
{{- $unit := regexFind "[a-z]+$" $drain }}
{{- if eq $unit "ms" }}{{ div (add $count 999) 1000 }}
{{- else if eq $unit "m" }}{{ mul $count 60 }}
{{- else if eq $unit "h" }}{{ mul $count 3600 }}
{{- else if eq $unit "d" }}{{ mul $count 86400 }}
{{- else }}{{ $count }}
{{- end }}
{{- end }}

{{/* The kubelet's clock runs from the start of the delay: a shorter one would kill the pod while it drains. */}}
{{- define "portcullis.terminationGracePeriodSeconds" -}}
{{- $grace := .Values.terminationGracePeriodSeconds | int }}
{{- $delay := .Values.stopDelaySeconds | int }}
{{- $drain := include "portcullis.drainSeconds" . | int }}
{{- if le $grace (add $delay $drain | int) }}
{{- fail (printf "terminationGracePeriodSeconds: %d has to be longer than stopDelaySeconds (%d) and config.stop.drain (%d seconds) together" $grace $delay $drain) }}
{{- end }}
{{- $grace }}
{{- end }}
