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
const WRONG_SCHEDULE: &str = "InvalidSchedule";
const NO_DURATION: &str = r#"is no duration of a second or more: write "90s", "15m" or "1h30m""#;
const ONE_OF: &str = "set exactly one of schedule and schedules";
const ONE_KIND: &str = "an entry of exclude is either a schedule, or an interval with from and until";
const NO_MOMENT: &str =
    "is neither an instant, nor a local time, nor a date; write 2026-12-24T18:00:00Z, 2026-12-24T18:00:00 or 2026-12-24";

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
    // --- What only Jenkins and Quartz know ---
    ("last-hour", At::Spec, r#"schedule: "0 L * * *""#, Admission(&[HOURS])),
    ("last-31", At::Spec, r#"schedule: "0 0 L-31 * *""#, Admission(&[r#"schedule "0 0 L-31 * *": "#, DAYS, r#"or "L" (last), "L-3", "LW", "15W""#])),
    ("weekday-32", At::Spec, r#"schedule: "0 0 32W * *""#, Admission(&[DAYS])),
    ("sixth-friday", At::Spec, r#"schedule: "0 0 * * FRI#6""#, Admission(&[WEEKDAYS, r##"or "FRI#2" (second Friday), "FRIL" (last), "H""##])),
    ("hash-backwards", At::Spec, r#"schedule: "H(30-10) * * * *""#, Ready(WRONG_SCHEDULE, &["H(30-10) * * * *", "backwards"])),
    ("hash-beyond", At::Spec, r#"schedule: "H(0-90) * * * *""#, Ready(WRONG_SCHEDULE, &["H(0-90) * * * *", "90", "0-59"])),
    ("hash-open", At::Spec, r#"schedule: "H( * * * *""#, Admission(&[MINUTES, r#"or hashed "H", "H(0-29)", "H/15""#])),
    // --- Several schedules ---
    ("schedules-text", At::Spec, r#"{schedule: ABSENT, schedules: "0 3 * * *"}"#, Admission(&["spec.schedules", "type array"])),
    ("schedules-none", At::Spec, "{schedule: ABSENT, schedules: []}", Admission(&["spec.schedules", "at least 1 items"])),
    ("schedules-second", At::Spec, r#"{schedule: ABSENT, schedules: ["0 3 * * *", "0 24 * * *"]}"#, Admission(&["spec.schedules[1]", r#"schedule "0 24 * * *": "#, HOURS])),
    ("schedules-reboot", At::Spec, r#"{schedule: ABSENT, schedules: ["@reboot"]}"#, Admission(&["spec.schedules[0]", r#"schedule "@reboot" "#, MACROS])),
    ("schedules-backwards", At::Spec, r#"{schedule: ABSENT, schedules: ["@yearly", "5-1 * * * *"]}"#, Ready(WRONG_SCHEDULE, &["schedules[1] \"5-1 * * * *\"", "runs backwards; write two items"])),
    ("schedules-never", At::Spec, r#"{schedule: ABSENT, schedules: ["@yearly", "0 0 30 2 *"]}"#, Ready("NeverRuns", &["schedules[1] \"0 0 30 2 *\": never runs", "mend day of month or month"])),
    ("schedules-eleven", At::Spec, r#"{schedule: ABSENT, schedules: [a, b, c, d, e, f, g, h, i, j, k]}"#, Admission(&["spec.schedules", "at most 10 items"])),
    ("schedule-and-schedules", At::Spec, r#"schedules: ["0 4 * * *"]"#, Admission(&["spec.schedule", ONE_OF])),
    ("schedule-null", At::Spec, "schedule: null", Admission(&["spec.schedule", ONE_OF])),
    // --- Jitter, life and blackouts ---
    ("jitter-number", At::Spec, "jitter: 300", Admission(&["spec.jitter", "type string", "integer"])),
    ("jitter-prose", At::Spec, "jitter: 5 minutes", Admission(&["spec.jitter", r#"jitter "5 minutes" "#, NO_DURATION])),
    ("jitter-none", At::Spec, "jitter: 0s", Admission(&[r#"jitter "0s" "#, NO_DURATION])),
    ("jitter-negative", At::Spec, "jitter: -5m", Admission(&[r#"jitter "-5m" "#, NO_DURATION])),
    ("jitter-fraction", At::Spec, "jitter: 1500ms", Ready(WRONG_SCHEDULE, &["jitter", "is not a whole number of seconds; write a duration such as 30s or 5m"])),
    ("jitter-long", At::Spec, r#"{schedule: "*/5 * * * *", jitter: 10m}"#, Ready(WRONG_SCHEDULE, &["jitter \"10m\": is longer than the 5m that lie between two slots; write at most 5m"])),
    ("start-prose", At::Spec, "startAt: tomorrow", Admission(&["spec.startAt", r#""tomorrow""#, "date-time"])),
    ("start-date", At::Spec, r#"startAt: "2027-02-01""#, Admission(&["spec.startAt", r#""2027-02-01""#, "date-time"])),
    ("start-number", At::Spec, "startAt: 2027", Admission(&["spec.startAt", "date-time"])),
    ("end-prose", At::Spec, "endAt: never", Admission(&["spec.endAt", r#""never""#, "date-time"])),
    ("end-without-zone", At::Spec, r#"endAt: "2027-02-01T10:00:00""#, Admission(&["spec.endAt", r#""2027-02-01T10:00:00""#, "date-time"])),
    ("end-february-30", At::Spec, r#"endAt: "2027-02-30T10:00:00Z""#, Admission(&["spec.endAt", r#""2027-02-30T10:00:00Z""#, "date-time"])),
    ("end-before-start", At::Spec, r#"{startAt: "2027-02-01T00:00:00Z", endAt: "2027-01-01T00:00:00Z"}"#, Admission(&["endAt must be after startAt; mend one of them, or leave it out"])),
    ("end-is-start", At::Spec, r#"{startAt: "2027-02-01T00:00:00Z", endAt: "2027-02-01T01:00:00+01:00"}"#, Admission(&["endAt must be after startAt"])),
    ("life-too-short", At::Spec, r#"{startAt: "2027-02-01T00:00:00Z", endAt: "2027-02-02T00:00:00Z"}"#, Ready("NeverRuns", &["\"0 0 1 1 *\": never runs", "startAt", "endAt"])),
    ("exclude-text", At::Spec, r#"exclude: "* 22 * * *""#, Admission(&["spec.exclude", "type array"])),
    ("exclude-nothing", At::Spec, "exclude: [{}]", Admission(&["spec.exclude[0]", ONE_KIND])),
    ("exclude-both", At::Spec, r#"exclude: [{schedule: "* 22 * * *", from: "2027-02-01", until: "2027-02-02"}]"#, Admission(&["spec.exclude[0]", ONE_KIND])),
    ("exclude-half", At::Spec, r#"exclude: [{from: "2027-02-01"}]"#, Admission(&["spec.exclude[0]", ONE_KIND])),
    ("exclude-other-half", At::Spec, r#"exclude: [{until: "2027-02-01"}]"#, Admission(&["spec.exclude[0]", ONE_KIND])),
    ("exclude-hour-25", At::Spec, r#"exclude: [{schedule: "* 25 * * *"}]"#, Ready(WRONG_SCHEDULE, &["exclude[0].schedule \"* 25 * * *\": hour 25 is out of range 0-23"])),
    ("exclude-every", At::Spec, r#"exclude: [{schedule: "@every 5m"}]"#, Ready(WRONG_SCHEDULE, &["exclude[0].schedule \"@every 5m\"", "write a crontab, such as * 22-23 * * *, or an interval of from and until"])),
    ("exclude-no-day", At::Spec, r#"exclude: [{schedule: "* * 30 2 *"}]"#, Ready(WRONG_SCHEDULE, &["exclude[0].schedule \"* * 30 2 *\": excludes nothing", "mend day of month or month"])),
    ("exclude-empty", At::Spec, r#"exclude: [{schedule: ""}]"#, Ready(WRONG_SCHEDULE, &["exclude[0].schedule \"\"", "empty"])),
    ("exclude-from-prose", At::Spec, r#"exclude: [{from: Christmas, until: "2027-12-27"}]"#, Ready(WRONG_SCHEDULE, &["exclude[0].from \"Christmas\"", NO_MOMENT])),
    ("exclude-from-30", At::Spec, r#"exclude: [{from: "2027-02-30", until: "2027-12-27"}]"#, Ready(WRONG_SCHEDULE, &["exclude[0].from \"2027-02-30\"", NO_MOMENT])),
    ("exclude-from-number", At::Spec, r#"exclude: [{from: 2027, until: "2027-12-27"}]"#, Admission(&["spec.exclude[0].from", "type string"])),
    ("exclude-until-prose", At::Spec, r#"exclude: [{from: "2027-12-24", until: New Year}]"#, Ready(WRONG_SCHEDULE, &["exclude[0].until \"New Year\"", NO_MOMENT])),
    ("exclude-until-before", At::Spec, r#"exclude: [{from: "2027-12-24", until: "2027-12-23"}]"#, Ready(WRONG_SCHEDULE, &["exclude[0].until \"2027-12-23\": is not after from (2027-12-24)"])),
    ("exclude-until-same", At::Spec, r#"exclude: [{from: "2027-12-24", until: "2027-12-24"}]"#, Ready(WRONG_SCHEDULE, &["exclude[0].until", "for one whole day write the next date"])),
    ("exclude-all", At::Spec, r#"exclude: [{schedule: "* * * * *"}]"#, Ready("NeverRuns", &["\"0 0 1 1 *\": never runs", "exclude"])),
    ("exclude-zone", At::Spec, r#"exclude: [{schedule: "* 22 * * *", timeZone: UTC}]"#, Admission(&[r#"unknown field "spec.exclude[0].timeZone""#])),
    // --- Runs that meet ---
    ("policy-small", At::Spec, "concurrencyPolicy: queue", Admission(&["spec.concurrencyPolicy", r#""queue""#, r#""Allow", "Forbid", "Replace", "Queue""#])),
    ("policy-number", At::Spec, "concurrencyPolicy: 1", Admission(&["spec.concurrencyPolicy", "type string"])),
    ("queue-limit-alone", At::Spec, "queueLimit: 3", Admission(&["queueLimit limits concurrencyPolicy: Queue; set that policy, or leave the limit out"])),
    ("queue-limit-forbid", At::Spec, "{concurrencyPolicy: Forbid, queueLimit: 3}", Admission(&["queueLimit limits concurrencyPolicy: Queue"])),
    ("queue-limit-zero", At::Spec, "{concurrencyPolicy: Queue, queueLimit: 0}", Admission(&["spec.queueLimit", "greater than or equal to 1"])),
    ("queue-limit-large", At::Spec, "{concurrencyPolicy: Queue, queueLimit: 101}", Admission(&["spec.queueLimit", "less than or equal to 100"])),
    ("queue-limit-word", At::Spec, "{concurrencyPolicy: Queue, queueLimit: ten}", Admission(&["spec.queueLimit", "type integer"])),
    ("room-forbid", At::Spec, "{concurrencyPolicy: Forbid, maxConcurrentRuns: 2}", Admission(&["maxConcurrentRuns is for concurrencyPolicy Allow and Queue", "leave it out"])),
    ("room-replace", At::Spec, "{concurrencyPolicy: Replace, maxConcurrentRuns: 1}", Admission(&["maxConcurrentRuns is for concurrencyPolicy Allow and Queue", "leave it out"])),
    ("room-zero", At::Spec, "maxConcurrentRuns: 0", Admission(&["spec.maxConcurrentRuns", "greater than or equal to 1"])),
    ("room-large", At::Spec, "maxConcurrentRuns: 1001", Admission(&["spec.maxConcurrentRuns", "less than or equal to 1000"])),
    ("room-word", At::Spec, "maxConcurrentRuns: two", Admission(&["spec.maxConcurrentRuns", "type integer"])),
    // --- Retries ---
    ("retry-number", At::Spec, "retryPolicy: 3", Admission(&["spec.retryPolicy", "type object"])),
    ("retry-without-limit", At::Spec, "retryPolicy: {delay: 5m}", Admission(&["spec.retryPolicy.limit: Required value"])),
    ("retry-misspelt", At::Spec, "retryPolicy: {limit: 3, backoff: 5m}", Admission(&[r#"unknown field "spec.retryPolicy.backoff""#])),
    ("retry-limit-negative", At::Spec, "retryPolicy: {limit: -1}", Admission(&["spec.retryPolicy.limit", "greater than or equal to 0"])),
    ("retry-limit-large", At::Spec, "retryPolicy: {limit: 101}", Admission(&["spec.retryPolicy.limit", "less than or equal to 100"])),
    ("retry-limit-text", At::Spec, r#"retryPolicy: {limit: "3"}"#, Admission(&["spec.retryPolicy.limit", "type integer"])),
    ("delay-number", At::Spec, "retryPolicy: {limit: 3, delay: 30}", Admission(&["spec.retryPolicy.delay", "type string"])),
    ("delay-days", At::Spec, "retryPolicy: {limit: 3, delay: 1d}", Admission(&["spec.retryPolicy.delay", r#"delay "1d" "#, NO_DURATION])),
    ("delay-none", At::Spec, "retryPolicy: {limit: 3, delay: 0s}", Admission(&[r#"delay "0s" "#, NO_DURATION])),
    ("delay-short", At::Spec, "retryPolicy: {limit: 3, delay: 500ms}", Admission(&[r#"delay "500ms" "#, NO_DURATION])),
    ("factor-zero", At::Spec, "retryPolicy: {limit: 3, factor: 0}", Admission(&["spec.retryPolicy.factor", "greater than or equal to 1"])),
    ("factor-large", At::Spec, "retryPolicy: {limit: 3, factor: 11}", Admission(&["spec.retryPolicy.factor", "less than or equal to 10"])),
    ("factor-fraction", At::Spec, "retryPolicy: {limit: 3, factor: 1.5}", Admission(&["spec.retryPolicy.factor", "type integer"])),
    ("max-delay-number", At::Spec, "retryPolicy: {limit: 3, maxDelay: 600}", Admission(&["spec.retryPolicy.maxDelay", "type string"])),
    ("max-delay-bare", At::Spec, r#"retryPolicy: {limit: 3, maxDelay: "600"}"#, Admission(&["spec.retryPolicy.maxDelay", r#"maxDelay "600" "#, NO_DURATION])),
    ("max-delay-week", At::Spec, "retryPolicy: {limit: 3, maxDelay: 1w}", Admission(&[r#"maxDelay "1w" "#, NO_DURATION])),
    ("max-delay-short", At::Spec, "retryPolicy: {limit: 3, delay: 10m, maxDelay: 5m}", Admission(&["spec.retryPolicy", "maxDelay is shorter than delay: make it as long, or leave it out"])),
    ("retry-jitter-number", At::Spec, "retryPolicy: {limit: 3, jitter: 5}", Admission(&["spec.retryPolicy.jitter", "type string"])),
    ("retry-jitter-percent", At::Spec, "retryPolicy: {limit: 3, jitter: 10%}", Admission(&["spec.retryPolicy.jitter", r#"jitter "10%" "#, NO_DURATION])),
    ("retry-jitter-none", At::Spec, "retryPolicy: {limit: 3, jitter: 0s}", Admission(&[r#"jitter "0s" "#, NO_DURATION])),
    // --- How long ---
    ("run-timeout-number", At::Spec, "runTimeout: 3600", Admission(&["spec.runTimeout", "type string"])),
    ("run-timeout-day", At::Spec, "runTimeout: 1d", Admission(&["spec.runTimeout", r#"runTimeout "1d" "#, NO_DURATION])),
    ("run-timeout-none", At::Spec, "runTimeout: 0s", Admission(&[r#"runTimeout "0s" "#, NO_DURATION])),
    ("run-timeout-empty", At::Spec, r#"runTimeout: """#, Admission(&[r#"runTimeout "" "#, NO_DURATION])),
    ("run-timeout-endless", At::Spec, "runTimeout: 99999999999h", Admission(&["spec.runTimeout"])),
    ("pending-timeout-number", At::Spec, "pendingTimeout: 600", Admission(&["spec.pendingTimeout", "type string"])),
    ("pending-timeout-prose", At::Spec, "pendingTimeout: 10 min", Admission(&["spec.pendingTimeout", r#"pendingTimeout "10 min" "#, NO_DURATION])),
    ("pending-timeout-negative", At::Spec, "pendingTimeout: -10m", Admission(&[r#"pendingTimeout "-10m" "#, NO_DURATION])),
    ("ttl-number", At::Spec, "ttlAfterFinished: 3600", Admission(&["spec.ttlAfterFinished", "type string"])),
    ("ttl-iso", At::Spec, "ttlAfterFinished: P1D", Admission(&["spec.ttlAfterFinished", r#"ttlAfterFinished "P1D" "#, NO_DURATION])),
    ("ttl-none", At::Spec, "ttlAfterFinished: 0s", Admission(&[r#"ttlAfterFinished "0s" "#, NO_DURATION])),
    // --- How many ---
    ("failures-zero", At::Spec, "suspendAfterFailures: 0", Admission(&["spec.suspendAfterFailures", "greater than or equal to 1"])),
    ("failures-large", At::Spec, "suspendAfterFailures: 1001", Admission(&["spec.suspendAfterFailures", "less than or equal to 1000"])),
    ("failures-text", At::Spec, r#"suspendAfterFailures: "3""#, Admission(&["spec.suspendAfterFailures", "type integer"])),
    ("backfill-zero", At::Spec, "backfillLimit: 0", Admission(&["spec.backfillLimit", "greater than or equal to 1"])),
    ("backfill-large", At::Spec, "backfillLimit: 1001", Admission(&["spec.backfillLimit", "less than or equal to 1000"])),
    ("backfill-word", At::Spec, "backfillLimit: all", Admission(&["spec.backfillLimit", "type integer"])),
    // --- The other fields of the task ---
    ("policy", At::Spec, "concurrencyPolicy: Serial", Admission(&["spec.concurrencyPolicy", r#""Serial""#, r#""Allow", "Forbid", "Replace", "Queue""#])),
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
