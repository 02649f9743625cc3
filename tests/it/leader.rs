//! Leadership with real processes: who leads, who follows, and how people see it.
//!
//! Takes replicas with short leases, each under a user and on a wire of its own; gives what the lease, the audit log, metrics,
//! events and logs say. Never judges a time: it waits for what must come.

mod deposed;
mod lapse;
mod refusals;
mod second;

use crate::harness::{Fault, Link, Operator, Pace, Proxy, Replica, Request, World, at, cluster, requests, until};
use http::Method;
use k8s_openapi::api::core::v1::Event;
use kube::api::{Api, ListParams};
use serde_json::json;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// So many replicas of a namespace in which they have the chart's rights, each of them ready.
async fn replicas(name: &str, count: usize) -> (World, Vec<Replica>) {
    let world = World::new(name).await;
    world.allow_tasks().await;
    world.allow_lease().await;
    let mut replicas = Vec::new();
    for number in 0..count {
        let mut replica = Replica::new(&world, cluster(), &format!("replica-{number}"), Pace::SHORT).await;
        replica.start_ready().await;
        replicas.push(replica);
    }
    until("somebody to lead", || world.holder()).await;
    (world, replicas)
}

/// Who leads and who follows.
async fn ranks(world: &World, mut replicas: Vec<Replica>) -> (Replica, Vec<Replica>) {
    let holder = until("somebody to lead", || world.holder()).await;
    let leader = replicas.iter().position(|replica| replica.identity == holder).expect("one of ours");
    let leader = replicas.remove(leader);
    leader.until_it_leads(true).await;
    (leader, replicas)
}

/// Writes for tasks, by everyone whose name begins so.
async fn work_of(users: &str) -> Vec<Request> {
    let users = users.to_owned();
    let all = tokio::task::spawn_blocking(move || requests(cluster(), &users)).await.unwrap();
    all.into_iter().filter(|one| one.is_write() && !one.is_about_the_lease()).collect()
}

/// Waits until more slots than `than` were started.
async fn more_starts(world: &World, task: &str, than: i64) -> i64 {
    world.status(task, "more slots", |status| status.started > than).await.started
}

#[tokio::test(flavor = "multi_thread")]
async fn one_of_three_leads_and_the_others_are_ready_and_warm_and_write_nothing() {
    let (world, replicas) = replicas("three", 3).await;
    world
        .task(
            "all",
            json!({"schedule": "* * * * * *", "jobTemplate": {"spec": {"suspend": true}}}),
        )
        .await;
    let (leader, standbys) = ranks(&world, replicas).await;
    more_starts(&world, "all", 3).await;
    for standby in &standbys {
        assert!(standby.is_ready() && !standby.leads());
        // Warm: it knows what the leader knows.
        until("the standby to know Jobs", || async {
            (standby.metric("punctual_tasks ")? == 1.0 && standby.metric("punctual_jobs ")? >= 3.0).then_some(())
        })
        .await;
        assert!(work_of(&standby.user).await.is_empty());
    }
    assert!(!work_of(&leader.user).await.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_leader_that_is_told_to_stop_lets_go_after_its_last_write_and_the_next_takes_it() {
    let (world, replicas) = replicas("graceful", 2).await;
    world
        .task(
            "all",
            json!({"schedule": "* * * * * *", "jobTemplate": {"spec": {"suspend": true}}}),
        )
        .await;
    let (mut leader, standbys) = ranks(&world, replicas).await;
    more_starts(&world, "all", 2).await;
    leader.ask_to_stop();
    assert_eq!(leader.ended().await, Some(0));
    assert!(leader.log().contains("lease released"), "{}", leader.log());
    assert_eq!(world.holder_other_than(&leader.identity).await, standbys[0].identity);
    let before = world.tasks().get("all").await.unwrap().status.unwrap().started;
    more_starts(&world, "all", before + 1).await;
    let lease = world.lease().await.unwrap().spec.unwrap();
    assert_eq!(lease.lease_transitions, Some(1));
    let theirs = requests(cluster(), &leader.user);
    let last = theirs.iter().rfind(|one| one.is_write() && one.resource != "events").unwrap();
    assert!(last.is_about_the_lease() && last.is_done(), "{last:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_leader_that_is_killed_is_followed_and_comes_back_as_a_standby() {
    let (world, replicas) = replicas("killed", 2).await;
    world
        .task(
            "all",
            json!({"schedule": "* * * * * *", "missedRunPolicy": "All", "jobTemplate": {"spec": {"suspend": true}}}),
        )
        .await;
    let seen = world.recorder().await;
    let (mut leader, standbys) = ranks(&world, replicas).await;
    let started = more_starts(&world, "all", 2).await;
    leader.kill();
    assert_eq!(world.holder_other_than(&leader.identity).await, standbys[0].identity);
    leader.start_ready().await;
    more_starts(&world, "all", started + 6).await;
    assert!(standbys[0].leads() && !leader.leads());
    // The slots of the gap are there, each once.
    let slots = seen.slots().await;
    assert!(
        slots.windows(2).all(|pair| pair[1].as_second() - pair[0].as_second() == 1),
        "{slots:?}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_leader_that_is_cut_off_becomes_a_standby_without_a_restart_and_may_lead_again() {
    let (world, replicas) = replicas("cut", 2).await;
    world
        .task(
            "all",
            json!({"schedule": "* * * * * *", "jobTemplate": {"spec": {"suspend": true}}}),
        )
        .await;
    let (mut one, mut two) = {
        let (leader, mut standbys) = ranks(&world, replicas).await;
        (leader, standbys.remove(0))
    };
    for link in [Link::Silent, Link::Refused] {
        let pid = one.pid();
        one.link(link);
        one.until_it_leads(false).await;
        world.holder_other_than(&one.identity).await;
        one.link(Link::Up);
        let before = world.tasks().get("all").await.unwrap().status.unwrap_or_default().started;
        more_starts(&world, "all", before + 1).await;
        assert!(one.runs() && one.pid() == pid && one.is_ready() && !one.leads(), "{}", one.log());
        assert!(one.log().contains("stopped leading"), "{}", one.log());
        // It leads again when the other goes.
        std::mem::swap(&mut one, &mut two);
    }
    two.ask_to_stop();
    assert_eq!(two.ended().await, Some(0));
    one.until_it_leads(true).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_leads_is_told_by_the_lease_metrics_events_and_logs() {
    let (world, replicas) = replicas("told", 2).await;
    let (leader, standbys) = ranks(&world, replicas).await;
    let lease = world.lease().await.unwrap().spec.unwrap();
    assert_eq!((lease.lease_duration_seconds, lease.lease_transitions), (Some(3), Some(0)));
    assert!(lease.acquire_time.is_some() && lease.renew_time.is_some());
    assert_eq!(leader.metric("punctual_leader "), Some(1.0));
    assert_eq!(standbys[0].metric("punctual_leader "), Some(0.0));
    assert!(leader.log().contains(r#""message":"started leading""#), "{}", leader.log());
    let told = format!(r#""holder":"{}""#, leader.identity);
    until("the standby to say who leads", || async {
        standbys[0].log().contains(&told).then_some(())
    })
    .await;
    let events: Api<Event> = Api::namespaced(world.client.clone(), &world.namespace);
    let event = until("an event on the lease", || async {
        let params = ListParams::default().fields("involvedObject.kind=Lease");
        events.list(&params).await.expect("events").items.into_iter().next()
    })
    .await;
    assert_eq!(event.reason.as_deref(), Some("LeaderElection"));
    assert_eq!(event.message, Some(format!("{} became leader", leader.identity)));
    assert_eq!(event.involved_object.name.as_deref(), Some("punctual"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lease_that_somebody_deletes_never_makes_two_leaders() {
    let world = World::new("deleted").await;
    let start = |identity: &str| {
        let terms = Pace::SHORT.terms(identity, &world.namespace);
        Operator::start_by(world.client.clone(), &world.namespace, at("2027-01-01T10:00:30Z"), Some(terms))
    };
    let operators = [start("a"), start("b"), start("c")];
    let leases: Api<k8s_openapi::api::coordination::v1::Lease> = Api::namespaced(world.client.clone(), &world.namespace);
    for _ in 0..3 {
        until("somebody to lead", || async { operators.iter().any(Operator::leads).then_some(()) }).await;
        // Everyone looks more often than it is renewed.
        let version = || async { world.lease().await.and_then(|lease| lease.metadata.resource_version) };
        let first = version().await;
        until("a renewal", || async { version().await.filter(|now| first.as_ref() != Some(now)) }).await;
        leases.delete("punctual", &Default::default()).await.expect("deleted");
        until("a lease again", || async {
            let leading = operators.iter().filter(|operator| operator.leads()).count();
            assert!(leading <= 1, "{leading} lead at once");
            world.holder().await.filter(|_| leading == 1)
        })
        .await;
    }
    for operator in operators {
        operator.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_renewal_whose_answer_is_lost_costs_no_leadership() {
    let world = World::new("answer").await;
    let lose = Arc::new(AtomicUsize::new(0));
    let left = lose.clone();
    let proxy = Proxy::start(world.client.clone(), move |method, path| {
        let is_renewal = *method == Method::PUT && path.ends_with("/leases/punctual");
        let lost = is_renewal
            && left
                .fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| left.checked_sub(1))
                .is_ok();
        if lost { Fault::AnswerLost } else { Fault::None }
    })
    .await;
    let terms = Pace::SHORT.terms("alone", &world.namespace);
    let operator = Operator::start_by(proxy.client().await, &world.namespace, at("2027-01-01T10:00:30Z"), Some(terms));
    until("it to lead", || async { operator.leads().then_some(()) }).await;
    for _ in 0..5 {
        lose.store(1, Ordering::SeqCst);
        let version = || async { world.lease().await.and_then(|lease| lease.metadata.resource_version) };
        let before = version().await;
        // The lost one, and two that follow.
        for _ in 0..3 {
            let known = version().await;
            until("a renewal", || async {
                assert!(operator.leads(), "it stopped leading");
                version().await.filter(|now| known.as_ref() != Some(now))
            })
            .await;
        }
        assert_ne!(before, version().await);
        assert_eq!(lose.load(Ordering::SeqCst), 0);
    }
    operator.stop().await;
}
