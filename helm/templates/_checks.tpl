{{/* What no schema can say: one value against another. Each message begins with the key that has to change. */}}
{{- define "portcullis.checks" -}}
{{- include "portcullis.checkListeners" . }}
{{- include "portcullis.checkSecrets" . }}
{{- include "portcullis.checkSharing" . }}
{{- include "portcullis.checkHosts" . }}
{{- include "portcullis.checkFolders" . }}
{{- if .Values.autoscaling.enabled }}{{ include "portcullis.checkAutoscaling" . }}{{ end }}
{{- include "portcullis.checkProtected" . }}
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

{{- define "portcullis.checkAutoscaling" -}}
{{- with .Values.autoscaling }}
{{- if gt (int .minReplicas) (int .maxReplicas) }}
{{- fail (printf "autoscaling.minReplicas: %d is more than autoscaling.maxReplicas, %d" (int .minReplicas) (int .maxReplicas)) }}
{{- end }}
{{- if and (not .cpuPercent) (not .openStreams) }}
{{- fail "autoscaling.cpuPercent: one of cpuPercent and openStreams has to be more than 0" }}
{{- end }}
{{- end }}
{{- $containers := dict "resources" .Values.resources }}
{{- if .Values.bridge.enabled }}{{ $_ := set $containers "bridge.resources" .Values.bridge.resources }}{{ end }}
{{- range $key, $resources := $containers }}
{{- if and $.Values.autoscaling.cpuPercent (not (($resources | default dict).requests | default dict).cpu) }}
{{- fail (printf "%s.requests.cpu: autoscaling.cpuPercent is a share of it; without it no autoscaler can work" $key) }}
{{- end }}
{{- end }}
{{- end }}

{{/* Of two policies with one name the second takes the place of the first, and what that protected is open. */}}
{{- define "portcullis.checkProtected" -}}
{{- $seen := dict }}
{{- range .Values.protectedUpstreams }}
{{- $key := printf "%s/%s" (.namespace | default $.Release.Namespace) .name }}
{{- if hasKey $seen $key }}
{{- fail (printf "protectedUpstreams: two are called %s; each needs a name of its own" .name) }}
{{- end }}
{{- $_ := set $seen $key true }}
{{- end }}
{{- end }}

{{/* The root file system is read-only: what config writes to has to lie in a volume. */}}
{{- define "portcullis.checkFolders" -}}
{{- $audit := (.Values.config.log | default dict).audit }}
{{- $audit = kindIs "map" $audit | ternary $audit dict }}
{{- $written := dict "config.tokenStore.directory" (.Values.config.tokenStore | default dict).directory "config.log.audit.file" $audit.file }}
{{- range $key, $path := $written }}
{{- $isMounted := not $path }}
{{- range $.Values.extraVolumeMounts }}
{{- if hasPrefix (printf "%s/" (trimSuffix "/" (.mountPath | default "/"))) (printf "%s/" $path) }}{{ $isMounted = true }}{{ end }}
{{- end }}
{{- if not $isMounted }}
{{- fail (printf "extraVolumeMounts: %s is %s, and none of the mountPaths holds it; all else is read-only" $key $path) }}
{{- end }}
{{- end }}
{{- end }}

{{/*
Every variable that config names as a secret is there, and from a Secret: what is written into values stands in the
history of releases and in the Deployment, and a ConfigMap is read by many. The names are those in `{ env: NAME }`; headers may be called env, too.
*/}}
{{- define "portcullis.checkSecrets" -}}
{{- $text := regexReplaceAll "\"(claims|headers)\":\\{[^{}]*\\}" (toJson .Values.config) "" }}
{{- $given := dict }}
{{- range .Values.extraEnv }}{{ $_ := set $given .name . }}{{ end }}
{{- range regexFindAll "\\{\"env\":\"[^\"]+\"\\}" $text -1 }}
{{- $name := get (fromJson .) "env" }}
{{- $variable := get $given $name }}
{{- if $variable }}
{{- if not ($variable.valueFrom | default dict).secretKeyRef }}
{{- fail (printf "extraEnv: %s is a secret of config: give it from an existing Secret by valueFrom.secretKeyRef" $name) }}
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
{{- if (.Values.config.tokenStore | default dict).directory }}
{{- fail "config.tokenStore.directory: more than one pod, and each would have logins of its own. Leave it out, and write config.state: { redis: { url: { env: REDIS_URL } } }" }}
{{- end }}
{{- if and .Values.config.login (kindIs "string" $state) }}
{{- fail "config.state: users log in themselves (config.login), and more than one pod: a link that was used at one would be new to another. Write { redis: { url: { env: REDIS_URL } } }" }}
{{- end }}
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
