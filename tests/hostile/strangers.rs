//! Jobs from another namespace, and with words that nobody expects: they stop and deceive nobody.

use crate::forged::{forged, kept, named};
use crate::ground::{Ground, make, maker_of_jobs, tenant};
use crate::harness::{Operator, until};
use jiff::Timestamp;
use kube::ResourceExt;
use kube::api::{Patch, PatchParams};
use serde_json::{Value, json};

const NOW: &str = "2027-01-01T10:00:00Z";
const SLOT: &str = "2027-01-01T10:01:00Z";

/// Owner names that could trip who reads them.
fn odd_names() -> Vec<String> {
    let mut names: Vec<String> = ["é".repeat(30), "é".repeat(253), "日本".repeat(16), "🦀".repeat(13)].into();
    // A cut at any byte falls into a character of these.
    names.extend((44..56).map(|plain| format!("{}{}", "a".repeat(plain), "é".repeat(20))));
    names.extend([
        "a".repeat(1_000_000),
        "\u{1b}]0;owned\u{7}\u{202e}".into(),
        " ".into(),
        "../../x".into(),
        "\n".into(),
    ]);
    names
}

/// A1: one Job with our label whose owner has a name of odd characters, and slots that no calendar knows.
#[tokio::test(flavor = "multi_thread")]
async fn no_words_on_a_job_stop_the_operator() {
    let ground = Ground::new("a1").await;
    let attacker = maker_of_jobs(&ground.attacker).await;
    let victim = ground
        .victim
        .task("victim", json!({"jobTemplate": {"spec": {"suspend": true}}}))
        .await;
    for (number, name) in odd_names().into_iter().enumerate() {
        let mut job = kept(named(&victim, &format!("odd-{number}"), "2027-01-01T10:01:00Z"));
        job["metadata"]["ownerReferences"][0]["name"] = json!(name);
        make(&attacker, job).await;
    }
    for (number, (annotation, value)) in odd_annotations().into_iter().enumerate() {
        let mut job = kept(forged(&victim, SLOT));
        job["metadata"]["name"] = json!(format!("victim-{}", 1_798_797_660 + number));
        job["metadata"]["annotations"][annotation] = json!(value);
        make(&attacker, job).await;
    }
    let operator = ground.operator(NOW).await;
    ground.victim.settled("victim").await;
    operator.set(SLOT);
    ground
        .victim
        .status("victim", "the slot to be started", |status| status.started == 1)
        .await;
    // Again: as events of the watch, and not of the first list.
    let mut late = kept(forged(&victim, "2027-01-01T10:02:00Z"));
    late["metadata"]["ownerReferences"][0]["name"] = json!("é".repeat(30));
    make(&attacker, late).await;
    operator.set("2027-01-01T10:02:00Z");
    let status = ground
        .victim
        .status("victim", "the next one as well", |status| status.started == 2)
        .await;
    assert_eq!((status.missed, status.skipped), (0, 0));
    for resource in ["jobs", "tasks"] {
        let name = format!("punctual_quarantined_total{{resource=\"{resource}\"}}");
        assert_eq!(operator.metric(&name), 0.0, "it is read, not survived");
    }
    operator.stop().await;
}

fn odd_annotations() -> Vec<(&'static str, String)> {
    let slots = [
        "-9999-01-01T00:00:00Z",
        "-000001-01-01T00:00:00Z",
        "0000-01-01T00:00:00Z",
        "9999-12-31T23:59:59Z",
        "9999-12-30T22:00:00.999999999Z",
        "+10000-01-01T00:00:00Z",
        "2027-01-01T10:01:00.999999999Z",
        "2027-01-01T10:01:00+25:59",
        "2027-01-01T10:01:00-23:59[Europe/Berlin][u-ca=hebrew]",
        "5787-10-22[u-ca=hebrew]",
        "2027-W53-5",
        "",
        "\u{1b}[2J",
        "é",
    ];
    let attempts = ["0", "-1", "2147483648", "9223372036854775808", "many", "", "١", "+2", "1e3"];
    let mut all: Vec<(&str, String)> = slots.map(|slot| ("punctual.dev/slot", slot.to_owned())).into();
    all.extend(attempts.map(|attempt| ("punctual.dev/attempt", attempt.to_owned())));
    all.extend(["Manual", "Backfill", "é", ""].map(|trigger| ("punctual.dev/trigger", trigger.to_owned())));
    all.extend(["", "é", "ffffffffffffffffffffffff", "-1"].map(|mark| ("punctual.dev/mark", mark.to_owned())));
    for long in ["punctual.dev/slot", "punctual.dev/attempt", "punctual.dev/mark", "punctual.dev/run"] {
        all.push((long, "é".repeat(125_000)));
    }
    all
}

/// A2: the UID of a task is no secret, and a Job of another namespace that names it moves nothing.
#[tokio::test(flavor = "multi_thread")]
async fn a_job_of_another_namespace_moves_no_ledger() {
    let ground = Ground::new("a2").await;
    let attacker = maker_of_jobs(&ground.attacker).await;
    let victim = ground
        .victim
        .task("victim", json!({"jobTemplate": {"spec": {"suspend": true}}}))
        .await;
    make(&attacker, kept(forged(&victim, "2099-01-01T00:00:00Z"))).await;
    let operator = ground.operator(NOW).await;
    ground.victim.settled("victim").await;
    for slot in ["2099-01-01T00:01:00Z", "2027-01-01T10:01:00Z", "2027-01-01T09:59:00Z"] {
        make(&attacker, kept(forged(&victim, slot))).await;
    }
    operator.set(SLOT);
    let status = ground
        .victim
        .status("victim", "the slot to be started", |status| status.started == 1)
        .await;
    assert_eq!((status.missed, status.skipped, status.active.len()), (0, 0, 1), "{status:#?}");
    let until = status.accounted_until.expect("it is accounted for").0;
    assert_eq!(until, SLOT.parse::<Timestamp>().unwrap());
    assert_eq!(ground.attacker.job_names().await.len(), 4, "strangers are left alone");
}

/// A8: Jobs of team-b may be listed long before the tasks of team-a; whatever comes first, nobody is forgotten.
#[tokio::test(flavor = "multi_thread")]
async fn a_job_of_one_watched_namespace_that_names_a_task_of_another_makes_nobody_forget_it() {
    let ground = Ground::new("a8").await;
    let attacker = maker_of_jobs(&ground.attacker).await;
    let victim = ground
        .victim
        .task("victim", json!({"jobTemplate": {"spec": {"suspend": true}}}))
        .await;
    for slot in ["2027-01-01T10:01:00Z", "2027-01-01T10:02:00Z", "2099-01-01T00:00:00Z"] {
        make(&attacker, kept(forged(&victim, slot))).await;
    }
    for minute in 1..6 {
        let operator = ground.operator(&format!("2027-01-01T10:{:02}:30Z", minute - 1)).await;
        // A new list and the watch, in any order.
        let more = format!("2027-01-01T11:{minute:02}:00Z");
        make(&attacker, kept(forged(&victim, &more))).await;
        ground.victim.settled("victim").await;
        operator.set(&format!("2027-01-01T10:{minute:02}:00Z"));
        let status = ground
            .victim
            .status("victim", "the slot to be started", |status| status.started == minute)
            .await;
        assert_eq!(status.missed, 0);
        assert_eq!(operator.metric("punctual_tasks "), 1.0);
        operator.stop().await;
    }
}

/// A1: who may also write the status of Jobs in a namespace writes a time there that Go reads and the operator cannot.
#[tokio::test(flavor = "multi_thread")]
async fn a_job_with_a_time_beyond_all_times_ends_no_watch() {
    let ground = Ground::new("a1-time").await;
    let rules = json!([{"apiGroups": ["batch"], "resources": ["*"], "verbs": ["*"]}]);
    let attacker = tenant(&ground.attacker, "owner-of-jobs", rules).await;
    let victim = ground
        .victim
        .task("victim", json!({"jobTemplate": {"spec": {"suspend": true}}}))
        .await;
    make(&attacker, kept(forged(&victim, SLOT))).await;
    let odd = json!({"type": "Odd", "status": "True", "lastTransitionTime": "9999-12-31T23:59:59Z"});
    let status = json!({"status": {"startTime": "0000-01-01T00:00:00Z", "conditions": [odd]}});
    let name = punctual::plan::job_name("victim", SLOT.parse().unwrap(), 1);
    let written = attacker
        .jobs()
        .patch_status(&name, &PatchParams::default(), &Patch::Merge(status))
        .await;
    written.map(drop).or_else(only_unreadable).expect("the status is taken");
    let operator = ground.operator(NOW).await;
    ground.victim.settled("victim").await;
    operator.set(SLOT);
    ground
        .victim
        .status("victim", "the slot to be started", |status| status.started == 1)
        .await;
    assert_eq!(operator.metric("punctual_watch_errors_total{resource=\"jobs\"}"), 0.0);
}

/// The client that this test uses cannot read the answer either: it was taken all the same.
fn only_unreadable(error: kube::Error) -> Result<(), kube::Error> {
    match error {
        kube::Error::SerdeError(_) => Ok(()),
        other => Err(other),
    }
}

/// A2: Deleting what was forged, and forging it again, is nothing that the victim's task hears of.
#[tokio::test(flavor = "multi_thread")]
async fn jobs_that_come_and_go_in_another_namespace_cost_the_victim_nothing() {
    let ground = Ground::new("a2-gone").await;
    let attacker = maker_of_jobs(&ground.attacker).await;
    let victim = ground.victim.task("victim", json!({"suspend": true})).await;
    let operator = ground.operator(NOW).await;
    ground.victim.settled("victim").await;
    operator.rests().await;
    let before = work(&operator);
    for _ in 0..50 {
        let job = make(&attacker, forged(&victim, SLOT)).await;
        ground.attacker.delete_job(&job.name_any()).await;
    }
    until("the operator to have nothing to do", || async { operator.is_quiet().then_some(()) }).await;
    assert_eq!(work(&operator), before);
    let left: Value = serde_json::to_value(ground.victim.settled("victim").await).expect("JSON");
    assert_eq!(left["active"], Value::Null);
}

/// Requests that are about tasks: the Lease is renewed all the time.
fn work(operator: &Operator) -> f64 {
    let verbs = ["create", "status", "delete", "get task", "get job", "list pods", "event"];
    verbs
        .map(|verb| operator.metric(&format!("punctual_api_requests_total{{verb=\"{verb}\"}}")))
        .iter()
        .sum()
}
