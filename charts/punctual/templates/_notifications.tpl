{{/* Where the operator finds the configuration of notifications, and the Secrets that it names. */}}

{{- define "punctual.notificationsName" -}}
{{- printf "%s-notifications" (include "punctual.fullname" .) -}}
{{- end -}}

{{- define "punctual.notificationMounts" -}}
{{- $mounts := list -}}
{{- if .Values.notifications.enabled -}}
{{- $mounts = append $mounts (dict "name" "notifications" "mountPath" "/etc/punctual/notifications" "readOnly" true) -}}
{{- range $index, $secret := .Values.notifications.secrets -}}
{{- $mounts = append $mounts (dict "name" (printf "notification-secret-%d" $index) "mountPath" (printf "/etc/punctual/secrets/%s" $secret) "readOnly" true) -}}
{{- end -}}
{{- end -}}
{{- toYaml $mounts -}}
{{- end -}}

{{/* A Secret that is not there yet keeps no operator from starting: its sink says so. */}}
{{- define "punctual.notificationVolumes" -}}
{{- $volumes := list -}}
{{- if .Values.notifications.enabled -}}
{{- $volumes = append $volumes (dict "name" "notifications" "configMap" (dict "name" (include "punctual.notificationsName" .) "defaultMode" 420)) -}}
{{- range $index, $secret := .Values.notifications.secrets -}}
{{- $volumes = append $volumes (dict "name" (printf "notification-secret-%d" $index) "secret" (dict "secretName" $secret "optional" true "defaultMode" 420)) -}}
{{- end -}}
{{- end -}}
{{- toYaml $volumes -}}
{{- end -}}
