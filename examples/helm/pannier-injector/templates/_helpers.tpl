{{/*
The name of all objects. A release may be named "1.2", a Service may not: dots become dashes, and a name begins with a
letter. The release "pannier" gives "pannier-injector".
*/}}
{{- define "pannier-injector.fullname" -}}
{{- if .Values.fullnameOverride -}}
{{- .Values.fullnameOverride -}}
{{- else -}}
{{- $release := .Release.Name | replace "." "-" -}}
{{- if not (regexMatch "^[a-z]" $release) -}}{{- $release = printf "r-%s" $release -}}{{- end -}}
{{- if contains "pannier-injector" $release -}}
{{- $release | trunc 63 | trimSuffix "-" -}}
{{- else if eq $release "pannier" -}}
pannier-injector
{{- else -}}
{{- printf "%s-pannier-injector" ($release | trunc 46 | trimSuffix "-") -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{/* What a selector may use: labels that no upgrade changes. */}}
{{- define "pannier-injector.selectorLabels" -}}
app.kubernetes.io/name: pannier-injector
app.kubernetes.io/instance: {{ .Release.Name | quote }}
{{- end -}}

{{- define "pannier-injector.labels" -}}
{{- $own := include "pannier-injector.selectorLabels" . | fromYaml -}}
{{- $_ := set $own "app.kubernetes.io/version" .Chart.AppVersion -}}
{{- $_ := set $own "app.kubernetes.io/managed-by" .Release.Service -}}
{{- $_ := set $own "helm.sh/chart" (printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_") -}}
{{- merge $own .Values.commonLabels | toYaml -}}
{{- end -}}

{{/* Those of pods: without the ones that an upgrade changes, so that not every upgrade starts all pods anew. */}}
{{- define "pannier-injector.podLabels" -}}
{{- $own := include "pannier-injector.selectorLabels" . | fromYaml -}}
{{- merge $own .Values.podLabels .Values.commonLabels | toYaml -}}
{{- end -}}

{{- define "pannier-injector.serviceAccountName" -}}
{{- .Values.serviceAccount.name | default (include "pannier-injector.fullname" .) -}}
{{- end -}}

{{- define "pannier-injector.image" -}}
{{- with .Values.image -}}
{{- if .digest -}}
{{- printf "%s@%s" .repository .digest -}}
{{- else -}}
{{- printf "%s:%s" .repository (.tag | default $.Chart.AppVersion) -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{/* The image of the agent in pods. */}}
{{- define "pannier-injector.agentImage" -}}
{{- .Values.agent.image | default (include "pannier-injector.image" .) -}}
{{- end -}}

{{/* Namespaces whose pods never get an agent. */}}
{{- define "pannier-injector.excludedNamespaces" -}}
{{- concat (list "kube-system" "kube-public" "kube-node-lease" .Release.Namespace) .Values.webhook.excludedNamespaces | uniq | toJson -}}
{{- end -}}

{{/* HOST:PORT of a list of both, with brackets around an IPv6 address. */}}
{{- define "pannier-injector.address" -}}
{{- $host := index . 0 -}}
{{- if contains ":" $host -}}{{- $host = printf "[%s]" $host -}}{{- end -}}
{{- printf "%s:%d" $host (index . 1 | int) -}}
{{- end -}}

{{/* The Secret with tls.crt and tls.key. */}}
{{- define "pannier-injector.tlsSecret" -}}
{{- with .Values.certificate.secretName -}}
{{- . -}}
{{- else -}}
{{- if eq .Values.certificate.source "secret" -}}
{{- fail "certificate.secretName is needed with certificate.source: secret. Name a Secret with tls.crt and tls.key." -}}
{{- end -}}
{{- printf "%s-tls" (include "pannier-injector.fullname" . | trunc 59 | trimSuffix "-") -}}
{{- end -}}
{{- end -}}

{{/* What the standard "restricted" wants of each container. */}}
{{- define "pannier-injector.securityContext" -}}
{{- with .Values.runAsUser -}}
runAsUser: {{ int64 . }}
{{ end -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
capabilities:
  drop: [ALL]
{{- end -}}
