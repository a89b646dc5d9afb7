{{/* A duration of the gateway in whole seconds, rounded up. */}}
{{- define "portcullis.seconds" -}}
{{- $count := regexFind "^[0-9]+" . | int }}
{{- $unit := regexFind "[a-z]+$" . }}
{{- if eq $unit "ms" }}{{ div (add $count 999) 1000 }}
{{- else if eq $unit "m" }}{{ mul $count 60 }}
{{- else if eq $unit "h" }}{{ mul $count 3600 }}
{{- else if eq $unit "d" }}{{ mul $count 86400 }}
{{- else }}{{ $count }}
{{- end }}
{{- end }}

{{/* What the gateway takes to stop: config.stop, all of it. */}}
{{- define "portcullis.stopSeconds" -}}
{{- $stop := .Values.config.stop | default dict }}
{{- $delay := include "portcullis.seconds" ($stop.delay | default "0s") | int }}
{{- $drain := include "portcullis.seconds" ($stop.drain | default "15s") | int }}
{{- add $delay $drain }}
{{- end }}

{{/* A shorter time than the gateway takes would kill the pod while it drains. */}}
{{- define "portcullis.terminationGracePeriodSeconds" -}}
{{- $stop := include "portcullis.stopSeconds" . | int }}
{{- $grace := .Values.terminationGracePeriodSeconds | default (add $stop 10) | int }}
{{- if le $grace $stop }}
{{- fail (printf "terminationGracePeriodSeconds: %d has to be longer than config.stop takes, %d seconds in all" $grace $stop) }}
{{- end }}
{{- $grace }}
{{- end }}
