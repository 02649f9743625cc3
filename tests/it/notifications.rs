//! Notifications from a real cluster to a receiver that comes and goes.
//!
//! Takes outcomes that a test brings about, gives what the receiver was sent.

#[allow(dead_code, reason = "tests of the sinks ask for more of what was sent")]
#[path = "../notify/receiver.rs"]
mod receiver;

use crate::harness::{Operator, World, at, until};
use jiff::{SignedDuration, Timestamp};
use k8s_openapi::api::core::v1::ConfigMap;
use kube::Api;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use prost::Message;
use receiver::{Receiver, status};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// A world, a receiver that may be away, and the file that names it.
struct Told {
    world: World,
    receiver: Receiver,
    is_away: Arc<AtomicBool>,
    file: PathBuf,
    _directory: tempfile::TempDir,
}

/// What the receiver never takes.
const REFUSED: &str = "words that a filter refuses";
const BEGIN: &str = "2027-01-01T10:00:30Z";

impl Told {
    async fn new(name: &str, route: &str) -> Told {
        let world = World::new(name).await;
        let is_away = Arc::new(AtomicBool::new(false));
        let away = is_away.clone();
        let receiver = Receiver::start(move |seen| {
            let is_refused = String::from_utf8_lossy(&seen.body).contains(REFUSED);
            status(if is_refused || away.load(Ordering::SeqCst) { 503 } else { 204 })
        })
        .await;
        let directory = tempfile::tempdir().expect("a directory");
        let file = directory.path().join("notifications.yaml");
        let told = Told {
            world,
            receiver,
            is_away,
            file,
            _directory: directory,
        };
        told.configure(route);
        told
    }

    fn configure(&self, route: &str) {
        let url = format!("http://127.0.0.1:{}/", self.receiver.port);
        let text = format!("sinks: [{{name: events, http: {{url: '{url}'}}}}]\nroutes: [{route}]\n");
        std::fs::write(&self.file, text).expect("a file");
    }

    fn operator(&self, now: Timestamp) -> Operator {
        Operator::start_telling(self.world.client.clone(), &self.world.namespace, now, &self.file)
    }

    /// What it was sent and took, in that order.
    fn events(&self) -> Vec<Value> {
        let seen = self.receiver.seen().into_iter();
        seen.map(|seen| serde_json::from_slice(&seen.body).expect("JSON")).collect()
    }

    fn outcomes(&self) -> Vec<String> {
        let word = |event: &Value| event["data"]["outcome"].as_str().unwrap_or_default().to_owned();
        self.events().iter().map(word).collect()
    }

    async fn sent(&self, count: usize) -> Vec<Value> {
        until("so many events", || async { (self.events().len() >= count).then_some(()) }).await;
        self.events()
    }

    async fn end(&self, slot: Timestamp, code: i32) {
        let job = format!("report-{}", slot.as_second());
        self.world.job(&job).await;
        self.world.end_job(&job, code, "last words").await;
    }

    async fn book(&self) -> Option<ConfigMap> {
        let maps: Api<ConfigMap> = Api::namespaced(self.world.client.clone(), &self.world.namespace);
        maps.get_opt("punctual-told").await.expect("read")
    }
}

fn minute(number: i64) -> Timestamp {
    at("2027-01-01T10:00:00Z") + SignedDuration::from_mins(number)
}

#[tokio::test(flavor = "multi_thread")]
async fn each_outcome_is_an_event_and_a_restart_tells_none_again() {
    let told = Told::new("told-each", "{sinks: [events], outcomes: ['*'], repeat: each}").await;
    let operator = told.operator(at(BEGIN));
    told.world.task("report", json!({})).await;
    told.world.settled("report").await;
    operator.set_to(minute(1));
    told.sent(1).await;
    told.end(minute(1), 0).await;
    told.sent(2).await;
    operator.set_to(minute(2));
    told.sent(3).await;
    told.end(minute(2), 3).await;
    let events = told.sent(4).await;
    assert_eq!(told.outcomes(), ["Started", "Succeeded", "Started", "Failed"]);
    let failed = &events[3];
    let uid = told.world.tasks().get("report").await.unwrap().metadata.uid.unwrap();
    assert_eq!(failed["id"], json!(format!("{uid}/{}/1/failed/2", minute(2))));
    assert_eq!(failed["type"], "dev.punctual.run.failed.v1alpha1");
    assert_eq!(failed["subject"], json!(format!("{}/report", told.world.namespace)));
    assert_eq!(failed["data"]["run"]["exitCode"], 3);
    assert_eq!(
        (&events[1]["data"]["sequence"], &failed["data"]["sequence"]),
        (&json!(1), &json!(2))
    );
    operator.stop().await;
    assert!(
        told.book()
            .await
            .is_some_and(|book| book.binary_data.is_some_and(|pages| pages.contains_key("events")))
    );
    // The next process tells only what is new.
    let operator = told.operator(minute(2));
    operator.set_to(minute(3));
    told.end(minute(3), 0).await;
    told.sent(7).await;
    assert_eq!(told.outcomes()[4..], ["Started", "Succeeded", "Recovered"]);
    operator.stop().await;
}

/// The ledger keeps what a receiver could not take, and a process that crashed leaves no gap.
#[tokio::test(flavor = "multi_thread")]
async fn a_receiver_that_is_away_and_an_operator_that_crashes_lose_nothing() {
    const ROUNDS: i64 = 30;
    let told = Told::new("told-crash", "{sinks: [events], outcomes: ['*'], repeat: each}").await;
    let mut operator = told.operator(at(BEGIN));
    told.world.task("report", json!({"runHistoryLimit": 100})).await;
    told.world.settled("report").await;
    until("the book to be begun", || told.book()).await;
    for round in 1..=ROUNDS {
        told.is_away.store(round % 3 != 0, Ordering::SeqCst);
        operator.set_to(minute(round));
        told.end(minute(round), i32::from(round % 2 == 0)).await;
        told.world
            .status("report", "its end", |status| status.succeeded + status.failed == round)
            .await;
        // It writes nothing down any more.
        operator.crash().await;
        operator = told.operator(minute(round));
    }
    told.is_away.store(false, Ordering::SeqCst);
    let numbers = || {
        let numbers = told.events().into_iter().filter_map(|event| event["data"]["sequence"].as_i64());
        numbers.collect::<BTreeSet<i64>>()
    };
    until("all numbers", || async { (numbers().len() as i64 == ROUNDS).then_some(()) }).await;
    assert_eq!(numbers(), (1..=ROUNDS).collect());
    // Whatever was told twice is known by its id.
    let mut by_id: BTreeMap<String, Value> = BTreeMap::new();
    for event in told.events() {
        let id = event["id"].as_str().expect("an id").to_owned();
        let known = by_id.entry(id).or_insert_with(|| event.clone());
        assert_eq!(known["data"]["run"]["slot"], event["data"]["run"]["slot"]);
    }
    operator.stop().await;
}

/// A tenant whose container prints what the receiver refuses keeps nobody else's outcomes back.
#[tokio::test(flavor = "multi_thread")]
async fn a_message_that_is_refused_for_ever_holds_up_nobody_else() {
    let told = Told::new("told-refused", "{sinks: [events], outcomes: [Failed], repeat: each}").await;
    let operator = told.operator(at(BEGIN));
    for task in ["hostile", "report"] {
        told.world.task(task, json!({})).await;
        told.world.settled(task).await;
    }
    for round in 1..=3 {
        operator.set_to(minute(round));
        let job = format!("hostile-{}", minute(round).as_second());
        told.world.job(&job).await;
        told.world.end_job(&job, 1, REFUSED).await;
        told.world.status("hostile", "its end", |status| status.failed == round).await;
        told.end(minute(round), 1).await;
    }
    let of_report = || {
        let taken = told.events().into_iter().filter(|event| !event.to_string().contains(REFUSED));
        taken
            .filter_map(|event| event["data"]["sequence"].as_i64())
            .collect::<BTreeSet<i64>>()
    };
    until("the others", || async { (of_report().len() == 3).then_some(()) }).await;
    assert_eq!(of_report(), (1..=3).collect());
    until("only the other one to wait", || async {
        (operator.metric(r#"punctual_notification_tasks_waiting{sink="events"}"#) == 1.0).then_some(())
    })
    .await;
    operator.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_storm_of_failures_is_one_event_and_its_end_another() {
    let told = Told::new("told-once", "{sinks: [events]}").await;
    let operator = told.operator(at(BEGIN));
    told.world.task("report", json!({})).await;
    told.world.settled("report").await;
    for (round, code) in [(1, 1), (2, 1), (3, 1), (4, 0)] {
        operator.set_to(minute(round));
        told.end(minute(round), code).await;
        told.world
            .status("report", "its end", |status| status.succeeded + status.failed == round)
            .await;
    }
    told.sent(2).await;
    until("nothing more to do", || async { operator.is_quiet().then_some(()) }).await;
    assert_eq!(told.outcomes(), ["Failed", "Recovered"]);
    operator.stop().await;
}

/// A file that is wrong in parts is used where it is right, and read again when it changes.
#[tokio::test(flavor = "multi_thread")]
async fn a_configuration_that_changes_is_read_again() {
    let told = Told::new("told-file", "{sinks: [nobody]}").await;
    let operator = told.operator(at(BEGIN));
    told.world.task("report", json!({})).await;
    told.world.settled("report").await;
    until("the mistake to be counted", || async {
        (operator.metric("punctual_notification_config_errors ") == 1.0).then_some(())
    })
    .await;
    operator.set_to(minute(1));
    told.end(minute(1), 1).await;
    told.world.status("report", "its end", |status| status.failed == 1).await;
    told.configure("{sinks: [events]}");
    until("the mistake to be gone", || async {
        (operator.metric("punctual_notification_config_errors ") == 0.0).then_some(())
    })
    .await;
    operator.set_to(minute(2));
    told.end(minute(2), 0).await;
    told.sent(1).await;
    // The failure was before anybody wanted to know.
    assert_eq!(told.outcomes(), ["Recovered"]);
    operator.stop().await;
}

/// A trace for each slot, whose id a container gets to know; without a request of its own to the API server.
#[tokio::test(flavor = "multi_thread")]
async fn a_slot_is_a_trace_that_its_container_knows() {
    let world = World::new("traced").await;
    let collector = Receiver::start(|_| status(200)).await;
    let endpoint = format!("http://127.0.0.1:{}/v1/traces", collector.port);
    let operator = Operator::start_tracing(world.client.clone(), &world.namespace, at(BEGIN), endpoint);
    world.task("report", json!({})).await;
    world.settled("report").await;
    operator.set_to(minute(1));
    let name = format!("report-{}", minute(1).as_second());
    let job = world.job(&name).await;
    let pod = job.spec.expect("a spec").template.spec.expect("a pod");
    let env = pod.containers[0].env.as_ref().expect("variables").iter();
    let found = env.clone().find(|variable| variable.name == "TRACEPARENT").expect("TRACEPARENT");
    let parent = found.value.clone().expect("a value");
    world.end_job(&name, 3, "last words").await;
    let span = until("the trace", || async {
        let requests = collector
            .seen()
            .into_iter()
            .map(|seen| ExportTraceServiceRequest::decode(seen.body).expect("OTLP"));
        let scopes = requests.flat_map(|request| request.resource_spans).flat_map(|all| all.scope_spans);
        scopes.flat_map(|scope| scope.spans).find(|span| span.name == format!("JOB {name}"))
    })
    .await;
    let hex = |bytes: &[u8]| bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
    assert_eq!(parent, format!("00-{}-{}-01", hex(&span.trace_id), hex(&span.span_id)));
    operator.stop().await;
}
