//! D4: a process that was paused wakes as a deposed leader.
//!
//! Takes a proxy that stops the leader at the very request that a test names, gives what it sends after it wakes: nothing.

use crate::harness::{Fault, Pace, Proxy, Replica, World, cluster, signal, until};
use http::Method;
use jiff::Timestamp;
use punctual::api::ScheduledTaskStatus;
use punctual::clock::Clock;
use serde_json::json;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, Mutex};

fn accounted(status: &ScheduledTaskStatus) -> i64 {
    status.accounted_until.as_ref().map_or(0, |until| until.0.as_second())
}

/// A leader whose process is stopped as it sends its first write of that kind for a task; another follows and goes on; then the
/// first one wakes.
async fn stopped_at(name: &str, policy: &str, method: Method, path_ends: &'static str) {
    let world = World::new(name).await;
    let seen = world.recorder().await;
    world.allow_tasks().await;
    world.allow_lease().await;
    let pid = Arc::new(AtomicU32::new(0));
    let awake_again = Arc::new(AtomicBool::new(false));
    let after = Arc::new(Mutex::new(Vec::new()));
    let (stop, woken, written) = (pid.clone(), awake_again.clone(), after.clone());
    let (stopped, mut is_stopped) = tokio::sync::mpsc::unbounded_channel();
    let proxy = Proxy::start(world.client.clone(), move |sent, path| {
        let is_lease = path.contains("/leases");
        if woken.load(Ordering::SeqCst) && !is_lease {
            written.lock().unwrap().push(format!("{sent} {path}"));
        }
        let pid = stop.load(Ordering::SeqCst);
        if pid != 0 && *sent == method && path.ends_with(path_ends) {
            stop.store(0, Ordering::SeqCst);
            // It passes, and is answered to a process that does not hear.
            signal(pid, "STOP");
            let _ = stopped.send(());
        }
        Fault::None
    })
    .await;
    let mut first = Replica::behind(&world, &proxy, "first", Pace::SHORT);
    first.start_ready().await;
    first.until_it_leads(true).await;
    let mut second = Replica::new(&world, cluster(), "second", Pace::SHORT).await;
    second.start_ready().await;
    // Not before the test is ready for the first slot.
    let start = Timestamp::from_second(Clock::System.now().as_second() + 5).unwrap().to_string();
    world
        .task(
            "slots",
            json!({"schedule": "* * * * * *", "startAt": start, "concurrencyPolicy": policy, "jobTemplate": {"spec": {"suspend": true}}}),
        )
        .await;
    world.settled("slots").await;
    pid.store(first.pid(), Ordering::SeqCst);
    is_stopped.recv().await.expect("the leader comes to that write");
    world.holder_other_than("first").await;
    // What the first one had begun is finished by the second, and gone when the first one wakes: no name is left to stop it.
    world.status("slots", "the next leader to go on", |status| status.started > 0).await;
    for job in world.job_names().await {
        world.delete_job(&job).await;
    }
    awake_again.store(true, Ordering::SeqCst);
    first.thaw();
    until("the first to see that it was deposed", || async {
        first.log().contains("stopped leading").then_some(())
    })
    .await;
    assert!(first.runs() && !first.leads());
    // The next leader goes on, and the first one keeps still.
    let so_far = accounted(&world.tasks().get("slots").await.unwrap().status.unwrap());
    world
        .status("slots", "three more slots", |status| accounted(status) >= so_far + 3)
        .await;
    let written = after.lock().unwrap().clone();
    assert!(written.is_empty(), "written by who had been deposed: {written:?}\n{}", first.log());
    seen.assert_once().await;
}

/// D4
#[tokio::test(flavor = "multi_thread")]
async fn stopped_as_it_claims_a_slot_under_forbid_it_wakes_deposed_and_makes_no_job() {
    stopped_at("d4-claim", "Forbid", Method::PUT, "/configmaps/punctual-claims").await;
}

/// D4
#[tokio::test(flavor = "multi_thread")]
async fn stopped_as_it_claims_a_slot_under_queue_it_wakes_deposed_and_makes_no_job() {
    stopped_at("d4-queue", "Queue", Method::PUT, "/configmaps/punctual-claims").await;
}

/// D4
#[tokio::test(flavor = "multi_thread")]
async fn stopped_as_it_makes_a_job_under_allow_it_wakes_deposed_and_writes_nothing() {
    stopped_at("d4-job", "Allow", Method::POST, "/jobs").await;
}

/// D4
#[tokio::test(flavor = "multi_thread")]
async fn stopped_as_it_ends_a_run_under_replace_it_wakes_deposed_and_makes_no_job() {
    stopped_at("d4-replace", "Replace", Method::DELETE, "").await;
}
