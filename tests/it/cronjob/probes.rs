//! Edge cases, one at a time, with what is expected of CronJob and of us. The decisions are measured on a real API server
//! by the test that reads this table; a difference without a reason here fails it.

use Expect::{Differs, Later, Neither, Taken};
use serde_json::{Value, json};

/// What is expected of one manifest.
#[derive(Clone, Copy, Debug)]
pub enum Expect {
    /// CronJob takes it, and so do we.
    Taken,
    /// Both refuse it at admission; our message has this in it: the field, or the value.
    Neither(&'static str),
    /// CronJob refuses it at admission. No schema knows it, so we say Ready=False, JobRefused, with this in the message.
    Later(&'static str),
    /// We decide otherwise on purpose.
    Differs { cronjob: bool, ours: Ours, why: &'static str },
}

#[derive(Clone, Copy, Debug)]
pub enum Ours {
    Taken,
    /// Refused at admission, with this in the message.
    Refused(&'static str),
    /// Ready=False for this reason.
    NotReady(&'static str),
}

/// Where the fragment of a probe is laid over the manifest.
#[derive(Clone, Copy, Debug)]
pub enum At {
    Root,
    Spec,
    Template,
    Job,
    PodTemplate,
    Pod,
    Container,
}

pub type Probe = (&'static str, At, &'static str, Expect);

/// A CronJob that works, with the fragment laid over it. `ABSENT` takes a field away, `ENDLESS` is a very
/// long text.
pub fn manifest(name: &str, at: At, fragment: &str) -> Value {
    let mut body = json!({
        "apiVersion": "batch/v1",
        "kind": "CronJob",
        "metadata": {"name": name},
        "spec": {"schedule": "0 3 * * *", "jobTemplate": {"spec": {"template": {"spec": {
            "restartPolicy": "Never",
            "containers": [{"name": "main", "image": "example.com/none:1", "command": ["true"]}],
        }}}}},
    });
    let path = match at {
        At::Root => "",
        At::Spec => "/spec",
        At::Template => "/spec/jobTemplate",
        At::Job => "/spec/jobTemplate/spec",
        At::PodTemplate => "/spec/jobTemplate/spec/template",
        At::Pod => "/spec/jobTemplate/spec/template/spec",
        At::Container => "/spec/jobTemplate/spec/template/spec/containers/0",
    };
    let over: Value = serde_yaml::from_str(fragment).unwrap_or_else(|error| panic!("{name}: {error}"));
    lay_over(body.pointer_mut(path).expect("the base has it"), over);
    body
}

fn lay_over(under: &mut Value, over: Value) {
    match (under, over) {
        (Value::Object(under), Value::Object(over)) => {
            for (key, value) in over {
                if value == "ABSENT" {
                    under.remove(&key);
                    continue;
                }
                let value = if value == "ENDLESS" { json!("0 ".repeat(2000)) } else { value };
                lay_over(under.entry(key).or_insert(Value::Null), value);
            }
        }
        (under, over) => *under = over,
    }
}

const OURS_IS_LONGER: &str = "CronJob has 52 characters because its Jobs add 11; ours shorten the name by a hash";
const ACCIDENT: &str = "an accident of robfig's parser, not a schedule that anybody means";
const CRON_ONLY: &str = "CEL cannot know it; told by the Ready condition from the one parser";
const NEVER_MADE: &str = "CronJob takes it, and its controller fails to make any Job; we say so when it is applied";
const DIALECT: &str = "our dialect has more: Sunday as 7, a leading field of seconds";

#[rustfmt::skip]
pub const PROBES: &[Probe] = &[
    // --- Schedule, zone and the other fields of the spec ---
    ("weekday-seven", At::Spec, r#"schedule: "0 3 * * 7""#, Differs { cronjob: false, ours: Ours::Taken, why: DIALECT }),
    ("six-fields", At::Spec, r#"schedule: "30 0 3 * * *""#, Differs { cronjob: false, ours: Ours::Taken, why: DIALECT }),
    ("trailing-comma", At::Spec, r#"schedule: "1, * * * *""#, Differs { cronjob: true, ours: Ours::Refused("minutes"), why: ACCIDENT }),
    ("double-comma", At::Spec, r#"schedule: "1,,2 * * * *""#, Differs { cronjob: true, ours: Ours::Refused("minutes"), why: ACCIDENT }),
    ("plus-sign", At::Spec, r#"schedule: "+5 * * * *""#, Differs { cronjob: true, ours: Ours::Refused("minutes"), why: ACCIDENT }),
    ("star-dash", At::Spec, r#"schedule: "*-foo * * * *""#, Differs { cronjob: true, ours: Ours::Refused("minutes"), why: ACCIDENT }),
    ("range-backwards", At::Spec, r#"schedule: "5-1 * * * *""#, Differs { cronjob: false, ours: Ours::NotReady("InvalidSchedule"), why: CRON_ONLY }),
    ("impossible-date", At::Spec, r#"schedule: "0 0 31 2 *""#, Differs {
        cronjob: true, ours: Ours::NotReady("NeverRuns"), why: "CronJob takes it and never runs it; we take it and say so" }),
    ("every-zero", At::Spec, r#"schedule: "@every 0s""#, Differs {
        cronjob: true, ours: Ours::NotReady("InvalidSchedule"), why: "CronJob makes one second of it" }),
    ("every-half-second", At::Spec, r#"schedule: "@every 500ms""#, Differs {
        cronjob: true, ours: Ours::NotReady("InvalidSchedule"), why: "CronJob makes one second of it" }),
    ("every-negative", At::Spec, r#"schedule: "@every -5m""#, Differs {
        cronjob: true, ours: Ours::Refused("@every"), why: "CronJob makes one second of it" }),
    ("unknown-zone", At::Spec, "timeZone: Europe/Nowhere", Differs { cronjob: false, ours: Ours::NotReady("UnknownTimeZone"), why: CRON_ONLY }),
    ("zone-in-small-letters", At::Spec, "timeZone: europe/paris", Differs {
        cronjob: false, ours: Ours::Taken, why: "IANA names are read in any case" }),
    ("every-five-minutes", At::Spec, r#"schedule: "@every 5m""#, Taken),
    ("every-compound", At::Spec, r#"schedule: "@every 1h30m10s""#, Taken),
    ("question-marks", At::Spec, r#"schedule: "? ? ? ? ?""#, Taken),
    ("open-step", At::Spec, r#"schedule: "0/15 4/2 * * *""#, Taken),
    ("step-beyond-the-field", At::Spec, r#"schedule: "*/90 * * * *""#, Taken),
    ("names-in-any-case", At::Spec, r#"schedule: "0 0 * FEB,nov sUn-Tue,Fri""#, Taken),
    ("mixed-names-and-numbers", At::Spec, r#"schedule: "0 0 * 1-DEC/2 1-Fri""#, Taken),
    ("many-blanks", At::Spec, r#"schedule: "  0\t3   * * *\n""#, Taken),
    ("yearly-word", At::Spec, r#"schedule: "@annually""#, Taken),
    ("reboot", At::Spec, r#"schedule: "@reboot""#, Neither("@reboot")),
    ("capital-daily", At::Spec, r#"schedule: "@Daily""#, Neither("@Daily")),
    ("jenkins-hash", At::Spec, r#"schedule: "H * * * *""#, Differs { cronjob: false, ours: Ours::Taken, why: DIALECT }),
    ("last-day", At::Spec, r#"schedule: "0 0 L * *""#, Differs { cronjob: false, ours: Ours::Taken, why: DIALECT }),
    ("nth-weekday", At::Spec, r#"schedule: "0 0 * * 1#2""#, Differs { cronjob: false, ours: Ours::Taken, why: DIALECT }),
    ("minute-sixty", At::Spec, r#"schedule: "60 * * * *""#, Neither("minutes")),
    ("hour-24", At::Spec, r#"schedule: "0 24 * * *""#, Neither("hours")),
    ("day-zero", At::Spec, r#"schedule: "0 0 0 * *""#, Neither("days of the month")),
    ("month-13", At::Spec, r#"schedule: "0 0 1 13 *""#, Neither("months")),
    ("step-zero", At::Spec, r#"schedule: "*/0 * * * *""#, Neither("minutes")),
    ("four-fields", At::Spec, r#"schedule: "* * * *""#, Neither("five fields")),
    ("zone-in-schedule", At::Spec, r#"schedule: "TZ=Europe/Paris 0 3 * * *""#, Neither("timeZone")),
    ("cron-zone-in-schedule", At::Spec, r#"schedule: "CRON_TZ=UTC 0 3 * * *""#, Neither("timeZone")),
    ("schedule-quoted-twice", At::Spec, r#"schedule: '"0 3 * * *"'"#, Neither("quotes")),
    ("schedule-empty", At::Spec, r#"schedule: """#, Neither("schedule is empty")),
    ("schedule-null", At::Spec, "schedule: null", Neither("spec.schedule")),
    ("schedule-absent", At::Spec, "schedule: ABSENT", Neither("spec.schedule")),
    ("schedule-number", At::Spec, "schedule: 5", Neither("spec.schedule")),
    ("schedule-list", At::Spec, r#"schedule: ["0 3 * * *"]"#, Neither("spec.schedule")),
    ("zone-empty", At::Spec, r#"timeZone: """#, Neither("timeZone")),
    ("zone-local", At::Spec, "timeZone: Local", Neither("timeZone")),
    ("zone-with-blank", At::Spec, r#"timeZone: " Europe/Paris""#, Neither("timeZone")),
    ("zone-dots", At::Spec, r#"timeZone: "../etc/passwd""#, Neither("timeZone")),
    ("zone-null", At::Spec, "timeZone: null", Taken),
    ("zone-old-name", At::Spec, "timeZone: US/Eastern", Taken),
    ("zone-fixed", At::Spec, "timeZone: Etc/GMT+5", Taken),
    ("policy-null", At::Spec, "concurrencyPolicy: null", Taken),
    ("policy-empty", At::Spec, r#"concurrencyPolicy: """#, Taken),
    ("policy-small", At::Spec, "concurrencyPolicy: forbid", Neither("concurrencyPolicy")),
    ("policy-unknown", At::Spec, "concurrencyPolicy: Skip", Neither("concurrencyPolicy")),
    ("suspend-null", At::Spec, "suspend: null", Taken),
    ("suspend-word", At::Spec, r#"suspend: "true""#, Neither("suspend")),
    ("limits-null", At::Spec, "{successfulJobsHistoryLimit: null, failedJobsHistoryLimit: null, startingDeadlineSeconds: null}", Taken),
    ("limits-zero", At::Spec, "{successfulJobsHistoryLimit: 0, failedJobsHistoryLimit: 0, startingDeadlineSeconds: 0}", Taken),
    ("successful-limit-negative", At::Spec, "successfulJobsHistoryLimit: -1", Neither("successfulJobsHistoryLimit")),
    ("failed-limit-negative", At::Spec, "failedJobsHistoryLimit: -1", Neither("failedJobsHistoryLimit")),
    ("failed-limit-word", At::Spec, r#"failedJobsHistoryLimit: "1""#, Neither("failedJobsHistoryLimit")),
    ("failed-limit-fraction", At::Spec, "failedJobsHistoryLimit: 1.5", Neither("failedJobsHistoryLimit")),
    ("limit-too-large", At::Spec, "successfulJobsHistoryLimit: 2147483648", Neither("successfulJobsHistoryLimit")),
    ("deadline-negative", At::Spec, "startingDeadlineSeconds: -1", Neither("startingDeadlineSeconds")),
    ("deadline-word", At::Spec, "startingDeadlineSeconds: 5m", Neither("startingDeadlineSeconds")),
    ("unknown-field", At::Spec, "schedul: x", Neither(r#"unknown field "spec.schedul""#)),
    ("status-empty", At::Root, "status: {}", Taken),
    ("status-of-cronjob", At::Root, "status: {lastScheduleTime: '2026-01-01T00:00:00Z', lastSuccessfulTime: '2026-01-01T00:00:00Z'}", Taken),
    ("creation-timestamp-null", At::Root, "{metadata: {creationTimestamp: null}, status: {}}", Taken),
    ("name-with-dots", At::Root, "metadata: {name: nightly.backup.v2}", Taken),
    ("name-upper-case", At::Root, "metadata: {name: Nightly_Backup}", Neither("metadata.name")),
    ("name-of-52", At::Root, "metadata: {name: a234567890123456789012345678901234567890123456789012}", Taken),
    ("name-of-53", At::Root, "metadata: {name: a2345678901234567890123456789012345678901234567890123}", Differs {
        cronjob: false, ours: Ours::Taken, why: OURS_IS_LONGER }),
    ("own-label-wrong", At::Root, "metadata: {labels: {app: 'not a label'}}", Neither("metadata.labels")),
    ("spec-null", At::Root, "spec: null", Neither("spec")),
    ("spec-absent", At::Root, "spec: ABSENT", Neither("spec")),
    ("spec-list", At::Root, "spec: []", Neither("spec")),
    // --- Job template ---
    ("template-null", At::Spec, "jobTemplate: null", Neither("jobTemplate")),
    ("template-absent", At::Spec, "jobTemplate: ABSENT", Neither("jobTemplate")),
    ("job-spec-null", At::Template, "spec: null", Neither("jobTemplate.spec")),
    ("job-spec-absent", At::Template, "spec: ABSENT", Neither("jobTemplate.spec")),
    ("pod-template-null", At::Job, "template: null", Neither("template")),
    ("pod-template-absent", At::Job, "template: ABSENT", Neither("template")),
    ("pod-spec-null", At::PodTemplate, "spec: null", Neither("template.spec")),
    ("pod-spec-absent", At::PodTemplate, "spec: ABSENT", Neither("template.spec")),
    ("template-metadata-null", At::Template, "metadata: null", Taken),
    ("pod-metadata-null", At::PodTemplate, "metadata: null", Taken),
    ("pod-metadata-nulls", At::PodTemplate, "metadata: {creationTimestamp: null, labels: null, annotations: null}", Taken),
    ("template-metadata-name", At::Template, "metadata: {name: ignored, namespace: elsewhere, generateName: x-}", Taken),
    ("template-metadata-much", At::Template, "metadata: {labels: {a: b, c: ''}, annotations: {'x.io/y': 'any text, also {json}'}, finalizers: [x.io/keep]}", Taken),
    ("job-label-wrong", At::Template, "metadata: {labels: {app: 'not a label'}}", Differs {
        cronjob: true, ours: Ours::NotReady("JobRefused"), why: NEVER_MADE }),
    ("job-label-number", At::Template, "metadata: {labels: {version: 5}}", Neither("labels")),
    ("job-annotation-key-wrong", At::Template, "metadata: {annotations: {'a b': x}}", Differs {
        cronjob: true, ours: Ours::NotReady("JobRefused"), why: NEVER_MADE }),
    ("pod-label-wrong", At::PodTemplate, "metadata: {labels: {app: -x-}}", Later("-x-")),
    ("pod-annotation-bool", At::PodTemplate, "metadata: {annotations: {inject: true}}", Neither("annotations")),
    ("selector", At::Job, "selector: {matchLabels: {a: b}}", Neither("selector")),
    ("manual-selector", At::Job, "manualSelector: true", Neither("manualSelector")),
    ("manual-selector-false", At::Job, "manualSelector: false", Taken),
    ("indexed", At::Job, "{completionMode: Indexed, completions: 3, parallelism: 2}", Taken),
    ("indexed-without-completions", At::Job, "completionMode: Indexed", Neither("completions")),
    ("indexed-misspelt", At::Job, "{completionMode: indexed, completions: 3}", Neither("completionMode")),
    ("backoff-per-index", At::Job, "{completionMode: Indexed, completions: 3, backoffLimitPerIndex: 1, maxFailedIndexes: 1}", Taken),
    ("backoff-per-index-without-indexed", At::Job, "{completions: 3, backoffLimitPerIndex: 1}", Neither("backoffLimitPerIndex")),
    ("max-failed-without-per-index", At::Job, "{completionMode: Indexed, completions: 3, maxFailedIndexes: 1}", Neither("maxFailedIndexes")),
    ("backoff-negative", At::Job, "backoffLimit: -1", Neither("backoffLimit")),
    ("backoff-zero", At::Job, "backoffLimit: 0", Taken),
    ("backoff-word", At::Job, r#"backoffLimit: "3""#, Neither("backoffLimit")),
    ("backoff-null", At::Job, "{backoffLimit: null, completions: null, parallelism: null, suspend: null, completionMode: null, podReplacementPolicy: null}", Taken),
    ("per-index-null", At::Job, "{backoffLimitPerIndex: null, maxFailedIndexes: null, selector: null, manualSelector: null, podFailurePolicy: null}", Taken),
    ("indexed-completions-null", At::Job, "{completionMode: Indexed, completions: null}", Neither("completions")),
    ("parallelism-zero", At::Job, "parallelism: 0", Taken),
    ("parallelism-negative", At::Job, "parallelism: -2", Neither("parallelism")),
    ("completions-negative", At::Job, "completions: -2", Neither("completions")),
    ("ttl-zero", At::Job, "ttlSecondsAfterFinished: 0", Taken),
    ("ttl-negative", At::Job, "ttlSecondsAfterFinished: -1", Neither("ttlSecondsAfterFinished")),
    ("deadline-of-job-negative", At::Job, "activeDeadlineSeconds: -1", Neither("activeDeadlineSeconds")),
    ("deadline-of-job-zero", At::Job, "activeDeadlineSeconds: 0", Taken),
    ("job-suspended", At::Job, "suspend: true", Taken),
    ("replacement-failed", At::Job, "podReplacementPolicy: Failed", Taken),
    ("replacement-unknown", At::Job, "podReplacementPolicy: Always", Neither("podReplacementPolicy")),
    ("failure-policy", At::Job, "podFailurePolicy: {rules: [{action: FailJob, onExitCodes: {operator: In, values: [3, 4]}}]}", Taken),
    ("failure-policy-unsorted", At::Job, "podFailurePolicy: {rules: [{action: FailJob, onExitCodes: {operator: In, values: [4, 3]}}]}", Later("values")),
    ("failure-policy-zero", At::Job, "podFailurePolicy: {rules: [{action: Ignore, onExitCodes: {operator: In, values: [0]}}]}", Later("values")),
    ("failure-policy-action", At::Job, "podFailurePolicy: {rules: [{action: Retry, onExitCodes: {operator: In, values: [3]}}]}", Later("action")),
    ("failure-policy-container", At::Job, "podFailurePolicy: {rules: [{action: Count, onExitCodes: {containerName: nobody, operator: In, values: [3]}}]}", Later("nobody")),
    ("success-of-one-index", At::Job, "{completionMode: Indexed, completions: 2, successPolicy: {rules: [{succeededIndexes: '0'}]}}", Taken),
    ("success-policy-without-indexed", At::Job, "{completions: 2, successPolicy: {rules: [{succeededCount: 1}]}}", Later("successPolicy")),
    ("managed-by", At::Job, "managedBy: example.com/other", Taken),
    ("managed-by-wrong", At::Job, "managedBy: not-prefixed", Later("managedBy")),
    ("unknown-job-field", At::Job, "backofLimit: 1", Neither(r#"unknown field "spec.jobTemplate.spec.backofLimit""#)),
    // --- Pod ---
    ("restart-absent", At::Pod, "restartPolicy: ABSENT", Neither("restartPolicy")),
    ("restart-null", At::Pod, "restartPolicy: null", Neither("restartPolicy")),
    ("restart-always", At::Pod, "restartPolicy: Always", Neither("restartPolicy")),
    ("restart-small", At::Pod, "restartPolicy: never", Neither("restartPolicy")),
    ("restart-on-failure", At::Pod, "restartPolicy: OnFailure", Taken),
    ("containers-empty", At::Pod, "containers: []", Neither("containers")),
    ("containers-null", At::Pod, "containers: null", Neither("containers")),
    ("containers-absent", At::Pod, "containers: ABSENT", Neither("containers")),
    ("containers-object", At::Pod, "containers: {name: main, image: x}", Neither("containers")),
    ("container-names-twice", At::Pod, "containers: [{name: a, image: x}, {name: a, image: y}]", Neither("containers")),
    ("init-and-container-one-name", At::Pod, "initContainers: [{name: main, image: x}]", Later("main")),
    ("volume-names-twice", At::Pod, "volumes: [{name: a, emptyDir: {}}, {name: a, emptyDir: {}}]", Neither("volumes")),
    ("volume-without-source", At::Pod, "volumes: [{name: a}]", Taken),
    ("volume-two-sources", At::Pod, "volumes: [{name: a, emptyDir: {}, hostPath: {path: /x}}]", Later("volumes")),
    ("volume-name-wrong", At::Pod, "volumes: [{name: A_b, emptyDir: {}}]", Later("A_b")),
    ("volume-secret-empty", At::Pod, "volumes: [{name: a, secret: {}}]", Later("secretName")),
    ("volume-config-map-empty", At::Pod, "volumes: [{name: a, configMap: {}}]", Neither("configMap.name")),
    ("volume-mode-octal-text", At::Pod, r#"volumes: [{name: a, configMap: {name: x, defaultMode: "0755"}}]"#, Neither("defaultMode")),
    ("volume-mode-too-large", At::Pod, "volumes: [{name: a, configMap: {name: x, defaultMode: 1000}}]", Later("defaultMode")),
    ("volume-size-fraction", At::Pod, "volumes: [{name: a, emptyDir: {sizeLimit: 0.5}}]", Taken),
    ("volume-size-wrong", At::Pod, "volumes: [{name: a, emptyDir: {sizeLimit: 1GB}}]", Neither("sizeLimit")),
    ("volume-claim-request-number", At::Pod,
        "volumes: [{name: a, ephemeral: {volumeClaimTemplate: {spec: {accessModes: [ReadWriteOnce], resources: {requests: {storage: 1.5e9}}}}}}]", Taken),
    ("volume-projected", At::Pod,
        "volumes: [{name: a, projected: {sources: [{secret: {name: s}}, {configMap: {name: c}}, {downwardAPI: {items: [{path: l, fieldRef: {fieldPath: metadata.labels}}]}}, {serviceAccountToken: {path: t}}]}}]", Taken),
    ("volume-projected-empty", At::Pod, "volumes: [{name: a, projected: {sources: []}}]", Taken),
    ("volume-kinds", At::Pod,
        "volumes: [{name: a, nfs: {server: s, path: /p}}, {name: b, iscsi: {targetPortal: t, iqn: iqn.2001-04.com.example:x, lun: 0}}, {name: c, csi: {driver: d.example.com}}, {name: d, persistentVolumeClaim: {claimName: x}}, {name: e, hostPath: {path: /x, type: ''}}, {name: f, fc: {targetWWNs: [x], lun: 0}}]", Taken),
    ("pull-secret-empty", At::Pod, "imagePullSecrets: [{}]", Taken),
    ("pull-secret-null-name", At::Pod, "imagePullSecrets: [{name: null}]", Taken),
    ("pull-secrets-text", At::Pod, "imagePullSecrets: [regcred]", Neither("imagePullSecrets")),
    ("service-account-old", At::Pod, "serviceAccount: robot", Taken),
    ("service-accounts-differ", At::Pod, "{serviceAccount: robot, serviceAccountName: other}", Taken),
    ("service-account-wrong", At::Pod, "serviceAccountName: Not_Valid", Later("Not_Valid")),
    ("init-containers", At::Pod, "initContainers: [{name: first, image: x}, {name: second, image: y, restartPolicy: Always}]", Taken),
    ("ephemeral-containers", At::Pod, "ephemeralContainers: [{name: debug, image: x}]", Later("ephemeralContainers")),
    ("pod-deadline-zero", At::Pod, "activeDeadlineSeconds: 0", Later("activeDeadlineSeconds")),
    ("grace-negative", At::Pod, "terminationGracePeriodSeconds: -1", Taken),
    ("dns-policy-wrong", At::Pod, "dnsPolicy: First", Later("dnsPolicy")),
    ("host-network", At::Pod, "{hostNetwork: true, hostIPC: true, hostPID: true, dnsPolicy: Default}", Taken),
    ("node-name", At::Pod, "{nodeName: node-1, nodeSelector: {a: b}, schedulerName: mine, priorityClassName: high}", Taken),
    ("node-selector-bool", At::Pod, "nodeSelector: {gpu: true}", Neither("nodeSelector")),
    ("tolerations", At::Pod, "tolerations: [{operator: Exists}, {key: a, effect: NoExecute, tolerationSeconds: 0}]", Taken),
    ("toleration-wrong", At::Pod, "tolerations: [{key: a, operator: Exists, value: b}]", Later("tolerations")),
    ("affinity-empty", At::Pod, "affinity: {nodeAffinity: {}, podAffinity: null}", Taken),
    ("affinity-weight", At::Pod,
        "affinity: {nodeAffinity: {preferredDuringSchedulingIgnoredDuringExecution: [{weight: 0, preference: {matchExpressions: [{key: a, operator: Exists}]}}]}}",
        Later("weight")),
    ("affinity-without-key", At::Pod,
        "affinity: {podAffinity: {requiredDuringSchedulingIgnoredDuringExecution: [{labelSelector: {matchLabels: {a: b}}}]}}", Neither("topologyKey")),
    ("spread", At::Pod, "topologySpreadConstraints: [{maxSkew: 1, topologyKey: zone, whenUnsatisfiable: DoNotSchedule, minDomains: 2}]", Taken),
    ("spread-twice", At::Pod,
        "topologySpreadConstraints: [{maxSkew: 1, topologyKey: zone, whenUnsatisfiable: DoNotSchedule}, {maxSkew: 2, topologyKey: zone, whenUnsatisfiable: DoNotSchedule}]",
        Later("topologySpreadConstraints")),
    ("security", At::Pod, "securityContext: {runAsUser: 0, fsGroupChangePolicy: OnRootMismatch, supplementalGroups: [1], seccompProfile: {type: Localhost, localhostProfile: p.json}}", Taken),
    ("security-user-text", At::Pod, r#"securityContext: {runAsUser: "1000"}"#, Neither("runAsUser")),
    ("security-user-negative", At::Pod, "securityContext: {runAsUser: -1}", Later("runAsUser")),
    ("host-aliases", At::Pod, "hostAliases: [{ip: 10.0.0.1, hostnames: [a.b]}]", Taken),
    ("host-alias-wrong", At::Pod, "hostAliases: [{ip: nowhere, hostnames: [a.b]}]", Later("nowhere")),
    ("overhead", At::Pod, "{runtimeClassName: kata, overhead: {cpu: 0.25, memory: 120Mi}}", Taken),
    ("scheduling-gates", At::Pod, "schedulingGates: [{name: example.com/wait}]", Taken),
    ("readiness-gates", At::Pod, "readinessGates: [{conditionType: example.com/ready}]", Taken),
    ("pod-resources", At::Pod, "resources: {requests: {cpu: 0.5}, limits: {cpu: 1}}", Taken),
    ("unknown-pod-field", At::Pod, "restartpolicy: Never", Neither("restartpolicy")),
    // --- Container ---
    ("name-absent", At::Container, "name: ABSENT", Neither("containers[0].name")),
    ("container-name-null", At::Container, "name: null", Neither("name")),
    ("container-name-upper", At::Container, "name: Main", Later("Main")),
    ("image-absent", At::Container, "image: ABSENT", Later("image")),
    ("image-null", At::Container, "image: null", Later("image")),
    ("image-empty", At::Container, r#"image: """#, Later("image")),
    ("image-blank", At::Container, r#"image: " busybox""#, Taken),
    ("pull-policy-wrong", At::Container, "imagePullPolicy: Sometimes", Later("imagePullPolicy")),
    ("command-text", At::Container, "command: echo hello", Neither("command")),
    ("command-number", At::Container, "command: [sleep, 5]", Neither("command")),
    ("args-bool", At::Container, "args: [--verbose, true]", Neither("args")),
    ("command-null", At::Container, "{command: null, args: null, env: null, volumeMounts: null, resources: null}", Taken),
    ("env-twice", At::Container, "env: [{name: A, value: '1'}, {name: A, value: '2'}]", Taken),
    ("env-null", At::Container, "env: [{name: A, value: null}, {name: B}]", Taken),
    ("env-number", At::Container, "env: [{name: A, value: 5}]", Neither("env")),
    ("env-bool", At::Container, "env: [{name: A, value: true}]", Neither("env")),
    ("env-map", At::Container, "env: {A: b}", Neither("env")),
    ("env-without-name", At::Container, "env: [{value: b}]", Neither("name")),
    ("env-name-dash", At::Container, "env: [{name: my-var.x, value: b}]", Taken),
    ("env-name-equals", At::Container, "env: [{name: A=B, value: b}]", Later("A=B")),
    ("env-value-and-from", At::Container, "env: [{name: A, value: x, valueFrom: {fieldRef: {fieldPath: metadata.name}}}]", Later("valueFrom")),
    ("env-from-nothing", At::Container, "env: [{name: A, valueFrom: {}}]", Later("valueFrom")),
    ("env-from-field-unknown", At::Container, "env: [{name: A, valueFrom: {fieldRef: {fieldPath: metadata.foo}}}]", Later("metadata.foo")),
    ("env-from-key-missing", At::Container, "env: [{name: A, valueFrom: {secretKeyRef: {name: s}}}]", Neither("key")),
    ("env-from", At::Container, "envFrom: [{configMapRef: {name: c}}, {prefix: X_, secretRef: {name: s, optional: true}}]", Taken),
    ("env-from-resource", At::Container, "env: [{name: A, valueFrom: {resourceFieldRef: {resource: limits.memory, divisor: 1}}}]", Taken),
    ("cpu-fraction", At::Container, "resources: {limits: {cpu: 0.5}}", Taken),
    ("cpu-number", At::Container, "resources: {limits: {cpu: 1}, requests: {cpu: 1, memory: 1073741824}}", Taken),
    ("cpu-exponent", At::Container, "resources: {requests: {memory: 1e3, cpu: 1e-1}}", Taken),
    ("cpu-null", At::Container, "resources: {requests: {cpu: null}}", Taken),
    ("cpu-bool", At::Container, "resources: {limits: {cpu: true}}", Neither("cpu")),
    ("cpu-list", At::Container, "resources: {limits: {cpu: [1]}}", Neither("cpu")),
    ("cpu-object", At::Container, "resources: {limits: {cpu: {value: 1}}}", Neither("cpu")),
    ("cpu-empty", At::Container, r#"resources: {limits: {cpu: ""}}"#, Neither("cpu")),
    ("cpu-negative", At::Container, "resources: {limits: {cpu: -1}}", Later("cpu")),
    ("cpu-request-above-limit", At::Container, "resources: {requests: {cpu: 2}, limits: {cpu: 1}}", Later("cpu")),
    ("memory-megabytes", At::Container, "resources: {limits: {memory: 64MB}}", Neither("memory")),
    ("memory-small-m", At::Container, "resources: {limits: {memory: 64Mb}}", Neither("memory")),
    ("memory-blank", At::Container, r#"resources: {limits: {memory: "64 Mi"}}"#, Neither("memory")),
    ("resource-unknown", At::Container, "resources: {limits: {gpu: 1}}", Later("gpu")),
    ("resource-extended", At::Container, "resources: {limits: {nvidia.com/gpu: 1}}", Taken),
    ("resource-extended-fraction", At::Container, "resources: {limits: {nvidia.com/gpu: 0.5}}", Later("nvidia.com/gpu")),
    ("ports", At::Container, "ports: [{containerPort: 80}, {containerPort: 80, protocol: UDP}, {containerPort: 81, protocol: null, name: x}]", Taken),
    ("port-twice", At::Container, "ports: [{containerPort: 80, name: a}, {containerPort: 80, name: b}]", Differs {
        cronjob: true, ours: Ours::Refused("ports"), why: "ports merge by number and protocol in server-side apply, so they must be unique; CronJob takes and warns" }),
    ("port-text", At::Container, r#"ports: [{containerPort: "80"}]"#, Neither("containerPort")),
    ("port-too-large", At::Container, "ports: [{containerPort: 70000}]", Later("containerPort")),
    ("port-name-long", At::Container, "ports: [{containerPort: 80, name: a-name-that-is-too-long}]", Later("ports")),
    ("mount-without-volume", At::Container, "volumeMounts: [{name: nothing, mountPath: /x}]", Later("nothing")),
    ("mount-path-absent", At::Container, "volumeMounts: [{name: nothing}]", Neither("mountPath")),
    ("mount-path-twice", At::Container, "volumeMounts: [{name: n, mountPath: /x}, {name: n, mountPath: /x}]", Later("mountPath")),
    ("probe-port-name", At::Container, "{ports: [{containerPort: 80, name: http}], livenessProbe: {httpGet: {port: http}}}", Taken),
    ("probe-port-number", At::Container, "readinessProbe: {tcpSocket: {port: 80}, periodSeconds: 5}", Taken),
    ("probe-without-handler", At::Container, "livenessProbe: {periodSeconds: 5}", Later("livenessProbe")),
    ("probe-two-handlers", At::Container, "livenessProbe: {exec: {command: [x]}, tcpSocket: {port: 80}}", Later("livenessProbe")),
    ("capabilities", At::Container, "securityContext: {capabilities: {add: [NET_ADMIN], drop: [ALL]}, procMount: Default, privileged: null}", Taken),
    ("privileged-without-escalation", At::Container, "securityContext: {privileged: true, allowPrivilegeEscalation: false}", Later("allowPrivilegeEscalation")),
    ("lifecycle-empty", At::Container, "lifecycle: {}", Taken),
    ("restart-of-container", At::Container, "restartPolicy: Always", Taken),
    ("termination-policy-wrong", At::Container, "terminationMessagePolicy: Logs", Later("terminationMessagePolicy")),
    ("unknown-container-field", At::Container, "enviroment: []", Neither("enviroment")),
];
