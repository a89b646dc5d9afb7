{{/* What no schema can say: one value against another. Each message begins with the key that has to change. */}}
{{- define "portcullis.checks" -}}
{{- include "portcullis.checkListeners" . }}
{{- include "portcullis.checkSecrets" . }}
{{- include "portcullis.checkSharing" . }}
{{- include "portcullis.checkHosts" . }}
{{- with .Values.autoscaling }}
{{- if and .enabled (gt (int .minReplicas) (int .maxReplicas)) }}
{{- fail (printf "autoscaling.minReplicas: %d is more than autoscaling.maxReplicas, %d" (int .minReplicas) (int .maxReplicas)) }}
{{- end }}
{{- if and .enabled (not .cpuPercent) (not .openStreams) }}
{{- fail "autoscaling.cpuPercent: one of cpuPercent and openStreams has to be more than 0" }}
{{- end }}
{{- end }}
{{- if and .Values.bridge.enabled (semverCompare "<1.29.0-0" .Capabilities.KubeVersion.Version) }}
{{- fail (printf "bridge.enabled: a container that starts before the gateway and ends after it needs Kubernetes 1.29, this is %s" .Capabilities.KubeVersion.Version) }}
{{- end }}
{{- end }}

{{- define "portcullis.checkListeners" -}}
{{- range $key := list "listen" "ops" }}
{{- $listener := get $.Values.config $key | default dict }}
{{- if and (hasKey $listener "port") (eq (int (get $listener "port")) 0) }}
{{- fail (printf "config.%s.port: 0 is a free port, which no Service can point to" $key) }}
{{- end }}
{{- end }}
{{- $host := (.Values.config.listen | default dict).host | default "0.0.0.0" }}
{{- if regexMatch "^(127\\.|::1$|localhost$)" $host }}
{{- fail (printf "config.listen.host: %s can't be reached from outside of the pod" $host) }}
{{- end }}
{{- end }}

{{/*
Every variable that config names as a secret is there, and by reference: what is written into values stands in the
history of releases and in the Deployment. The names are those in `{ env: NAME }`; headers may be called env, too.
*/}}
{{- define "portcullis.checkSecrets" -}}
{{- $text := regexReplaceAll "\"(claims|headers)\":\\{[^{}]*\\}" (toJson .Values.config) "" }}
{{- $given := dict }}
{{- range .Values.extraEnv }}{{ $_ := set $given .name . }}{{ end }}
{{- range regexFindAll "\\{\"env\":\"[^\"]+\"\\}" $text -1 }}
{{- $name := get (fromJson .) "env" }}
{{- $variable := get $given $name }}
{{- if $variable }}
{{- if hasKey $variable "value" }}
{{- fail (printf "extraEnv: %s is a secret of config: give it from an existing Secret by valueFrom.secretKeyRef, not by value" $name) }}
{{- end }}
{{- else if not $.Values.envFrom }}
{{- fail (printf "extraEnv: config names the variable %s, which neither extraEnv nor envFrom gives" $name) }}
{{- end }}
{{- end }}
{{- end }}

{{/* What one process may make up for itself, several have to agree on. */}}
{{- define "portcullis.checkSharing" -}}
{{- if include "portcullis.isShared" . }}
{{- if not (.Values.config.sessions | default dict).key }}
{{- fail "config.sessions.key: more than one pod needs the same key. Write { env: PORTCULLIS_SESSION_KEY } and give the variable from an existing Secret by extraEnv" }}
{{- end }}
{{- $signing := .Values.config.signing | default dict }}
{{- $state := .Values.config.state | default "memory" }}
{{- range .Values.config.routes }}
{{- if and (hasKey (.identity | default dict) "assertion") (not $signing.key) }}
{{- fail (printf "config.signing.key: the route %s signs who asks, and more than one pod needs the same key. Write { file: PATH } and give the file from an existing Secret by extraVolumes" .path) }}
{{- end }}
{{- if and (ne (.dpop | default "off") "off") (kindIs "string" $state) }}
{{- fail (printf "config.state: the route %s has dpop, and more than one pod: a proof that one pod has seen would be new to another. Write { redis: { url: { env: REDIS_URL } } }" .path) }}
{{- end }}
{{- end }}
{{- end }}
{{- end }}

{{/* A host that the gateway doesn't answer to would be 403 for every client. */}}
{{- define "portcullis.checkHosts" -}}
{{- $answered := .Values.config.hosts | default (list (include "portcullis.publicHost" .)) }}
{{- $asked := dict "ingress.hosts" .Values.ingress.hosts "httpRoute.hostnames" .Values.httpRoute.hostnames }}
{{- range $key, $hosts := $asked }}
{{- range $hosts }}
{{- if and (not (has . $answered)) (not (hasPrefix "*." .)) }}
{{- fail (printf "%s: the gateway doesn't answer to %s; add it to config.hosts" $key .) }}
{{- end }}
{{- end }}
{{- end }}
{{- end }}
