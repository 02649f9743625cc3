//! Warnings about a valid spec: behaviour that its author may not expect. Each is worth a change, so there are few.

use super::load_spread;
use crate::api::{ConcurrencyPolicy, ScheduledTaskSpec};
use crate::cli::clock_changes::{self, ClockChange};
use crate::cli::duration;
use jiff::Timestamp;
use serde_json::Value;

/// Seconds that a restart of the operator can take: a shorter deadline passes meanwhile.
const RESTART_SECONDS: i64 = 10;
/// Kubernetes' default of `backoffLimit`.
const DEFAULT_BACKOFF_LIMIT: u64 = 6;

/// All warnings about a task. `task` is its key.
pub fn warnings(fields: &ScheduledTaskSpec, task: &str, now: Timestamp) -> Vec<String> {
    let changes = clock_changes::next(fields, task, now);
    let mut warnings: Vec<String> = changes.iter().map(ClockChange::describe).collect();
    warnings.extend(popular_minutes(fields));
    warnings.extend(no_pending_timeout(fields));
    warnings.extend(no_run_timeout(fields));
    warnings.extend(short_deadline(fields));
    warnings.extend(nested_retries(fields));
    warnings.extend(no_image(fields));
    warnings.extend(first_failure_suspends(fields));
    warnings
}

fn popular_minutes(fields: &ScheduledTaskSpec) -> impl Iterator<Item = String> {
    let has_jitter = fields.jitter.is_some();
    let expressions = fields.schedule.iter().chain(&fields.schedules).filter(move |_| !has_jitter);
    expressions.filter_map(|expression| {
        let instead = load_spread::spread(expression)?;
        Some(format!(
            "schedule {:?} starts at minute 0 like most schedules: use {instead:?} to spread the load, or set jitter",
            expression.trim()
        ))
    })
}

/// Whether an active run can keep later slots from starting. Under Replace the next slot terminates it.
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

fn no_pending_timeout(fields: &ScheduledTaskSpec) -> Option<String> {
    if !blocks(fields) || fields.pending_timeout.is_some() {
        return None;
    }
    let how_long = match fields.run_timeout {
        Some(timeout) => format!("for {}", duration::exact(timeout.into())),
        None => "until somebody deletes it".to_owned(),
    };
    Some(format!(
        "{} without pendingTimeout: a Job that cannot start (image pull, quota, unschedulable) blocks later slots {how_long}; set pendingTimeout, for example 15m",
        policy(fields)
    ))
}

fn no_run_timeout(fields: &ScheduledTaskSpec) -> Option<String> {
    let bounded = fields.run_timeout.is_some() || job(fields, "activeDeadlineSeconds").is_some();
    (blocks(fields) && !bounded).then(|| {
        format!(
            "{} without runTimeout: a run that hangs blocks later slots forever; set runTimeout, or activeDeadlineSeconds in jobTemplate.spec",
            policy(fields)
        )
    })
}

fn short_deadline(fields: &ScheduledTaskSpec) -> Option<String> {
    let seconds = fields.starting_deadline_seconds.filter(|seconds| *seconds < RESTART_SECONDS)?;
    Some(format!(
        "startingDeadlineSeconds {seconds} is shorter than a restart of the operator, during which slots are missed; set at least {RESTART_SECONDS}"
    ))
}

fn nested_retries(fields: &ScheduledTaskSpec) -> Option<String> {
    let attempts = fields.retry_policy.map(|policy| policy.limit).filter(|limit| *limit > 0)? + 1;
    let backoff = job(fields, "backoffLimit").map_or(Some(DEFAULT_BACKOFF_LIMIT), |limit| limit.as_u64())?;
    (backoff > 0).then(|| {
        format!(
            "retryPolicy in addition to backoffLimit {backoff}: each of {attempts} attempts is a Job with up to {} pods; set jobTemplate.spec.backoffLimit: 0",
            backoff + 1
        )
    })
}

fn first_failure_suspends(fields: &ScheduledTaskSpec) -> Option<String> {
    let retried = fields.retry_policy.is_some_and(|policy| policy.limit > 0);
    (fields.suspend_after_failures == Some(1) && !retried).then(|| {
        "suspendAfterFailures 1 without retryPolicy: the first failure suspends the task until it is resumed; allow more failures, or set retryPolicy"
            .to_owned()
    })
}

/// Containers without an image, which the schema allows and no Job may have.
fn no_image(fields: &ScheduledTaskSpec) -> Vec<String> {
    let template = job(fields, "template").unwrap_or_default();
    let pod = template.get("spec");
    let lists = ["initContainers", "containers"]
        .into_iter()
        .filter_map(|list| Some((list, pod?.get(list)?.as_array()?)));
    let containers = lists.flat_map(|(list, containers)| {
        containers
            .iter()
            .enumerate()
            .map(move |(number, container)| (list, number, container))
    });
    let without = containers.filter(|(_, _, container)| container.get("image").and_then(Value::as_str).is_none_or(str::is_empty));
    let warning = |(list, number, _)| {
        format!(
            "jobTemplate.spec.template.spec.{list}[{number}] has no image: the API server refuses the Job, and the task is not ready (JobRefused); set image"
        )
    };
    without.map(warning).collect()
}

/// A field of the Job's spec, if it is set.
fn job(fields: &ScheduledTaskSpec, name: &str) -> Option<Value> {
    let job = fields.job_template.fields().remove("spec")?;
    job.get(name).filter(|value| !value.is_null()).cloned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    /// The warnings about a task without any, with these fields changed.
    fn warned(over: Value) -> Vec<String> {
        let mut spec = json!({"schedule": "17 3 * * *", "jobTemplate": {"spec": {}}});
        for (name, value) in over.as_object().unwrap() {
            spec[name.as_str()] = value.clone();
        }
        let fields = ScheduledTaskSpec::read(&spec).unwrap();
        warnings(&fields, "default/x", "2026-11-23T12:00:00Z".parse().unwrap())
    }

    #[test]
    fn a_good_spec_has_no_warnings() {
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
            assert_eq!(warned(over.clone()), [""; 0], "{over}");
        }
    }

    #[test]
    fn a_warning_names_the_field_the_consequence_and_the_fix() {
        for (over, text) in [
            (
                json!({"jobTemplate": {"spec": {"template": {"spec": {"containers": [{"name": "a", "image": "x"}, {"name": "b"}]}}}}}),
                "jobTemplate.spec.template.spec.containers[1] has no image: the API server refuses the Job, and the task is not ready (JobRefused); set image",
            ),
            (
                json!({"schedules": ["0 * * * *", "17 4 * * *"], "schedule": null}),
                r#"schedule "0 * * * *" starts at minute 0 like most schedules: use "H * * * *" to spread the load, or set jitter"#,
            ),
            (
                json!({"concurrencyPolicy": "Forbid", "jobTemplate": {"spec": {"activeDeadlineSeconds": 60}}}),
                "concurrencyPolicy Forbid without pendingTimeout: a Job that cannot start (image pull, quota, unschedulable) blocks later slots until somebody deletes it; set pendingTimeout, for example 15m",
            ),
            (
                json!({"concurrencyPolicy": "Queue", "runTimeout": "90m"}),
                "concurrencyPolicy Queue without pendingTimeout: a Job that cannot start (image pull, quota, unschedulable) blocks later slots for 1h 30m; set pendingTimeout, for example 15m",
            ),
            (
                json!({"maxConcurrentRuns": 2, "pendingTimeout": "1m"}),
                "maxConcurrentRuns without runTimeout: a run that hangs blocks later slots forever; set runTimeout, or activeDeadlineSeconds in jobTemplate.spec",
            ),
            (
                json!({"startingDeadlineSeconds": 5}),
                "startingDeadlineSeconds 5 is shorter than a restart of the operator, during which slots are missed; set at least 10",
            ),
            (
                json!({"retryPolicy": {"limit": 2}}),
                "retryPolicy in addition to backoffLimit 6: each of 3 attempts is a Job with up to 7 pods; set jobTemplate.spec.backoffLimit: 0",
            ),
            (
                json!({"suspendAfterFailures": 1}),
                "suspendAfterFailures 1 without retryPolicy: the first failure suspends the task until it is resumed; allow more failures, or set retryPolicy",
            ),
        ] {
            assert_eq!(warned(over.clone()), [text], "{over}");
        }
    }
}
