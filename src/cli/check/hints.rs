//! Hints: what a task may do that its author does not expect. Never an error, and few: each is worth a change to the manifest, or a thought.
//!
//! Takes a spec that is right, gives sentences.

use super::herd;
use crate::api::{ConcurrencyPolicy, ScheduledTaskSpec};
use crate::cli::{daylight, elapsed};
use jiff::Timestamp;
use serde_json::Value;

/// A deadline that is shorter than this does not outlive a restart of the operator.
const SHORTEST_DEADLINE: i64 = 10;
/// `backoffLimit` of a Job that does not say.
const BACKOFF_LIMIT: u64 = 6;

/// All hints about a task. `task` is its key.
pub fn hints(fields: &ScheduledTaskSpec, task: &str, now: Timestamp) -> Vec<String> {
    let nights = daylight::nights(fields, task, now);
    let mut hints: Vec<String> = nights.iter().map(daylight::Night::says).collect();
    hints.extend(herds(fields));
    hints.extend(stuck(fields));
    hints.extend(endless(fields));
    hints.extend(short_deadline(fields));
    hints.extend(pods_times_attempts(fields));
    hints.extend(first_failure_suspends(fields));
    hints
}

fn herds(fields: &ScheduledTaskSpec) -> impl Iterator<Item = String> {
    let spread = fields.jitter.is_some();
    let expressions = fields.schedule.iter().chain(&fields.schedules).filter(move |_| !spread);
    expressions.filter_map(|expression| {
        let instead = herd::spread(expression)?;
        Some(format!(
            "schedule {:?} starts at minute 0, as most do: {instead:?} gives this task a minute of its own, or set jitter",
            expression.trim()
        ))
    })
}

/// Whether a run that goes on keeps later slots from starting. Under Replace it is ended by the next.
fn blocks(fields: &ScheduledTaskSpec) -> bool {
    fields.capacity().is_some() && fields.concurrency_policy != ConcurrencyPolicy::Replace
}

fn policy(fields: &ScheduledTaskSpec) -> &'static str {
    match fields.concurrency_policy {
        ConcurrencyPolicy::Forbid => "concurrencyPolicy Forbid",
        ConcurrencyPolicy::Queue => "concurrencyPolicy Queue",
        ConcurrencyPolicy::Replace => "concurrencyPolicy Replace",
        ConcurrencyPolicy::Allow => "maxConcurrentRuns",
    }
}

fn stuck(fields: &ScheduledTaskSpec) -> Option<String> {
    if !blocks(fields) || fields.pending_timeout.is_some() {
        return None;
    }
    let how_long = match fields.run_timeout {
        Some(timeout) => format!("for {}, its whole runTimeout", elapsed::exact(timeout.into())),
        None => "until somebody deletes it".to_owned(),
    };
    Some(format!(
        "{} without pendingTimeout: a Job that cannot start (image, quota, no room) holds up later slots {how_long}; set pendingTimeout, such as 15m",
        policy(fields)
    ))
}

fn endless(fields: &ScheduledTaskSpec) -> Option<String> {
    let bounded = fields.run_timeout.is_some() || job(fields, "activeDeadlineSeconds").is_some();
    (blocks(fields) && !bounded).then(|| {
        format!(
            "{} without runTimeout: a run that hangs holds up later slots for ever; set runTimeout, or activeDeadlineSeconds in jobTemplate.spec",
            policy(fields)
        )
    })
}

fn short_deadline(fields: &ScheduledTaskSpec) -> Option<String> {
    let seconds = fields.starting_deadline_seconds.filter(|seconds| *seconds < SHORTEST_DEADLINE)?;
    Some(format!(
        "startingDeadlineSeconds {seconds} is shorter than a restart of the operator: slots of that moment are missed; {SHORTEST_DEADLINE} or more outlives it"
    ))
}

fn pods_times_attempts(fields: &ScheduledTaskSpec) -> Option<String> {
    let attempts = fields.retry_policy.map(|policy| policy.limit).filter(|limit| *limit > 0)? + 1;
    let backoff = job(fields, "backoffLimit").map_or(Some(BACKOFF_LIMIT), |limit| limit.as_u64())?;
    (backoff > 0).then(|| {
        format!(
            "retryPolicy on top of backoffLimit {backoff}: each of {attempts} attempts is a Job that tries {} pods before it has failed; set jobTemplate.spec.backoffLimit: 0",
            backoff + 1
        )
    })
}

fn first_failure_suspends(fields: &ScheduledTaskSpec) -> Option<String> {
    let retried = fields.retry_policy.is_some_and(|policy| policy.limit > 0);
    (fields.suspend_after_failures == Some(1) && !retried).then(|| {
        "suspendAfterFailures 1 without retryPolicy: the first failure suspends the task until somebody resumes it; allow more, or set retryPolicy"
            .to_owned()
    })
}

/// A field of the Job, if it is set.
fn job(fields: &ScheduledTaskSpec, name: &str) -> Option<Value> {
    let job = fields.job_template.fields().remove("spec")?;
    job.get(name).filter(|value| !value.is_null()).cloned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    /// The hints about a task that has nothing to hint at, with these fields laid over it, by their first words.
    fn said(over: Value) -> Vec<String> {
        let mut spec = json!({"schedule": "17 3 * * *", "jobTemplate": {"spec": {}}});
        for (name, value) in over.as_object().unwrap() {
            spec[name.as_str()] = value.clone();
        }
        let fields = ScheduledTaskSpec::read(&spec).unwrap();
        hints(&fields, "default/x", "2026-11-23T12:00:00Z".parse().unwrap())
    }

    #[test]
    fn what_is_well_is_not_hinted_at() {
        for over in [
            json!({}),
            json!({"schedule": "0 * * * *", "jitter": "5m"}),
            json!({"concurrencyPolicy": "Replace"}),
            json!({"concurrencyPolicy": "Forbid", "pendingTimeout": "15m", "runTimeout": "1h"}),
            json!({"concurrencyPolicy": "Queue", "pendingTimeout": "15m", "jobTemplate": {"spec": {"activeDeadlineSeconds": 60}}}),
            json!({"startingDeadlineSeconds": 10}),
            json!({"retryPolicy": {"limit": 2}, "jobTemplate": {"spec": {"backoffLimit": 0}}}),
            json!({"retryPolicy": {"limit": 0}}),
            json!({"suspendAfterFailures": 2}),
            json!({"suspendAfterFailures": 1, "retryPolicy": {"limit": 1}, "jobTemplate": {"spec": {"backoffLimit": 0}}}),
        ] {
            assert_eq!(said(over.clone()), [""; 0], "{over}");
        }
    }

    #[test]
    fn each_hint_names_the_field_the_consequence_and_the_way_out() {
        for (over, says) in [
            (
                json!({"schedules": ["0 * * * *", "17 4 * * *"], "schedule": null}),
                r#"schedule "0 * * * *" starts at minute 0, as most do: "H * * * *" gives this task a minute of its own, or set jitter"#,
            ),
            (
                json!({"concurrencyPolicy": "Forbid", "jobTemplate": {"spec": {"activeDeadlineSeconds": 60}}}),
                "concurrencyPolicy Forbid without pendingTimeout: a Job that cannot start (image, quota, no room) holds up later slots until somebody deletes it; set pendingTimeout, such as 15m",
            ),
            (
                json!({"concurrencyPolicy": "Queue", "runTimeout": "90m"}),
                "concurrencyPolicy Queue without pendingTimeout: a Job that cannot start (image, quota, no room) holds up later slots for 1h30m, its whole runTimeout; set pendingTimeout, such as 15m",
            ),
            (
                json!({"maxConcurrentRuns": 2, "pendingTimeout": "1m"}),
                "maxConcurrentRuns without runTimeout: a run that hangs holds up later slots for ever; set runTimeout, or activeDeadlineSeconds in jobTemplate.spec",
            ),
            (
                json!({"startingDeadlineSeconds": 5}),
                "startingDeadlineSeconds 5 is shorter than a restart of the operator: slots of that moment are missed; 10 or more outlives it",
            ),
            (
                json!({"retryPolicy": {"limit": 2}}),
                "retryPolicy on top of backoffLimit 6: each of 3 attempts is a Job that tries 7 pods before it has failed; set jobTemplate.spec.backoffLimit: 0",
            ),
            (
                json!({"suspendAfterFailures": 1}),
                "suspendAfterFailures 1 without retryPolicy: the first failure suspends the task until somebody resumes it; allow more, or set retryPolicy",
            ),
        ] {
            assert_eq!(said(over.clone()), [says], "{over}");
        }
    }
}
