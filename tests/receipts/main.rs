//! The receipts: an outcome of each slot reaches a real broker, while the broker and the operator are killed again and again.
//!
//! Takes `RECEIPTS_SLOTS` (200) and `RECEIPTS_KILLS` (2) of each, prints what was counted, and fails if an outcome has no receipt.
//! `make receipts` runs 10,000 and 50.

#[path = "../notify/authority.rs"]
#[allow(dead_code, reason = "made for tests/notify, of which this takes a part")]
mod authority;
#[path = "../chart/debian.rs"]
#[allow(dead_code, reason = "made for tests/chart, of which this takes a part")]
mod debian;
#[path = "../it/harness/mod.rs"]
#[allow(dead_code, unused_imports, reason = "made for tests/it, of which this takes a part")]
mod harness;
#[path = "../notify/rabbitmq.rs"]
#[allow(dead_code, reason = "made for tests/notify, of which this takes a part")]
mod rabbitmq;
#[path = "../notify/servers.rs"]
mod servers;

use cluster::{Cluster, NodeChoice, Options};
use harness::{Pace, Replica, World, until};
use kube::api::ListParams;
use lapin::options::{BasicAckOptions, BasicGetOptions, ExchangeDeclareOptions, QueueBindOptions, QueueDeclareOptions};
use lapin::types::FieldTable;
use lapin::{Connection, ConnectionProperties, ExchangeKind};
use rabbitmq::RabbitMq;
use serde_json::{Value, json};
use servers::{free_port, packages, until_open};
use std::collections::{BTreeMap, BTreeSet};
use std::io::Write;
use std::sync::OnceLock;
use std::time::{Duration, Instant};

/// Each has a slot every second.
const TASKS: usize = 10;
/// Where nothing has moved for so long, nothing will.
const PATIENCE: Duration = Duration::from_secs(60);

/// A cluster whose node completes pods on paper.
fn cluster() -> &'static Cluster {
    static CLUSTER: OnceLock<Cluster> = OnceLock::new();
    CLUSTER.get_or_init(|| {
        let options = Options {
            node: NodeChoice::Kwok,
            // By default it makes fewer pods a second than there are slots.
            controller_manager_args: ["--kube-api-qps=500", "--kube-api-burst=1000"].map(Into::into).into(),
            ..Options::default()
        };
        let cluster = Cluster::start(options).expect("a cluster");
        harness::install_crds(&cluster);
        cluster
    })
}

fn how_many(variable: &str, without: i64) -> i64 {
    std::env::var(variable).map_or(without, |value| value.parse().expect("a number"))
}

/// Waits until the number is this; a minute in which it does not move is a failure that says what was waited for.
async fn until_it_is(what: &str, is_enough: impl Fn(i64) -> bool, mut number: impl AsyncFnMut() -> i64) {
    let (mut last, mut moved) = (number().await, Instant::now());
    while !is_enough(last) {
        let now = number().await;
        if now != last {
            (last, moved) = (now, Instant::now());
        }
        assert!(moved.elapsed() < PATIENCE, "{what}: {now}, for a minute");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

/// How many runs go on, and tasks that do not know yet that they are suspended.
async fn left(world: &World) -> i64 {
    let tasks = world.tasks().list(&ListParams::default()).await.expect("the tasks");
    let of = |task: punctual::api::ScheduledTask| {
        let status = task.status.unwrap_or_default();
        let is_suspended = status.condition("Suspended").is_some_and(|condition| condition.status == "True");
        status.active.len() + usize::from(!is_suspended)
    };
    i64::try_from(tasks.items.into_iter().map(of).sum::<usize>()).expect("a number")
}

/// How many slots of each task have their outcome.
async fn outcomes(world: &World) -> BTreeMap<String, i64> {
    let tasks = world.tasks().list(&ListParams::default()).await.expect("the tasks");
    let of = |task: punctual::api::ScheduledTask| {
        let status = task.status.unwrap_or_default();
        let final_ones = status.succeeded + status.failed + status.cancelled + status.missed + status.skipped;
        (task.metadata.uid.expect("a UID"), final_ones)
    };
    tasks.items.into_iter().map(of).collect()
}

async fn connect(broker: &RabbitMq) -> Connection {
    until("the broker to take a connection", || async {
        Connection::connect(&broker.url(), ConnectionProperties::default()).await.ok()
    })
    .await
}

/// A durable queue that gets every event.
async fn declare(broker: &RabbitMq) {
    let connection = connect(broker).await;
    let channel = connection.create_channel().await.expect("a channel");
    let exchange = ExchangeDeclareOptions {
        durable: true,
        ..ExchangeDeclareOptions::default()
    };
    let queue = QueueDeclareOptions {
        durable: true,
        ..QueueDeclareOptions::default()
    };
    let none = FieldTable::default;
    channel
        .exchange_declare("runs".into(), ExchangeKind::Topic, exchange, none())
        .await
        .expect("an exchange");
    channel.queue_declare("inbox".into(), queue, none()).await.expect("a queue");
    channel
        .queue_bind("inbox".into(), "runs".into(), "#".into(), QueueBindOptions::default(), none())
        .await
        .expect("a binding");
}

/// What arrived: of each task the numbers that have a receipt; and how many events that took.
#[derive(Default)]
struct Receipts {
    numbers: BTreeMap<String, BTreeSet<i64>>,
    deliveries: usize,
    gaps: Vec<Value>,
}

impl Receipts {
    /// Takes all that is in the queue.
    async fn take(&mut self, broker: &RabbitMq) {
        let connection = connect(broker).await;
        let channel = connection.create_channel().await.expect("a channel");
        while let Some(got) = channel
            .basic_get("inbox".into(), BasicGetOptions::default())
            .await
            .expect("an answer")
        {
            got.delivery.ack(BasicAckOptions::default()).await.expect("an ack");
            let event: Value = serde_json::from_slice(&got.delivery.data).expect("JSON");
            self.deliveries += 1;
            let data = &event["data"];
            if data["outcome"] == "Gap" {
                self.gaps.push(event);
                continue;
            }
            // Recovered has no number, and neither has what goes on.
            let Some(last) = data["sequence"].as_i64() else { continue };
            let slots = data["slots"].as_i64().expect("slots");
            let uid = data["task"]["uid"].as_str().expect("a UID").to_owned();
            self.numbers.entry(uid).or_default().extend(last - slots + 1..=last);
        }
    }

    /// The outcomes without a receipt.
    fn missing(&self, all: &BTreeMap<String, i64>) -> Vec<(String, i64)> {
        let of = |(uid, count): (&String, &i64)| {
            let known = self.numbers.get(uid);
            let is_missing = |number: &i64| known.is_none_or(|known| !known.contains(number));
            (1..=*count)
                .filter(is_missing)
                .map(|number| (uid.clone(), number))
                .collect::<Vec<_>>()
        };
        all.iter().flat_map(of).collect()
    }
}

/// The broker and the operator are killed after equal shares of the slots, at moments that differ.
async fn kill_both_again_and_again(world: &World, broker: &mut RabbitMq, operator: &mut Replica, slots: i64, kills: i64) {
    for kill in 0..kills {
        let reached = (kill + 1) * slots / (kills + 1);
        until_it_is("outcomes", |count| count >= reached, async || outcomes(world).await.values().sum()).await;
        // The moment of a fault, not a wait for anything.
        tokio::time::sleep(Duration::from_millis(punctual::schedule::hash(&kill.to_string()) % 700)).await;
        if kill % 2 == 0 {
            operator.kill();
            broker.kill();
        } else {
            broker.kill();
            operator.kill();
        }
        operator.start();
        broker.start_again().await;
    }
    until_it_is("outcomes", |count| count >= slots, async || outcomes(world).await.values().sum()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn each_outcome_has_a_receipt_though_broker_and_operator_are_killed() {
    let (slots, kills) = (how_many("RECEIPTS_SLOTS", 200), how_many("RECEIPTS_KILLS", 2));
    let Some(mut broker) = RabbitMq::start().await else { return };
    declare(&broker).await;
    let world = World::on(cluster, "receipts").await;
    world.allow_tasks().await;
    world.allow_lease().await;
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("notifications.yaml");
    let sinks = json!([{"name": "events", "amqp": {"url": broker.url(), "exchange": "runs"}}]);
    let routes = json!([{"sinks": ["events"], "outcomes": ["*"], "repeat": "each"}]);
    std::fs::write(&file, json!({"sinks": sinks, "routes": routes}).to_string()).expect("a file");
    let mut operator = Replica::new(&world, cluster(), "operator", Pace::SHORT)
        .await
        .with_arg(format!("--notifications={}", file.display()));
    operator.start_ready().await;
    operator.until_it_leads(true).await;
    for number in 0..TASKS {
        let spec = json!({"schedule": "* * * * * *", "concurrencyPolicy": "Allow", "missedRunPolicy": "All", "missedRunLimit": 100,
            "runHistoryLimit": 100, "successfulJobsHistoryLimit": 1});
        world.task(&format!("report-{number}"), spec).await;
    }
    kill_both_again_and_again(&world, &mut broker, &mut operator, slots, kills).await;
    for number in 0..TASKS {
        world.edit(&format!("report-{number}"), json!({"suspend": true})).await;
    }
    until_it_is("runs that go on", |left| left == 0, async || left(&world).await).await;
    let all = outcomes(&world).await;
    let mut receipts = Receipts::default();
    let mut deliveries = Instant::now();
    while !receipts.missing(&all).is_empty() && deliveries.elapsed() < PATIENCE {
        let before = receipts.deliveries;
        receipts.take(&broker).await;
        if receipts.deliveries > before {
            deliveries = Instant::now();
        }
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    let (count, missing) = (all.values().sum::<i64>(), receipts.missing(&all));
    let figures = format!(
        "{count} outcomes, {} without a receipt, {} gaps, {} events; broker and operator killed {kills} times each\n",
        missing.len(),
        receipts.gaps.len(),
        receipts.deliveries,
    );
    // Not by print!: the figures of a test that passes are shown as well.
    std::io::stderr().write_all(figures.as_bytes()).expect("figures can be printed");
    assert!(
        count >= slots && missing.is_empty() && receipts.gaps.is_empty(),
        "{missing:?} {:?}\n{}",
        receipts.gaps,
        operator.log()
    );
    operator.ask_to_stop();
    assert_eq!(operator.ended().await, Some(0), "{}", operator.log());
}
