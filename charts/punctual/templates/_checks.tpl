{{/* What a schema cannot say: values that contradict each other. Included once, by the Deployment. */}}
{{- define "punctual.checks" -}}
{{- if and (gt (int .Values.replicaCount) 1) (not .Values.leaderElection.enabled) -}}
{{- fail "replicaCount is more than 1 and leaderElection.enabled is false: two operators would write at once. Set replicaCount to 1 or leaderElection.enabled to true." -}}
{{- end -}}
{{- if and (not .Values.leaderElection.enabled) .Values.strategy (ne (dig "type" "RollingUpdate" .Values.strategy) "Recreate") -}}
{{- fail "strategy.type is not Recreate and leaderElection.enabled is false: at each upgrade two operators would write at once. Set strategy.type to Recreate, leave strategy out, or set leaderElection.enabled to true." -}}
{{- end -}}
{{- with .Values.leaderElection -}}
{{- if .enabled -}}
{{- $lease := include "punctual.longer" .leaseDuration -}}
{{- $renew := include "punctual.longer" .renewDeadline -}}
{{- $retry := include "punctual.longer" .retryPeriod -}}
{{- if le $lease $renew -}}
{{- fail (printf "leaderElection.leaseDuration (%s) must be longer than renewDeadline (%s): else two operators may lead at once." .leaseDuration .renewDeadline) -}}
{{- end -}}
{{- if le $renew $retry -}}
{{- fail (printf "leaderElection.renewDeadline (%s) must be longer than retryPeriod (%s), by a fifth at least: else it is over before the second attempt." .renewDeadline .retryPeriod) -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- if and .Values.serviceMonitor.enabled (not .Values.metrics.service.enabled) -}}
{{- fail "serviceMonitor.enabled needs metrics.service.enabled: a ServiceMonitor finds pods through a Service." -}}
{{- end -}}
{{- end -}}

{{/* A duration as text that sorts by length. */}}
{{- define "punctual.longer" -}}
{{- toDate "2006-01-02" "2020-01-01" | dateModify . | date "2006-01-02T15:04:05.000000" -}}
{{- end -}}
