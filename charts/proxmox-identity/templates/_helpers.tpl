{{- define "proxmox-identity.name" -}}
{{- default .Chart.Name .Values.nameOverride | trunc 63 | trimSuffix "-" }}
{{- end }}

{{- define "proxmox-identity.fullname" -}}
{{- $name := include "proxmox-identity.name" . }}
{{- if .Values.fullnameOverride }}
{{- .Values.fullnameOverride | trunc 63 | trimSuffix "-" }}
{{- else if contains $name .Release.Name }}
{{- .Release.Name | trunc 63 | trimSuffix "-" }}
{{- else }}
{{- printf "%s-%s" .Release.Name $name | trunc 63 | trimSuffix "-" }}
{{- end }}
{{- end }}

{{- define "proxmox-identity.namespace" -}}
{{- default .Release.Namespace .Values.namespaceOverride }}
{{- end }}

{{- define "proxmox-identity.serviceAccount" -}}
{{- if .Values.serviceAccount.create }}
{{- default (include "proxmox-identity.fullname" .) .Values.serviceAccount.name }}
{{- else }}
{{- required "serviceAccount.name is needed where serviceAccount.create is false" .Values.serviceAccount.name }}
{{- end }}
{{- end }}

{{- define "proxmox-identity.leaderElection" -}}
{{- printf "%s-leader-election" (include "proxmox-identity.fullname" .) }}
{{- end }}

{{- define "proxmox-identity.selector" -}}
app.kubernetes.io/name: {{ include "proxmox-identity.name" . | quote }}
app.kubernetes.io/instance: {{ .Release.Name | quote }}
{{- end }}

{{- define "proxmox-identity.labels" -}}
{{- $own := dict "helm.sh/chart" (printf "%s-%s" .Chart.Name (.Chart.Version | replace "+" "_"))
    "app.kubernetes.io/version" .Chart.AppVersion "app.kubernetes.io/managed-by" .Release.Service }}
{{- toYaml (merge (include "proxmox-identity.selector" . | fromYaml) $own .Values.commonLabels) }}
{{- end }}

{{- define "proxmox-identity.image" -}}
{{- $registry := default .Values.image.registry .Values.global.imageRegistry }}
{{- with $registry }}{{ . }}/{{ end }}{{ .Values.image.repository }}
{{- with .Values.image.digest }}@{{ . }}{{ else }}:{{ default .Chart.AppVersion .Values.image.tag }}{{ end }}
{{- end }}

{{/* Our kinds, by who may write them. */}}
{{- define "proxmox-identity.kinds" -}}
everyday: [proxmoxgroups, proxmoxusers, proxmoxtokens, proxmoxpools, proxmoxaccesschecks]
powerful:
  [pocketidclients, pocketidgroups, pocketidconnections, proxmoxacls, proxmoxroles, proxmoxrealms, proxmoxconnections, clusterproxmoxconnections]
{{- end }}

{{/* "true" where an object of the Prometheus Operator is to be made: of (list $ kind values). */}}
{{- define "proxmox-identity.monitoring" -}}
{{- $root := index . 0 }}{{ $kind := index . 1 }}{{ $values := index . 2 }}
{{- $known := $root.Capabilities.APIVersions.Has (printf "monitoring.coreos.com/v1/%s" $kind) }}
{{- if and $values.enabled (not $known) (eq $values.renderMode "failIfMissing") }}
{{- fail (printf "the cluster does not know %s: install the Prometheus Operator, or choose another renderMode" $kind) }}
{{- end }}
{{- if and $values.enabled (or $known (eq $values.renderMode "alwaysRender")) }}true{{ end }}
{{- end }}
