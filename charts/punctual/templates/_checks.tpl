{{/* Checks that a schema cannot express: contradictory values. Included once, by the Deployment. */}}
{{- define "punctual.checks" -}}
{{- /* Without a cluster Helm only assumes a version. Then it also lists API versions that no cluster serves any more, such as apps/v1beta1. */ -}}
{{- if and (semverCompare "<1.34.0-0" .Capabilities.KubeVersion.Version) (not (.Capabilities.APIVersions.Has "apps/v1beta1")) -}}
{{- fail (printf "Kubernetes %s is too old: Punctual requires 1.34 or newer." .Capabilities.KubeVersion.Version) -}}
{{- end -}}
{{- if and (gt (int .Values.replicaCount) 1) (not .Values.leaderElection.enabled) -}}
{{- fail "replicaCount is greater than 1 and leaderElection.enabled is false: two operators would write at the same time. Set replicaCount to 1 or leaderElection.enabled to true." -}}
{{- end -}}
{{- if and (not .Values.leaderElection.enabled) .Values.strategy (ne (dig "type" "RollingUpdate" .Values.strategy) "Recreate") -}}
{{- fail "strategy.type is not Recreate and leaderElection.enabled is false: two operators would write at the same time during each upgrade. Set strategy.type to Recreate, omit strategy, or set leaderElection.enabled to true." -}}
{{- end -}}
{{- with .Values.leaderElection -}}
{{- if .enabled -}}
{{- $lease := include "punctual.sortable" .leaseDuration -}}
{{- $renew := include "punctual.sortable" .renewDeadline -}}
{{- $retry := include "punctual.sortable" .retryPeriod -}}
{{- if le $lease $renew -}}
{{- fail (printf "leaderElection.leaseDuration (%s) must be longer than renewDeadline (%s): otherwise two operators may lead at the same time." .leaseDuration .renewDeadline) -}}
{{- end -}}
{{- if le $renew $retry -}}
{{- fail (printf "leaderElection.renewDeadline (%s) must be longer than retryPeriod (%s) by at least 20%%: otherwise it expires before the second attempt." .renewDeadline .retryPeriod) -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- if and .Values.serviceMonitor.enabled (not .Values.metrics.service.enabled) -}}
{{- fail "serviceMonitor.enabled requires metrics.service.enabled: a ServiceMonitor selects pods through a Service." -}}
{{- end -}}
{{- end -}}

{{/* A duration as text that sorts by its length. */}}
{{- define "punctual.sortable" -}}
{{- toDate "2006-01-02" "2020-01-01" | dateModify . | date "2006-01-02T15:04:05.000000" -}}
{{- end -}}
