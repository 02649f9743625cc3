{{/* What a schema cannot say: values that contradict each other. Included once, by the Deployment. */}}
{{- define "punctual.checks" -}}
{{- if and (gt (int .Values.replicaCount) 1) (not .Values.leaderElection.enabled) -}}
{{- fail "replicaCount is more than 1 and leaderElection.enabled is false: two operators would write at once. Set replicaCount to 1 or leaderElection.enabled to true." -}}
{{- end -}}
{{- if and .Values.serviceMonitor.enabled (not .Values.metrics.service.enabled) -}}
{{- fail "serviceMonitor.enabled needs metrics.service.enabled: a ServiceMonitor finds pods through a Service." -}}
{{- end -}}
{{- end -}}
