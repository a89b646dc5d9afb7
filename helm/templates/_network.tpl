{{/* The URLs that the gateway calls, as JSON: upstreams, and what stands in config of authorization servers, tenants' and upstreams' included. */}}
{{- define "portcullis.calledUrls" -}}
{{- $urls := list }}
{{- range .Values.config.routes }}
{{- if kindIs "string" .upstream }}{{ $urls = append $urls .upstream }}
{{- else if .upstream }}{{ $urls = append $urls .upstream.url }}
{{- $urls = concat $urls (((.upstream.credentials | default dict).oauth | default dict).authorizationServers | default list) }}
{{- end }}
{{- $urls = append $urls (.tenant | default dict).issuer }}
{{- end }}
{{- range .Values.config.authorizationServers }}
{{- if kindIs "string" .issuer }}{{ $urls = append $urls .issuer }}
{{- else }}{{ $urls = concat $urls (.issuer | default list) }}
{{- end }}
{{- $urls = concat $urls (list .jwksUri (.introspection | default dict).endpoint) }}
{{- end }}
{{- $urls | compact | uniq | toJson }}
{{- end }}

{{/*
Where those URLs lead, as JSON: `namespaces` of pods in the cluster, and `ports` outside. A name without a dot is a
Service of this namespace, NAME.NAMESPACE.svc one of that; what listens on loopback needs no rule.
*/}}
{{- define "portcullis.destinations" -}}
{{- $namespaces := list }}
{{- $ports := list 443 }}
{{- range include "portcullis.calledUrls" . | fromJsonArray }}
{{- $host := regexReplaceAll "^https?://(\\[[^]]*\\]|[^/:?#]*).*$" . "${1}" }}
{{- $port := regexReplaceAll "^https?://(\\[[^]]*\\]|[^/:?#]*)(:([0-9]+))?.*$" . "${3}" | default (hasPrefix "https:" . | ternary "443" "80") | int }}
{{- if regexMatch "^(localhost|127\\..*|\\[::1\\])$" $host }}
{{- else if regexMatch "\\.svc(\\.|$)" $host }}
{{- $namespaces = append $namespaces (regexReplaceAll "^.*?([^.]+)\\.svc(\\..*)?$" $host "${1}") }}
{{- else if not (regexMatch "[.:]" $host) }}
{{- $namespaces = append $namespaces $.Release.Namespace }}
{{- else }}
{{- $ports = append $ports $port }}
{{- end }}
{{- end }}
{{- dict "namespaces" ($namespaces | uniq | sortAlpha) "ports" ($ports | uniq) | toJson }}
{{- end }}

{{/*
The addresses outside, without those where clouds hand out credentials: link-local ones; of Alibaba and Azure; by IPv6 of
AWS, Scaleway and Google.
*/}}
{{- define "portcullis.outside" -}}
{{- $inIPv4 := list "169.254.0.0/16" "100.100.100.200/32" "168.63.129.16/32" }}
{{- $inIPv6 := list "fe80::/10" "fd00:ec2::/32" "fd00:42::42/128" "fd20:ce::254/128" }}
{{- $excepted := dict "0.0.0.0/0" $inIPv4 "::/0" $inIPv6 }}
{{- range .Values.networkPolicy.outsideCidrs }}
- ipBlock:
    cidr: {{ . }}
    {{- with get $excepted . }}
    except: {{ toJson . }}
    {{- end }}
{{- end }}
{{- end }}
