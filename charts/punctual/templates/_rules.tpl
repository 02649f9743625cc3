{{/*
What the operator may do where it looks after tasks: each rule is what src/controller sends, and nothing else.
The same rules stand in one ClusterRole, or in a Role of each watched namespace.
*/}}
{{- define "punctual.rules" -}}
# Tasks are watched, and read again after a conflict. Never written: spec and metadata are the user's. The first list is streamed by
# the watch; `list` is for an API server that cannot (the feature WatchList is off).
- apiGroups: [punctual.dev]
  resources: [scheduledtasks]
  verbs: [get, list, watch]
# The ledger.
- apiGroups: [punctual.dev]
  resources: [scheduledtasks/status]
  verbs: [update]
{{- if .Values.rbac.ownerReferences }}
# Not requested: the admission plugin OwnerReferencesPermissionEnforcement asks for it when a Job names its task as owner.
- apiGroups: [punctual.dev]
  resources: [scheduledtasks/finalizers]
  verbs: [update]
{{- end }}
# Jobs are made and deleted, never changed.
- apiGroups: [batch]
  resources: [jobs]
  verbs: [get, list, watch, create, delete]
# How the container of a failed Job ended.
- apiGroups: [""]
  resources: [pods]
  verbs: [list]
# What `kubectl describe` shows.
- apiGroups: [""]
  resources: [events]
  verbs: [create]
{{- end -}}
