//! What is right and looks odd: values at their limits, and every notation that people bring along. None may be refused.

use super::START;
use crate::cronjob::{as_task, probes};
use crate::harness::World;
use futures::{StreamExt, stream};
use probes::At;
use punctual::api::ScheduledTaskStatus;

/// Name and fragment laid over the spec of a task that works.
#[rustfmt::skip]
const GOOD: &[(&str, &str)] = &[
    // --- What Jenkins and Quartz know ---
    ("last-day", r#"schedule: "0 0 L * *""#),
    ("last-but-three", r#"schedule: "0 0 L-3 * *""#),
    ("last-weekday", r#"schedule: "0 0 LW * *""#),
    ("nearest-weekday", r#"schedule: "0 0 15W * *""#),
    ("second-friday", r#"schedule: "0 0 * * FRI#2""#),
    ("last-friday", r#"schedule: "0 0 * * 5L""#),
    ("last-friday-by-name", r#"schedule: "0 0 ? * friL""#),
    ("hashed", r#"schedule: "H 2 * * *""#),
    ("hashed-range", r#"schedule: "H(0-29)/10 H(1-5) * * *""#),
    ("hashed-small", r#"schedule: "h h * * *""#),
    ("hashed-seconds", r#"schedule: "H H * * * *""#),
    // --- Several schedules ---
    ("one-of-several", r#"{schedule: ABSENT, schedules: ["0 3 * * *"]}"#),
    ("null-and-several", r#"{schedule: null, schedules: ["0 3 * * *", "@hourly", "H H * * *", "0 0 1 1 *"]}"#),
    ("ten", r#"{schedule: ABSENT, schedules: ["0 0 * * *", "0 1 * * *", "0 2 * * *", "0 3 * * *", "0 4 * * *", "0 5 * * *", "0 6 * * *", "0 7 * * *", "0 8 * * *", "0 9 * * *"]}"#),
    // --- Jitter, life and blackouts ---
    ("jitter-as-long-as-the-gap", r#"{schedule: "*/5 * * * *", jitter: 5m}"#),
    ("jitter-in-parts", r#"jitter: 1h30m"#),
    ("jitter-null", "jitter: null"),
    ("life", r#"{startAt: "2027-02-01T00:00:00+01:00", endAt: "2037-02-01T00:00:00Z"}"#),
    ("life-null", "{startAt: null, endAt: null, exclude: null}"),
    ("blackouts", r#"exclude: [{schedule: "* 22-23 * * *"}, {from: "2027-12-24", until: "2027-12-27"}, {from: "2027-12-31T18:00:00", until: "2028-01-01T10:00:00Z"}]"#),
    ("blackout-last-day", r#"exclude: [{schedule: "* * L * *"}]"#),
    ("blackout-none", "exclude: []"),
    // --- Runs that meet ---
    ("queue", "{concurrencyPolicy: Queue}"),
    ("queue-limits", "{concurrencyPolicy: Queue, queueLimit: 100, maxConcurrentRuns: 1000}"),
    ("room", "maxConcurrentRuns: 1"),
    ("room-allow", "{concurrencyPolicy: Allow, maxConcurrentRuns: 2}"),
    ("policy-empty", r#"{concurrencyPolicy: "", maxConcurrentRuns: 2}"#),
    // --- Retries and limits ---
    ("never-tried-again", "retryPolicy: {limit: 0}"),
    ("retries", "retryPolicy: {limit: 100, delay: 1s, factor: 10, maxDelay: 24h, jitter: 90s}"),
    ("delay-longer-than-default", "retryPolicy: {limit: 1, delay: 2h}"),
    ("delay-as-long-as-most", "retryPolicy: {limit: 1, delay: 60m, maxDelay: 1h}"),
    ("retries-null", "retryPolicy: null"),
    ("timeouts", "{runTimeout: 1000h, pendingTimeout: 1.5h, ttlAfterFinished: 1h0m0s}"),
    ("fractions", "{runTimeout: 1.5m, pendingTimeout: 1s, ttlAfterFinished: 0.5h}"),
    ("pending-longer-than-run", "{runTimeout: 10m, pendingTimeout: 1h}"),
    ("failures", "suspendAfterFailures: 1000"),
    ("backfill", "backfillLimit: 1000"),
    ("context", "runContext: None"),
];

#[tokio::test(flavor = "multi_thread")]
async fn what_is_right_and_looks_odd_is_taken_and_ready() {
    let world = World::new("good").await;
    let operator = world.operator(START).await;
    let wrong: Vec<String> = stream::iter(GOOD)
        .map(|(name, fragment)| refused(&world, name, fragment))
        .buffer_unordered(8)
        .filter_map(async |told| told)
        .collect()
        .await;
    assert!(
        wrong.is_empty(),
        "{} of {} are refused:\n{}",
        wrong.len(),
        GOOD.len(),
        wrong.join("\n")
    );
    operator.stop().await;
    world.delete().await;
}

async fn refused(world: &World, name: &str, fragment: &str) -> Option<String> {
    let manifest = as_task(&probes::manifest(name, At::Spec, fragment));
    if let Err(message) = world.post("punctual.dev/v1alpha1", "scheduledtasks", &manifest, false).await {
        return Some(message);
    }
    let status: ScheduledTaskStatus = world.settled(name).await;
    let ready = status.condition("Ready").expect("settled");
    let right = ready.status == "True" && !status.next_runs.is_empty();
    (!right).then(|| format!("{name}: {} {:?}", ready.message, status.next_runs))
}
