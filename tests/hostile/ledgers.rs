//! Statuses that somebody else wrote, requests to forget, and backfills without end.

use crate::forged::{forged, kept};
use crate::ground::{Ground, make, tenant};
use crate::harness::World;
use kube::api::{Patch, PatchParams};
use serde_json::{Value, json};

const NOW: &str = "2027-01-01T10:00:30Z";
const SLOT: &str = "2027-01-01T10:01:00Z";

fn hangs() -> Value {
    json!({"jobTemplate": {"spec": {"suspend": true}}})
}

/// Who may write statuses, and nothing else.
async fn writer(world: &World) -> World {
    let rules = json!([
        {"apiGroups": ["punctual.dev"], "resources": ["scheduledtasks"], "verbs": ["get", "list"]},
        {"apiGroups": ["punctual.dev"], "resources": ["scheduledtasks/status"], "verbs": ["get", "update", "patch"]},
    ]);
    tenant(world, "status-writer", rules).await
}

/// Gives whether the API server took it.
async fn write(world: &World, status: Value) -> bool {
    let patch = Patch::Merge(json!({"status": status}));
    world.tasks().patch_status("victim", &PatchParams::default(), &patch).await.is_ok()
}

/// Ledgers that no operator can have written.
fn inventions() -> Vec<(&'static str, Value)> {
    let run = |job: &str, slot: &str| json!({"slot": slot, "trigger": "Schedule", "attempt": 1, "job": job});
    let queue: Vec<Value> = (0..10_000)
        .map(|number| json!({"slot": SLOT, "trigger": "Manual", "job": format!("other-m{number:09x}")}))
        .collect();
    let long = json!({"slot": SLOT, "slots": 1, "trigger": "Schedule", "attempts": 1, "outcome": "Succeeded", "reason": "JobCompleted",
        "message": "x".repeat(1_200_000)});
    vec![
        (
            "runs under names of their choice",
            json!({"active": [run("../../namespaces/kube-system/pods/x", SLOT), run("other", SLOT)]}),
        ),
        (
            "a run of a far slot",
            json!({"active": [run("victim-253370764800", "9999-01-01T00:00:00Z")]}),
        ),
        (
            "all slots until 9999",
            json!({"accountedUntil": "9999-01-01T00:00:00Z", "scheduleSince": "9999-01-01T00:00:00Z"}),
        ),
        (
            "a far watermark",
            json!({"lastSuccessfulSlot": "2099-01-01T00:00:00Z", "lastScheduleTime": "2099-01-01T00:00:00Z"}),
        ),
        (
            "counters below zero",
            json!({"started": -5, "failed": -1, "missed": i64::MIN, "consecutiveFailures": -7}),
        ),
        ("a queue of ten thousand", json!({"queued": queue})),
        (
            "a backfill of all times",
            json!({"backfill": {"from": "2000-01-01T00:00:00Z", "until": NOW, "remaining": 5}}),
        ),
        (
            "a backfill of what comes",
            json!({"backfill": {"from": NOW, "until": "9999-12-30T22:00:00Z", "remaining": 5}}),
        ),
        ("a megabyte of history", json!({"recentRuns": [long]})),
    ]
}

/// A12: whatever somebody invents, no Job comes of it, the ledger is repaired, and that is told.
#[tokio::test(flavor = "multi_thread")]
async fn a_status_that_no_operator_can_have_written_is_repaired_and_told_and_makes_no_job() {
    let ground = Ground::without_policy("a12").await;
    let attacker = writer(&ground.victim).await;
    ground.victim.task("victim", hangs()).await;
    let operator = ground.operator(NOW).await;
    let before = ground.victim.settled("victim").await;
    let mut refused = Vec::new();
    for (number, (what, status)) in inventions().into_iter().enumerate() {
        if !write(&attacker, status).await {
            refused.push(what);
            continue;
        }
        let repaired = ground
            .victim
            .status("victim", &format!("{what} to be repaired"), |status| {
                let is_empty =
                    status.active.is_empty() && status.queued.is_empty() && status.backfill.is_none() && status.recent_runs.is_empty();
                let until = status.accounted_until.as_ref().is_some_and(|until| until.0 < SLOT.parse().unwrap());
                is_empty
                    && until
                    && status.last_successful_slot.is_none()
                    && [status.started, status.failed, status.missed].iter().all(|n| *n == 0)
            })
            .await;
        assert_eq!((repaired.requested, repaired.consecutive_failures), (0, 0), "{what}");
        assert_eq!(
            repaired.schedule_since,
            before
                .schedule_since
                .clone()
                .filter(|_| what != "all slots until 9999")
                .or(repaired.schedule_since.clone())
        );
        operator.rests().await;
        assert_eq!(ground.victim.job_names().await, Vec::<String>::new(), "{what} ({number})");
    }
    assert!(refused.len() <= 3, "the CRD refuses some, not all: {refused:?}");
    ground
        .victim
        .is_told("victim", "LedgerRepaired", "was invalid and was repaired")
        .await;
    operator.set(SLOT);
    ground
        .victim
        .status("victim", "the slot to be started", |status| status.started == 1)
        .await;
    assert_eq!(ground.victim.job_names().await.len(), 1);
}

/// A12: RBAC may allow it; where the chart's policy is in force, the status is the operator's alone.
#[tokio::test(flavor = "multi_thread")]
async fn whom_rbac_allows_to_write_statuses_the_policy_does_not() {
    let ground = Ground::new("a12-policy").await;
    let attacker = writer(&ground.victim).await;
    ground.victim.task("victim", hangs()).await;
    crate::harness::until("the policy to be in force, for statuses as well", || async {
        (!write(&attacker, json!({"missed": 7})).await).then_some(())
    })
    .await;
    let operator = ground.operator(NOW).await;
    ground.victim.settled("victim").await;
    operator.set(SLOT);
    ground
        .victim
        .status("victim", "the operator to write", |status| status.started == 1)
        .await;
}

/// A12: a ledger that is some days ahead is possible (clocks are set back), yet its slots pass, and that is no secret.
#[tokio::test(flavor = "multi_thread")]
async fn a_ledger_that_is_days_ahead_of_the_clock_is_told() {
    let ground = Ground::without_policy("a12-ahead").await;
    let attacker = writer(&ground.victim).await;
    ground.victim.task("victim", hangs()).await;
    let operator = ground.operator(NOW).await;
    ground.victim.settled("victim").await;
    assert!(write(&attacker, json!({"accountedUntil": "2027-01-31T00:00:00Z"})).await);
    operator.set("2027-01-02T10:00:00Z");
    let says = |status: &punctual::api::ScheduledTaskStatus| {
        let is = |kind: &str, word: &str| status.condition(kind).is_some_and(|condition| condition.status == word);
        is("Ready", "False") || is("Healthy", "False") || is("Overdue", "True")
    };
    ground.victim.status("victim", "somebody to say that nothing runs", says).await;
}

/// A12: Resetting forgets what was, says so, keeps the runs that go on, and starts nothing of the past.
#[tokio::test(flavor = "multi_thread")]
async fn a_ledger_is_reset_by_its_author_and_nothing_of_the_past_starts() {
    let ground = Ground::new("reset").await;
    ground
        .victim
        .task(
            "victim",
            json!({"jobTemplate": {"spec": {"suspend": true}}, "missedRunPolicy": "All"}),
        )
        .await;
    let operator = ground.operator(NOW).await;
    ground.victim.settled("victim").await;
    operator.set(SLOT);
    ground
        .victim
        .status("victim", "the slot to be started", |status| status.started == 1)
        .await;
    operator.set("2027-01-01T10:02:10Z");
    let before = ground
        .victim
        .status("victim", "the next one too", |status| status.started == 2)
        .await;
    operator.rests().await;
    ground.victim.annotate("victim", "punctual.dev/reset-ledger", Some("1")).await;
    ground.victim.is_told("victim", "LedgerReset", "2 started").await;
    let status = ground.victim.settled("victim").await;
    assert_eq!(
        (status.started, status.running, status.missed),
        (2, 2, 0),
        "runs that go on stay: {status:#?}"
    );
    assert_eq!(status.active, before.active);
    operator.rests().await;
    assert_eq!(ground.victim.job_names().await.len(), 2);
    operator.set("2027-01-01T10:03:00Z");
    let status = ground
        .victim
        .status("victim", "the next slot to be started", |status| status.started == 3)
        .await;
    assert_eq!((status.missed, status.skipped), (0, 0));
    // The same value again is no new request.
    ground.victim.annotate("victim", "punctual.dev/reset-ledger", Some("1")).await;
    operator.rests().await;
    assert_eq!(ground.victim.settled("victim").await.started, 3);
}

/// A backfill of 400 days of seconds is counted, not carried out.
#[tokio::test(flavor = "multi_thread")]
async fn a_backfill_without_end_is_refused_and_makes_no_job() {
    let ground = Ground::new("bomb").await;
    ground
        .attacker
        .task("bomb", json!({"schedule": "* * * * * *", "suspend": true, "backfillLimit": 1000}))
        .await;
    let victim = ground.victim.task("victim", hangs()).await;
    make(&ground.attacker, kept(forged(&victim, SLOT))).await;
    let operator = ground.operator(NOW).await;
    ground.attacker.settled("bomb").await;
    ground.victim.settled("victim").await;
    for interval in [
        "2025-11-27T00:00:00Z/2027-01-01T00:00:00Z",
        "-009999-01-02T00:00:00Z/2027-01-01T00:00:00Z",
        "P9999Y/2027-01-01T00:00:00Z",
    ] {
        ground.attacker.annotate("bomb", "punctual.dev/backfill", Some(interval)).await;
        ground
            .attacker
            .status("bomb", &format!("{interval} to be refused"), |status| {
                status
                    .last_refused_request
                    .as_ref()
                    .is_some_and(|refused| refused.value == interval)
            })
            .await;
    }
    operator.rests().await;
    assert_eq!(ground.attacker.job_names().await.len(), 1, "the forged one");
    operator.set(SLOT);
    ground
        .victim
        .status("victim", "the slot to be started", |status| status.started == 1)
        .await;
}
