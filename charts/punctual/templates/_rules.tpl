{{/*
The operator's rights in the namespaces that it watches: exactly the requests that src/controller sends.
The same rules are used in one ClusterRole, or in a Role of each watched namespace.
*/}}
{{- define "punctual.rules" -}}
# Tasks are watched, and read again after a conflict. They are never written: spec and metadata belong to the user. The watch streams
# the initial list; `list` is used if the API server does not support this (the feature WatchList is disabled).
- apiGroups: [punctual.dev]
  resources: [scheduledtasks]
  verbs: [get, list, watch]
# The ledger.
- apiGroups: [punctual.dev]
  resources: [scheduledtasks/status]
  verbs: [update]
{{- if .Values.rbac.ownerReferences }}
# No request uses it: the admission plugin OwnerReferencesPermissionEnforcement requires it when a Job names its task as owner.
- apiGroups: [punctual.dev]
  resources: [scheduledtasks/finalizers]
  verbs: [update]
{{- end }}
# Jobs are created and deleted, never changed.
- apiGroups: [batch]
  resources: [jobs]
  verbs: [get, list, watch, create, delete]
# How the containers of a failed Job terminated, and why pods do not start.
- apiGroups: [""]
  resources: [pods]
  verbs: [list]
# Events in `kubectl describe`.
- apiGroups: [""]
  resources: [events]
  verbs: [create]
{{- end -}}
