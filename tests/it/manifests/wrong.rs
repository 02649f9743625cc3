//! Kinds of wrong manifest: where each is told, and in which words. A message names the field or the value, and the way out.

use crate::cronjob::probes::At;

/// Where it is told, with what must stand in the message.
#[derive(Clone, Copy, Debug)]
pub enum Told {
    /// By the API server, when it is applied.
    AtAdmission(&'static [&'static str]),
    /// By `Ready=False` for this reason.
    InReady(&'static str, &'static [&'static str]),
}

use Told::{AtAdmission as Admission, InReady as Ready};

const FIVE_FIELDS: &str = "must have five fields (minute hour day-of-month month day-of-week), or six with leading seconds";
const MINUTES: &str = r#"minutes (and leading seconds) are numbers from 0 to 59, ranges "0-29", lists "0,30" or steps "*/15""#;
const HOURS: &str = r#"hours are numbers from 0 to 23, ranges "9-17", lists "6,18" or steps "*/2""#;
const DAYS: &str = r#"days of the month are numbers from 1 to 31, ranges "1-7", lists "1,15" or steps "*/2""#;
const MONTHS: &str = "months are numbers from 1 to 12 or names of three letters, JAN to DEC";
const WEEKDAYS: &str = "days of the week are numbers from 0 to 7 (0 and 7 are Sunday) or names of three letters, SUN to SAT";
const MACROS: &str = r#"is not known: @hourly, @daily, @midnight, @weekly, @monthly, @yearly, @annually (lower case) and @every with a duration such as "@every 90m""#;
const REFUSED: &str = "JobRefused";

/// Name, place, fragment laid over a task that works, and where it is told.
#[rustfmt::skip]
pub const WRONG: &[(&str, At, &str, Told)] = &[
    // --- The schedule: refused by CEL ---
    ("empty", At::Spec, r#"schedule: """#, Admission(&["spec.schedule", r#"schedule is empty: write five fields, such as "30 2 * * *" (02:30 every day), or "@daily""#])),
    ("blank", At::Spec, r#"schedule: "  \t ""#, Admission(&["schedule is empty"])),
    ("missing", At::Spec, "schedule: ABSENT", Admission(&["spec.schedule: ", "set exactly one of schedule and schedules"])),
    ("a-number", At::Spec, "schedule: 5", Admission(&["spec.schedule", "must be of type string", "integer"])),
    ("prose", At::Spec, "schedule: every day at noon please", Admission(&[r#"schedule "every day at noon please""#])),
    ("four-fields", At::Spec, r#"schedule: "* * * *""#, Admission(&[r#"schedule "* * * *" "#, FIVE_FIELDS])),
    ("seven-fields", At::Spec, r#"schedule: "0 0 0 1 1 ? 2027""#, Admission(&[FIVE_FIELDS])),
    ("minute-60", At::Spec, r#"schedule: "60 * * * *""#, Admission(&[r#"schedule "60 * * * *": "#, MINUTES])),
    ("second-60", At::Spec, r#"schedule: "60 0 * * * *""#, Admission(&[MINUTES])),
    ("hour-24", At::Spec, r#"schedule: "0 24 * * *""#, Admission(&[HOURS])),
    ("day-32", At::Spec, r#"schedule: "0 0 32 * *""#, Admission(&[DAYS])),
    ("day-0", At::Spec, r#"schedule: "0 0 0 * *""#, Admission(&[DAYS])),
    ("month-13", At::Spec, r#"schedule: "0 0 1 13 *""#, Admission(&[MONTHS])),
    ("month-in-full", At::Spec, r#"schedule: "0 0 1 January *""#, Admission(&[MONTHS])),
    ("weekday-8", At::Spec, r#"schedule: "0 0 * * 8""#, Admission(&[WEEKDAYS])),
    ("weekday-in-full", At::Spec, r#"schedule: "0 0 * * Monday""#, Admission(&[WEEKDAYS])),
    ("last-day", At::Spec, r#"schedule: "0 0 L * *""#, Admission(&[DAYS])),
    ("jenkins", At::Spec, r#"schedule: "H 2 * * *""#, Admission(&[r#"schedule "H 2 * * *": "#, MINUTES])),
    ("step-zero", At::Spec, r#"schedule: "*/0 * * * *""#, Admission(&[MINUTES])),
    ("open-list", At::Spec, r#"schedule: "1, * * * *""#, Admission(&[MINUTES])),
    ("minus", At::Spec, r#"schedule: "-5 * * * *""#, Admission(&[MINUTES])),
    ("reboot", At::Spec, r#"schedule: "@reboot""#, Admission(&[r#"schedule "@reboot" "#, MACROS])),
    ("capital", At::Spec, r#"schedule: "@Daily""#, Admission(&[MACROS])),
    ("every-nothing", At::Spec, r#"schedule: "@every""#, Admission(&[MACROS])),
    ("every-day", At::Spec, r#"schedule: "@every 1d""#, Admission(&[MACROS])),
    ("zone-inside", At::Spec, r#"schedule: "TZ=Europe/Paris 0 3 * * *""#, Admission(&["names a zone: take TZ=… out and set spec.timeZone instead"])),
    ("quoted-twice", At::Spec, r#"schedule: "'0 3 * * *'""#, Admission(&["has quotes inside: take the inner ones away"])),
    ("endless", At::Spec, "schedule: ENDLESS", Admission(&["spec.schedule: Too long"])),
    // --- The schedule: told by Ready, from the one parser ---
    ("backwards", At::Spec, r#"schedule: "5-1 * * * *""#, Ready("InvalidSchedule", &["minute range \"5-1\" runs backwards; write two items"])),
    ("weekend-backwards", At::Spec, r#"schedule: "0 0 * * fri-mon""#, Ready("InvalidSchedule", &["day of week", "fri-mon", "backwards"])),
    ("february-31", At::Spec, r#"schedule: "0 0 31 2 *""#, Ready("NeverRuns", &["\"0 0 31 2 *\"", "never runs", "mend day of month or month"])),
    ("every-zero", At::Spec, r#"schedule: "@every 0s""#, Ready("InvalidSchedule", &["\"0s\" is shorter than a second; write a duration of whole seconds"])),
    ("every-half", At::Spec, r#"schedule: "@every 500ms""#, Ready("InvalidSchedule", &["shorter than a second"])),
    ("every-too-long", At::Spec, r#"schedule: "@every 99999999999h""#, Ready("InvalidSchedule", &["99999999999h"])),
    // --- The zone ---
    ("zone-empty", At::Spec, r#"timeZone: """#, Admission(&["timeZone is empty: leave it out for UTC, or name a zone such as Europe/Paris"])),
    ("zone-local", At::Spec, "timeZone: Local", Admission(&[r#"timeZone "Local" would be the zone of whatever machine runs the operator"#])),
    ("zone-blank", At::Spec, r#"timeZone: " Europe/Paris""#, Admission(&[r#"timeZone " Europe/Paris" is no name of a zone: name one from the IANA list"#])),
    ("zone-path", At::Spec, "timeZone: ../../etc/passwd", Admission(&["is no name of a zone"])),
    ("zone-long", At::Spec, "timeZone: Aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa/Bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb", Admission(&["spec.timeZone: Too long"])),
    ("zone-unknown", At::Spec, "timeZone: Europe/Pariss", Ready("UnknownTimeZone", &["\"Europe/Pariss\"", "Europe/Paris"])),
    ("zone-abbreviated", At::Spec, "timeZone: PST", Ready("UnknownTimeZone", &["\"PST\"", "is not known"])),
    ("zone-offset", At::Spec, "timeZone: UTC+2", Ready("UnknownTimeZone", &["\"UTC+2\""])),
    // --- The other fields of the task ---
    ("policy", At::Spec, "concurrencyPolicy: Serial", Admission(&["spec.concurrencyPolicy", r#""Serial""#, r#""Allow", "Forbid", "Replace""#])),
    ("missed-policy", At::Spec, "missedRunPolicy: Some", Admission(&["spec.missedRunPolicy", r#""Latest", "None", "All""#])),
    ("missed-limit-alone", At::Spec, "missedRunLimit: 3", Admission(&["missedRunLimit limits missedRunPolicy: All; set that policy, or leave the limit out"])),
    ("missed-limit-zero", At::Spec, "{missedRunPolicy: All, missedRunLimit: 0}", Admission(&["spec.missedRunLimit", "greater than or equal to 1"])),
    ("missed-limit-large", At::Spec, "{missedRunPolicy: All, missedRunLimit: 1001}", Admission(&["spec.missedRunLimit", "less than or equal to 1000"])),
    ("history-negative", At::Spec, "failedJobsHistoryLimit: -1", Admission(&["spec.failedJobsHistoryLimit", "greater than or equal to 0"])),
    ("run-history-large", At::Spec, "runHistoryLimit: 101", Admission(&["spec.runHistoryLimit", "less than or equal to 100"])),
    ("deadline-duration", At::Spec, "startingDeadlineSeconds: 5m", Admission(&["spec.startingDeadlineSeconds", "type integer"])),
    ("suspend-word", At::Spec, r#"suspend: "yes""#, Admission(&["spec.suspend", "type boolean"])),
    ("context", At::Spec, "runContext: All", Admission(&["spec.runContext", r#""Env", "None""#])),
    ("gap", At::Spec, "daylightSaving: {gap: RunBefore}", Admission(&["spec.daylightSaving.gap", r#""RunAfter", "Skip""#])),
    ("overlap-unknown", At::Spec, "daylightSaving: {overlaps: Both}", Admission(&[r#"unknown field "spec.daylightSaving.overlaps""#])),
    ("misspelt", At::Spec, "timezone: Europe/Paris", Admission(&[r#"unknown field "spec.timezone""#])),
    ("name", At::Root, "metadata: {name: Not_A_Name}", Admission(&["metadata.name", "lowercase RFC 1123"])),
    ("spec-gone", At::Root, "spec: ABSENT", Admission(&["spec: Required value"])),
    // --- The template: refused by the schema ---
    ("template-gone", At::Spec, "jobTemplate: ABSENT", Admission(&["spec.jobTemplate: Required value"])),
    ("job-spec-gone", At::Template, "spec: null", Admission(&["spec.jobTemplate.spec: Required value"])),
    ("restart-gone", At::Pod, "restartPolicy: ABSENT", Admission(&["template.spec.restartPolicy: Required value: write OnFailure", "or Never"])),
    ("restart-always", At::Pod, "restartPolicy: Always", Admission(&["restartPolicy", r#""Always""#, r#""OnFailure", "Never""#])),
    ("no-containers", At::Pod, "containers: []", Admission(&["template.spec.containers", "at least 1 items"])),
    ("same-container", At::Pod, "containers: [{name: a, image: x}, {name: a, image: y}]", Admission(&["containers[1]: Duplicate value", "a"])),
    ("command-text", At::Container, "command: echo hello", Admission(&["containers[0].command", "type array"])),
    ("env-number", At::Container, "env: [{name: PORT, value: 80}]", Admission(&["containers[0].env[0].value", "type string"])),
    ("megabytes", At::Container, "resources: {limits: {memory: 64MB}}", Admission(&["containers[0].resources.limits.memory", r#""64MB""#])),
    ("misspelt-deep", At::Container, "enviroment: []", Admission(&[r#"unknown field "spec.jobTemplate.spec.template.spec.containers[0].enviroment""#])),
    ("selector", At::Job, "selector: {matchLabels: {a: b}}", Admission(&["spec.jobTemplate.spec.selector: Forbidden", "take it out of jobTemplate.spec"])),
    ("manual-selector", At::Job, "manualSelector: true", Admission(&["spec.jobTemplate.spec.manualSelector: Forbidden", "take it out"])),
    ("indexed", At::Job, "completionMode: Indexed", Admission(&["spec.jobTemplate.spec.completions", "say how many indexes there are"])),
    ("mode", At::Job, "completionMode: indexed", Admission(&["spec.jobTemplate.spec.completionMode", r#""indexed" is not known: write NonIndexed or Indexed"#])),
    ("per-index", At::Job, "backoffLimitPerIndex: 1", Admission(&["spec.jobTemplate.spec.backoffLimitPerIndex", "needs completionMode: Indexed"])),
    ("backoff", At::Job, "backoffLimit: -1", Admission(&["spec.jobTemplate.spec.backoffLimit", "greater than or equal to 0"])),
    // --- The template: what only Kubernetes knows, told by the dry run ---
    ("no-image", At::Container, "image: ABSENT", Ready(REFUSED, &["the API server would refuse the Job", "containers[0].image: Required value"])),
    ("mount", At::Container, "volumeMounts: [{name: data, mountPath: /data}]", Ready(REFUSED, &["volumeMounts[0].name: Not found: \"data\""])),
    ("job-label", At::Template, "metadata: {labels: {owner: 'me & you'}}", Ready(REFUSED, &["metadata.labels", "\"me & you\""])),
    ("pod-label", At::PodTemplate, "metadata: {labels: {owner: 'me & you'}}", Ready(REFUSED, &["labels", "\"me & you\""])),
    ("container-name", At::Container, "name: Main", Ready(REFUSED, &["containers[0].name", "\"Main\""])),
    ("init-same-name", At::Pod, "initContainers: [{name: main, image: x}]", Ready(REFUSED, &["Duplicate value: \"main\""])),
    ("failure-policy", At::Job, "{podFailurePolicy: {rules: [{action: FailJob, onExitCodes: {operator: In, values: [1]}}]}, template: {spec: {restartPolicy: OnFailure}}}",
        Ready(REFUSED, &["restartPolicy", "OnFailure"])),
    ("secret-empty", At::Pod, "volumes: [{name: a, secret: {}}]", Ready(REFUSED, &["volumes[0].secret.secretName: Required value"])),
    ("cpu-inverted", At::Container, "resources: {requests: {cpu: 2}, limits: {cpu: 1}}", Ready(REFUSED, &["must be less than or equal to cpu limit"])),
    ("cpu-negative", At::Container, "resources: {limits: {cpu: -1}}", Ready(REFUSED, &["limits[cpu]", "-1"])),
    ("field-path", At::Container, "env: [{name: A, valueFrom: {fieldRef: {fieldPath: metadata.foo}}}]", Ready(REFUSED, &["field label not supported: metadata.foo"])),
    ("pull-policy", At::Container, "imagePullPolicy: Sometimes", Ready(REFUSED, &["\"Sometimes\"", "\"Always\", \"IfNotPresent\", \"Never\""])),
    ("port", At::Container, "ports: [{containerPort: 70000}]", Ready(REFUSED, &["containerPort", "70000"])),
];
