//! `suspendAfterFailures` and `punctual.dev/resume`: a pause that stands in the status only.

use super::{condition, minutes, newest};
use crate::harness::{Operator, World, at};
use punctual::api::{RESUME, ScheduledTaskStatus};
use punctual::plan::job_name;
use serde_json::json;

/// The run of this minute past ten fails.
async fn fails(world: &World, operator: &Operator, minute: i64) -> ScheduledTaskStatus {
    let slot = at("2027-01-01T10:00:00Z") + minutes(minute);
    let failed = world.tasks().get("task").await.unwrap().status.unwrap().failed;
    operator.set_to(slot);
    world.end_job(&job_name("task", slot, 1), 1, "no answer").await;
    world.status("task", "the failure", |status| status.failed == failed + 1).await
}

async fn suspended(world: &World, says: &str) -> ScheduledTaskStatus {
    let what = format!("Suspended to be {says}");
    world.status("task", &what, |status| condition(status, "Suspended") == says).await
}

#[tokio::test(flavor = "multi_thread")]
async fn so_many_failures_in_a_row_suspend_in_the_status_until_somebody_asks_to_resume() {
    let world = World::new("failures").await;
    let before = world.task("task", json!({"suspendAfterFailures": 2})).await;
    let operator = world.operator("2027-01-01T10:00:30Z").await;
    world.settled("task").await;
    let status = fails(&world, &operator, 1).await;
    assert_eq!(condition(&status, "Suspended"), "False NotSuspended");
    fails(&world, &operator, 2).await;
    let status = suspended(&world, "True TooManyFailures").await;
    let said = &status.condition("Suspended").unwrap().message;
    assert!(
        said.starts_with(
            "2 runs failed in a row (suspendAfterFailures): no slot starts until a run succeeds or the annotation punctual.dev/resume"
        ),
        "{said}"
    );
    assert!(status.next_runs.is_empty(), "{:?}", status.next_runs);
    operator.set("2027-01-01T10:05:30Z");
    operator.rests().await;
    assert_eq!(world.job_names().await.len(), 2, "nothing starts");
    let after = world.tasks().get("task").await.unwrap();
    assert_eq!((&after.spec, after.metadata.generation), (&before.spec, before.metadata.generation));

    world.annotate("task", RESUME, Some("mended")).await;
    let status = suspended(&world, "False NotSuspended").await;
    assert_eq!(
        (newest(&status).as_str(), status.skipped),
        ("Skipped TooManyFailures", 3),
        "{status:#?}"
    );
    assert_eq!(status.last_handled_resume.as_deref(), Some("mended"));
    assert_eq!(status.next_runs[0], "2027-01-01T10:06:00Z");
    world
        .is_told("task", "Resumed", "resumed: 2 consecutive failures no longer count")
        .await;
    // It counts anew, and the old request does not count again, restart or not.
    let status = fails(&world, &operator, 6).await;
    assert_eq!(
        (condition(&status, "Suspended").as_str(), status.consecutive_failures),
        ("False NotSuspended", 3)
    );
    fails(&world, &operator, 7).await;
    suspended(&world, "True TooManyFailures").await;
    operator.stop().await;
    let operator = world.operator("2027-01-01T10:07:30Z").await;
    operator.rests().await;
    suspended(&world, "True TooManyFailures").await;
    world.annotate("task", RESUME, Some("mended again")).await;
    suspended(&world, "False NotSuspended").await;
    operator.set("2027-01-01T10:08:00Z");
    let slot = at("2027-01-01T10:08:00Z");
    world.end_job(&job_name("task", slot, 1), 0, "").await;
    let status = world.status("task", "a success", |status| status.succeeded == 1).await;
    assert_eq!((status.consecutive_failures, status.forgiven_failures, status.started), (0, 0, 5));
    assert_eq!(status.started + status.skipped + status.missed, 8, "every slot is accounted for");
    operator.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_resume_request_is_refused_where_the_author_suspended_and_where_nothing_is_to_be_resumed() {
    let world = World::new("refused").await;
    world.task("task", json!({"suspendAfterFailures": 1, "suspend": true})).await;
    let operator = world.operator("2027-01-01T10:00:30Z").await;
    world.settled("task").await;
    world.annotate("task", RESUME, Some("please")).await;
    world
        .is_told(
            "task",
            "RequestRefused",
            "not resumed: spec.suspend is true and is never changed by Punctual; set it to false",
        )
        .await;
    let handled = |value: &'static str| move |status: &ScheduledTaskStatus| status.last_handled_resume.as_deref() == Some(value);
    let status = world.status("task", "the request to be recorded", handled("please")).await;
    assert_eq!(condition(&status, "Suspended"), "True Suspended");
    let refused = status.last_refused_request.as_ref().unwrap();
    assert_eq!((refused.annotation.as_str(), refused.value.as_str()), (RESUME, "please"));
    assert_eq!(
        refused.message,
        "not resumed: spec.suspend is true and is never changed by Punctual; set it to false"
    );
    world.edit("task", json!({"suspend": false})).await;
    suspended(&world, "False NotSuspended").await;
    world.annotate("task", RESUME, Some("again")).await;
    world
        .is_told("task", "RequestRefused", "nothing to resume: the task is not suspended")
        .await;
    world.status("task", "the request to be recorded", handled("again")).await;
    // A pause that comes later is not ended by a request of before.
    fails(&world, &operator, 1).await;
    suspended(&world, "True TooManyFailures").await;
    operator.rests().await;
    suspended(&world, "True TooManyFailures").await;
    operator.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_by_hand_that_succeeds_ends_the_pause() {
    let world = World::new("by-hand").await;
    world.task("task", json!({"suspendAfterFailures": 1})).await;
    let operator = world.operator("2027-01-01T10:00:30Z").await;
    world.settled("task").await;
    fails(&world, &operator, 1).await;
    suspended(&world, "True TooManyFailures").await;
    world.annotate("task", punctual::api::RUN_NOW, Some("try")).await;
    let status = world.status("task", "the run by hand", |status| status.running == 1).await;
    world.end_job(&status.active[0].job, 0, "").await;
    let status = suspended(&world, "False NotSuspended").await;
    assert_eq!((status.succeeded, status.requested), (1, 1));
    operator.set("2027-01-01T10:02:00Z");
    world.job(&job_name("task", at("2027-01-01T10:02:00Z"), 1)).await;
    operator.stop().await;
}
