//! The metrics of each task: they appear, change and disappear with the task.

use crate::harness::{World, until};
use kube::api::DeleteParams;
use serde_json::json;

/// F30: an alert can name the task that is in trouble.
#[tokio::test(flavor = "multi_thread")]
async fn the_series_of_a_task_follow_it_and_leave_with_it() {
    let world = World::new("task-metrics").await;
    let operator = world.operator("2027-01-01T10:00:30Z").await;
    let shown = || operator.series(&world.namespace, "nightly");
    let shows = async |line: &str| until(line, || async { shown().iter().any(|known| known == line).then_some(()) }).await;
    assert!(shown().is_empty());

    let spec = json!({"schedule": "*/5 * * * *", "timeZone": "Europe/Berlin", "concurrencyPolicy": "Forbid"});
    world.task("nightly", spec).await;
    world.settled("nightly").await;
    let info = r#"schedule="*/5 * * * *",timezone="Europe/Berlin",concurrency_policy="Forbid",suspended="false""#;
    shows(&format!("punctual_task_info{{{info}}} 1")).await;
    let first = 1_798_797_900;
    shows(&format!("punctual_task_next_run_timestamp_seconds {first}")).await;
    shows(r#"punctual_task_condition{condition="Ready",reason="Accepted"} 1"#).await;
    assert!(
        !shown().iter().any(|line| line.starts_with("punctual_task_last_")),
        "nothing ran yet"
    );

    operator.set("2027-01-01T10:05:00Z");
    shows("punctual_task_active 1").await;
    shows(&format!("punctual_task_last_schedule_timestamp_seconds {first}")).await;
    let is_since = |line: &&String| line.starts_with("punctual_task_active_since_timestamp_seconds ");
    until("the start of the run", || async { shown().iter().find(is_since).map(|_| ()) }).await;
    world.end_job(&format!("nightly-{first}"), 3, "no disk").await;
    shows("punctual_task_consecutive_failures 1").await;
    shows(r#"punctual_task_slots_total{outcome="Failed"} 1"#).await;
    shows(r#"punctual_task_condition{condition="Healthy",reason="JobFailed"} 0"#).await;
    shows("punctual_task_last_run_success 0").await;
    shows("punctual_task_last_run_start_delay_seconds 0").await;
    assert_eq!(shown().iter().find(is_since), None, "no run is active");
    let failed = || operator.metric(r#"punctual_run_duration_seconds_count{outcome="Failed"}"#) >= 1.0;
    until("the duration to be observed", || async { failed().then_some(()) }).await;

    world.tasks().delete("nightly", &DeleteParams::default()).await.expect("deleted");
    until("the series to be gone", || async { shown().is_empty().then_some(()) }).await;
    operator.stop().await;
}
