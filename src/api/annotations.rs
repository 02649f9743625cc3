//! The names of annotations and labels, which are part of the public interface.

/// API group of `ScheduledTask`, and prefix of all annotations and labels.
pub const GROUP: &str = "punctual.dev";
/// Version of the API.
pub const VERSION: &str = "v1alpha1";
/// Kind of a task.
pub const KIND: &str = "ScheduledTask";

/// Label on Jobs: UID of the task. The operator's watch selects by it.
pub const LABEL_TASK_UID: &str = "punctual.dev/task-uid";

/// Annotation on Job and pod: name of the task.
pub const TASK: &str = "punctual.dev/task";
/// Annotation on Job and pod: name of the run, the same for all its attempts.
pub const RUN: &str = "punctual.dev/run";
/// Annotation on Job and pod: trigger of the run: `Schedule`, `Manual` or `Backfill`.
pub const TRIGGER: &str = "punctual.dev/trigger";
/// Annotation on Job and pod: number of the attempt, from 1.
pub const ATTEMPT: &str = "punctual.dev/attempt";
/// Annotation on Job and pod: the slot, RFC 3339 in UTC.
pub const SLOT: &str = "punctual.dev/slot";
/// Annotation on Job and pod: slot of the last successful run, if any (the watermark).
pub const LAST_SUCCESS: &str = "punctual.dev/last-success";
/// Annotation on Job and pod: the slot before this one, where the data interval of the run begins.
pub const INTERVAL_START: &str = "punctual.dev/interval-start";
/// Annotation on Job and pod: the slot itself, where the data interval of the run ends.
pub const INTERVAL_END: &str = "punctual.dev/interval-end";

/// Request on a task: a new value starts a run now, under the policies of the task.
pub const RUN_NOW: &str = "punctual.dev/run-now";
/// Request on a task: a new value ends a suspension by failures.
pub const RESUME: &str = "punctual.dev/resume";
/// Request on a task: an interval `<from>/<until>` (ISO 8601) whose slots are run.
pub const BACKFILL: &str = "punctual.dev/backfill";

/// Request on a task: a new value resets the counters, the history and the watermark, and starts a new ledger.
pub const RESET_LEDGER: &str = "punctual.dev/reset-ledger";

/// Annotation on Jobs: a keyed hash by which the operator recognizes the Jobs that it created.
pub const MARK: &str = "punctual.dev/mark";

/// Annotation on Jobs, as by the CronJob controller of Kubernetes 1.32 and later: the slot in the task's time zone.
pub const CRONJOB_TIMESTAMP: &str = "batch.kubernetes.io/cronjob-scheduled-timestamp";
