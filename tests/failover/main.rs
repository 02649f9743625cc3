//! The campaign: leadership is taken from one replica after the other in the very second of a slot, and every slot is counted
//! by a checker that shares nothing with the operator.
//!
//! Takes `FAILOVER_SHORT` (20) changes with leases of 3/2/0.5 s and `FAILOVER_DEFAULT` (2) with 15/10/2 s, gives one table, and
//! fails if a slot was lost, doubled or overlapped, or anything was written by who did not lead. Never judges a time: times
//! are printed. `make e2e-failover` runs 200 and 20.

#[path = "../it/harness/mod.rs"]
#[allow(dead_code, unused_imports, reason = "made for tests/it, of which this takes a part")]
mod harness;

mod arena;
mod books;
mod clock;
mod effect;
mod fault;
mod table;
mod witness;

use arena::Arena;
use cluster::{Cluster, NodeChoice, Options};
use fault::Kind;
use futures::future::join_all;
use harness::Pace;
use std::io::Write;
use std::sync::OnceLock;

/// A cluster whose node completes pods on paper, a second after they began.
fn cluster() -> &'static Cluster {
    static CLUSTER: OnceLock<Cluster> = OnceLock::new();
    CLUSTER.get_or_init(|| {
        let options = Options {
            node: NodeChoice::Kwok,
            ..Options::default()
        };
        let cluster = Cluster::start(options).expect("a cluster");
        harness::install_crds(&cluster);
        cluster
    })
}

fn how_many(variable: &str, without: usize) -> usize {
    std::env::var(variable).map_or(without, |value| value.parse().expect("a number"))
}

/// So many changes, by so many groups abreast, of two and of three replicas, each with a lease and tasks of its own.
async fn campaign(pace: Pace, changes: usize, abreast: usize) -> Vec<books::Books> {
    let groups = abreast.min(changes);
    let run = |group: usize| async move {
        let mut arena = Arena::new(pace, group, 2 + group % 2).await;
        for number in (group..changes).step_by(groups) {
            arena.change(Kind::of(number), number).await;
        }
        arena.close().await
    };
    join_all((0..groups).map(|group| tokio::spawn(run(group))))
        .await
        .into_iter()
        .map(|books| books.expect("a group comes to its end"))
        .collect()
}

/// M6
#[tokio::test(flavor = "multi_thread")]
async fn d4_whatever_befalls_the_leader_in_the_second_of_a_slot_each_slot_runs_once() {
    tokio::task::spawn_blocking(cluster).await.expect("a cluster");
    let (short, default) = tokio::join!(
        campaign(Pace::SHORT, how_many("FAILOVER_SHORT", 20), 4),
        campaign(Pace::DEFAULT, how_many("FAILOVER_DEFAULT", 2), 2),
    );
    // Not by print!: the figures of a test that passes are shown as well.
    let figures = table::table(&[(Pace::SHORT, &short), (Pace::DEFAULT, &default)]);
    std::io::stderr().write_all(figures.as_bytes()).expect("figures can be printed");
    let wrong: Vec<&String> = short.iter().chain(&default).flat_map(|books| &books.wrong).collect();
    assert!(wrong.is_empty(), "{wrong:#?}");
}
