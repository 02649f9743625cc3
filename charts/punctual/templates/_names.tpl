{{/* Names and labels. */}}

{{- define "punctual.name" -}}
{{- .Values.nameOverride | default .Chart.Name | trunc 63 | trimSuffix "-" -}}
{{- end -}}

{{/*
The name of objects. Helm accepts dots and a leading digit in the name of a release; a Service accepts neither: dots become dashes, and a
leading digit gets a prefix. At most 45 characters, so that suffixes fit: "-metrics", "-leader-election".
*/}}
{{- define "punctual.fullname" -}}
{{- $name := .Values.fullnameOverride -}}
{{- if not $name -}}
{{- $name = .Release.Name -}}
{{- if not (contains (include "punctual.name" .) $name) -}}
{{- $name = printf "%s-%s" $name (include "punctual.name" .) -}}
{{- end -}}
{{- $name = replace "." "-" $name -}}
{{- if regexMatch "^[0-9]" $name -}}
{{- $name = printf "punctual-%s" $name -}}
{{- end -}}
{{- end -}}
{{- regexReplaceAll "-+$" (trunc 45 $name) "" -}}
{{- end -}}

{{/* Cluster-scoped objects of operators that watch different namespaces need different names. */}}
{{- define "punctual.clusterName" -}}
{{- if .Values.watchNamespaces -}}
{{- printf "%s.%s" (include "punctual.fullname" .) .Release.Namespace -}}
{{- else -}}
{{- include "punctual.fullname" . -}}
{{- end -}}
{{- end -}}

{{- define "punctual.statusPolicyName" -}}
{{- if .Values.watchNamespaces -}}
{{- printf "%s-status.%s" (include "punctual.fullname" .) .Release.Namespace -}}
{{- else -}}
{{- printf "%s-status" (include "punctual.fullname" .) -}}
{{- end -}}
{{- end -}}

{{- define "punctual.serviceAccountName" -}}
{{- if .Values.serviceAccount.create -}}
{{- .Values.serviceAccount.name | default (include "punctual.fullname" .) -}}
{{- else -}}
{{- .Values.serviceAccount.name | default "default" -}}
{{- end -}}
{{- end -}}

{{- define "punctual.leaseName" -}}
{{- .Values.leaderElection.leaseName | default (include "punctual.fullname" .) -}}
{{- end -}}

{{- /* Name of the ConfigMap that is the claims log: the operator derives it in the same way. */ -}}
{{- define "punctual.claimsLogName" -}}
{{- printf "%s-claims" (include "punctual.leaseName" .) -}}
{{- end }}

{{- define "punctual.leaseNamespace" -}}
{{- .Values.leaderElection.namespace | default .Release.Namespace -}}
{{- end -}}

{{/* The selector of the pods. It must never change, because a Deployment's selector is immutable. */}}
{{- define "punctual.selector" -}}
{{- toYaml (dict
  "app.kubernetes.io/name" (include "punctual.name" .)
  "app.kubernetes.io/instance" .Release.Name
  "app.kubernetes.io/component" "controller"
) -}}
{{- end -}}

{{/* Labels of all objects. Templates add the component. The chart's own labels take precedence over commonLabels. */}}
{{- define "punctual.labels" -}}
{{- $own := dict
  "helm.sh/chart" (printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" | trunc 63 | trimSuffix "-")
  "app.kubernetes.io/name" (include "punctual.name" .)
  "app.kubernetes.io/instance" .Release.Name
  "app.kubernetes.io/version" .Chart.AppVersion
  "app.kubernetes.io/managed-by" .Release.Service
  "app.kubernetes.io/part-of" "punctual"
-}}
{{- toYaml (merge $own (omit (default dict .Values.commonLabels) "app.kubernetes.io/component")) -}}
{{- end -}}

{{/* The image reference. Arguments: an image from the values, and the default tag. */}}
{{- define "punctual.image" -}}
{{- $image := first . -}}
{{- if $image.digest -}}
{{- printf "%s@%s" $image.repository $image.digest -}}
{{- else -}}
{{- printf "%s:%s" $image.repository ($image.tag | default (last .)) -}}
{{- end -}}
{{- end -}}

{{/*
The watched namespaces that do not exist or are being deleted, as JSON. Helm can only tell on a cluster, and only for users who may read namespaces: those who
install the CRD or the admission policies may. Otherwise the list is empty.
*/}}
{{- define "punctual.missingNamespaces" -}}
{{- $missing := list -}}
{{- if and .Values.watchNamespaces (or .Values.crds.enabled .Values.admissionPolicy.enabled) -}}
{{- if lookup "v1" "Namespace" "" "default" -}}
{{- range .Values.watchNamespaces -}}
{{- $found := lookup "v1" "Namespace" "" . -}}
{{- if or (not $found) (eq (dig "status" "phase" "" $found) "Terminating") -}}
{{- $missing = append $missing . -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- toJson $missing -}}
{{- end -}}

{{/* A namespace that the operator watches and that exists, for examples and tests. Arguments: the root, and the default. */}}
{{- define "punctual.watchedNamespace" -}}
{{- $missing := include "punctual.missingNamespaces" (first .) | fromJsonArray -}}
{{- $watched := default list (first .).Values.watchNamespaces -}}
{{- range $missing -}}
{{- $watched = without $watched . -}}
{{- end -}}
{{- first (append $watched (last .)) -}}
{{- end -}}
