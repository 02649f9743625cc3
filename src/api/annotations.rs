//! The names that Punctual writes on Jobs, pods and events, and reads from tasks.
//!
//! Takes nothing, gives constants. Never a name that is not part of the product's interface.

/// API group of `ScheduledTask` and prefix of every annotation and label of ours.
pub const GROUP: &str = "punctual.dev";
/// The only version of the API so far.
pub const VERSION: &str = "v1alpha1";
/// `kind` of a task.
pub const KIND: &str = "ScheduledTask";

/// Label on each Job: UID of the task that it belongs to. The operator's watch selects by it.
pub const LABEL_TASK_UID: &str = "punctual.dev/task-uid";

/// Annotation on Job and pod: name of the task.
pub const TASK: &str = "punctual.dev/task";
/// Annotation on Job and pod: name of the run (the same for all its attempts).
pub const RUN: &str = "punctual.dev/run";
/// Annotation on Job and pod: what started the run: `Schedule`, `Manual` or `Backfill`.
pub const TRIGGER: &str = "punctual.dev/trigger";
/// Annotation on Job and pod: number of the attempt, from 1.
pub const ATTEMPT: &str = "punctual.dev/attempt";
/// Annotation on Job and pod: the slot, RFC 3339 in UTC.
pub const SLOT: &str = "punctual.dev/slot";
/// Annotation on Job and pod: slot of the last run that succeeded, when there is one (the watermark).
pub const LAST_SUCCESS: &str = "punctual.dev/last-success";
/// Annotation on Job and pod: the slot before this one, where the run's interval of data begins.
pub const INTERVAL_START: &str = "punctual.dev/interval-start";
/// Annotation on Job and pod: the slot itself, where the run's interval of data ends.
pub const INTERVAL_END: &str = "punctual.dev/interval-end";

/// Request on a task: any new value starts one run now, under the task's policies.
pub const RUN_NOW: &str = "punctual.dev/run-now";
/// Request on a task: any new value ends a suspension that failed runs brought about.
pub const RESUME: &str = "punctual.dev/resume";
/// Request on a task: an interval `<from>/<until>` (ISO 8601) whose slots are to be run (again).
pub const BACKFILL: &str = "punctual.dev/backfill";

/// Request on a task: any new value forgets the counters, the history and the watermark, and begins the ledger anew from now.
pub const RESET_LEDGER: &str = "punctual.dev/reset-ledger";

/// Annotation on each Job that the operator makes: a keyed hash by which it knows its own Jobs again.
pub const MARK: &str = "punctual.dev/mark";

/// The annotation that the CronJob controller writes on its Jobs (Kubernetes 1.32 and later): the slot, in the task's zone.
pub const CRONJOB_TIMESTAMP: &str = "batch.kubernetes.io/cronjob-scheduled-timestamp";
