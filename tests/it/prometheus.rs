//! A real Prometheus scrapes the real operator: the chart's alerts name the task and resolve, and the dashboard's queries give data.
//!
//! Where Prometheus cannot be had, the tests say so and do nothing.

#[path = "../chart/debian.rs"]
mod debian;
#[path = "../chart/helm.rs"]
#[allow(dead_code, reason = "the tests of the chart use the rest of it")]
mod helm;
#[path = "../chart/queries.rs"]
mod queries;
mod server;

use crate::harness::{Link, Pace, Replica, World, cluster, until};
use jiff::Timestamp;
use k8s_openapi::api::core::v1::ResourceQuota;
use kube::api::{Api, DeleteParams, Patch, PatchParams};
use punctual::api::{RESET_LEDGER, RESUME};
use punctual::clock::Clock;
use queries::Query;
use serde_json::{Value, json};
use server::Prometheus;
use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;

/// The task that the dashboard shows. It runs every two seconds, because a test waits for its runs.
const NIGHTLY: &str = "nightly";
const OFTEN: &str = "*/2 * * * * *";
const YEARLY: &str = "0 0 1 1 *";

/// Queries that give nothing while all tasks are in order, by a part of the query.
const EMPTY_IN_ORDER: [(&str, &str); 2] = [
    ("punctual_task_consecutive_failures) > 0", "no task fails"),
    ("Overdue|Reconciling|Stalled", "no task needs attention"),
];
/// Series that do not exist before they count something, and so queries that may give nothing.
const COUNTS_TROUBLE: [(&str, &str); 3] = [
    (r#"outcome=~"Missed|Skipped""#, "a slot was missed or skipped"),
    ("punctual_reconcile_errors_total", "a reconciliation failed"),
    ("punctual_watch_errors_total", "a watch was interrupted"),
];
/// What no test can show on a real cluster in a minute.
const NEVER_HERE: [(&str, &str); 5] = [
    ("punctual_quarantined_total", "only a bug in the operator sets objects aside"),
    ("punctual_watches_forbidden", "the operator has its rights"),
    ("punctual_notification", "nobody is notified"),
    (r#"reason="PreviousRunActive""#, "slots pile up behind a run for more than a minute"),
    (r#"reason!="PreviousRunActive""#, "the same"),
];

fn is_among(list: &[(&str, &str)], expr: &str) -> bool {
    list.iter().any(|(part, _)| expr.contains(part))
}

/// The chart with its alerts and its dashboard.
fn rendered() -> (Value, Value) {
    let objects = helm::set(&["prometheusRule.enabled=true", "grafanaDashboard.enabled=true"]);
    let mut rules = helm::of_kind(&objects, "PrometheusRule")[0]["spec"].clone();
    for rule in rules["groups"][0]["rules"].as_array_mut().expect("rules") {
        // Nobody waits for 15 minutes here. Nothing else of the rules is changed.
        if rule["for"] != "0m" {
            rule["for"] = "1s".into();
        }
    }
    (rules, queries::dashboard(helm::of_kind(&objects, "ConfigMap")[0]))
}

/// An operator with the chart's rights, and a Prometheus that scrapes it. Pods fail while the switch says so.
struct Scene {
    world: World,
    operator: Replica,
    prometheus: Prometheus,
    dashboard: Value,
    fails: Arc<AtomicBool>,
}

impl Scene {
    async fn new(name: &str, program: PathBuf) -> Scene {
        let world = World::new(name).await;
        world.allow_tasks().await;
        world.allow_lease().await;
        let mut operator = Replica::new(&world, cluster(), "alone", Pace::SHORT).await;
        operator.start_ready().await;
        operator.until_it_leads(true).await;
        let (rules, dashboard) = tokio::task::spawn_blocking(rendered).await.expect("rendered");
        let prometheus = Prometheus::start(&program, &rules).await;
        prometheus.scrape(&operator.address().expect("an address"));
        let fails = Arc::new(AtomicBool::new(false));
        let switch = fails.clone();
        world.end_jobs_as(move |_| i32::from(switch.load(Ordering::SeqCst)));
        Scene {
            world,
            operator,
            prometheus,
            dashboard,
            fails,
        }
    }

    /// The dashboard's queries for the task, as Grafana sends them.
    fn queries(&self) -> Vec<Query> {
        let mut queries = queries::of_panels(&self.dashboard);
        queries.extend(queries::of_variables(&self.dashboard));
        for query in &mut queries {
            for (variable, value) in [
                ("$namespace", self.world.namespace.as_str()),
                ("$task", NIGHTLY),
                ("$__rate_interval", "1m"),
            ] {
                query.expr = query.expr.replace(variable, value);
            }
            assert!(!query.expr.contains('$'), "{}: an unknown variable: {}", query.panel, query.expr);
        }
        queries
    }

    /// Waits until these queries give data; returns how many they are.
    async fn give_data(&self, are_asked: impl Fn(&str) -> bool) -> usize {
        let mut queries = self.queries();
        queries.retain(|query| are_asked(&query.expr));
        for Query { panel, expr } in &queries {
            until(&format!("data of {panel}: {expr}"), || async {
                let samples = self.prometheus.samples(expr).await;
                (!samples.is_empty()).then_some(())
            })
            .await;
        }
        queries.len()
    }

    /// Puts tasks into trouble of several kinds. Returns the alerts that must fire.
    async fn make_trouble(&self) -> Vec<String> {
        let world = &self.world;
        self.fails.store(true, Ordering::SeqCst);
        world.task("report", json!({"schedule": OFTEN, "suspendAfterFailures": 3})).await;
        world.task("typo", json!({"timeZone": "Mars/Olympus"})).await;
        let restored = json!({"schedule": YEARLY, "concurrencyPolicy": "Forbid"});
        world.task("restored", restored).await;
        world.settled("restored").await;
        // As a clock that was ahead leaves it, written by somebody with a fraction of a second.
        let ahead = Clock::System.now().as_second() + 6 * 3600;
        let ahead = json!({"status": {"accountedUntil": Timestamp::new(ahead, 123_456_789).expect("a time")}});
        let tasks = world.tasks();
        tasks
            .patch_status("restored", &PatchParams::default(), &Patch::Merge(ahead))
            .await
            .expect("the status is taken");
        let suspended = self.prometheus.fires("report to be suspended, and nightly to fail", |firing| {
            ["PunctualTaskSuspendedByFailures report", "PunctualTaskFailing nightly"]
                .iter()
                .all(|alert| firing.contains(*alert))
        });
        suspended.await;
        // A start is refused now, and no longer only its dry run.
        world.quota("full", json!({"count/jobs.batch": "0"})).await;
        [
            "PunctualSlotsMissed",
            "PunctualTaskFailing nightly",
            "PunctualTaskFailing report",
            "PunctualTaskFailingRepeatedly report",
            "PunctualTaskNeverSucceeded report",
            "PunctualTaskNotReady nightly",
            "PunctualTaskOverdue restored",
            "PunctualTaskStalled typo",
            "PunctualTaskSuspendedByFailures report",
        ]
        .map(str::to_owned)
        .into()
    }

    /// What people do about it.
    async fn help(&self) {
        let world = &self.world;
        self.fails.store(false, Ordering::SeqCst);
        let quotas: Api<ResourceQuota> = Api::namespaced(world.client.clone(), &world.namespace);
        quotas.delete("full", &DeleteParams::default()).await.expect("deleted");
        // An edit of the template ends the pause after refusals.
        let again = json!({"jobTemplate": {"metadata": {"annotations": {"example.com/try": "again"}}}});
        world.edit(NIGHTLY, again).await;
        world.edit("typo", json!({"timeZone": "Europe/Paris", "schedule": YEARLY})).await;
        world.annotate("report", RESUME, Some("now")).await;
        world.annotate("restored", RESET_LEDGER, Some("now")).await;
    }

    /// Asserts that each selector of the dashboard and of the alerts has had data.
    async fn every_selector_had_data(&self) {
        let rules = self.prometheus.rules().await;
        let mut exprs: Vec<String> = self.queries().into_iter().map(|query| query.expr).collect();
        for rule in &rules {
            assert_eq!((&rule["health"], &rule["lastError"]), (&json!("ok"), &Value::Null), "{rule}");
            exprs.push(rule["query"].as_str().expect("a query").to_owned());
        }
        let selectors: BTreeSet<&str> = exprs.iter().flat_map(|expr| queries::selectors(expr)).collect();
        for selector in &selectors {
            let samples = self.prometheus.samples(&format!("last_over_time({selector}[1h])")).await;
            assert!(
                !samples.is_empty() || is_among(&NEVER_HERE, selector),
                "{selector} has never had data"
            );
        }
        println!("{} selectors of {} alerts and the dashboard had data", selectors.len(), rules.len());
    }
}

/// F30: alerts name the task that is in trouble, and resolve when it is out of it.
#[tokio::test(flavor = "multi_thread")]
async fn a_real_prometheus_fires_and_resolves_alerts_that_name_the_task() {
    let Some(program) = tokio::task::spawn_blocking(|| debian::program("prometheus"))
        .await
        .expect("looked for")
    else {
        return;
    };
    let mut scene = Scene::new("prometheus", program).await;
    scene.world.task(NIGHTLY, json!({"schedule": OFTEN})).await;

    // In order: all panels but those of trouble show something, and nothing fires.
    let [in_trouble, counts, never] = [&EMPTY_IN_ORDER[..], &COUNTS_TROUBLE, &NEVER_HERE];
    let first = |expr: &str| ![in_trouble, counts, never].iter().any(|list| is_among(list, expr));
    let shown = scene.give_data(first).await;
    let in_order = |firing: &BTreeSet<String>| !firing.iter().any(|alert| alert.starts_with("PunctualTask"));
    scene.prometheus.fires("no alert to name a task", in_order).await;
    for query in scene.queries().iter().filter(|query| is_among(in_trouble, &query.expr)) {
        assert_eq!(
            scene.prometheus.samples(&query.expr).await,
            [Value::Null; 0],
            "{}: {}",
            query.panel,
            query.expr
        );
    }

    // In trouble.
    let alerts = scene.make_trouble().await;
    let fired = scene.prometheus.fires("alerts that name their tasks", |firing| {
        alerts.iter().all(|alert| firing.contains(alert))
    });
    let fired = fired.await;
    println!("fired: {fired:#?}");
    let shown = shown + scene.give_data(|expr| is_among(in_trouble, expr)).await;

    // Out of it.
    scene.help().await;
    let left = scene.prometheus.fires("the alerts of tasks to resolve", in_order).await;
    println!("resolved: {:#?}", fired.difference(&left));

    // The operator is cut off, and then killed.
    scene.operator.link(Link::Refused);
    scene
        .prometheus
        .fires("no leader", |firing| firing.contains("PunctualNoLeader"))
        .await;
    scene.operator.link(Link::Up);
    scene
        .prometheus
        .fires("a leader", |firing| !firing.contains("PunctualNoLeader"))
        .await;
    let shown = shown + scene.give_data(|expr| is_among(counts, expr)).await;
    scene.operator.kill();
    scene
        .prometheus
        .fires("no operator", |firing| firing.contains("PunctualAbsent"))
        .await;
    scene.operator.start_ready().await;
    scene.prometheus.scrape(&scene.operator.address().expect("an address"));
    scene
        .prometheus
        .fires("an operator", |firing| !firing.contains("PunctualAbsent"))
        .await;

    println!("{shown} of {} queries of the dashboard gave data", scene.queries().len());
    scene.every_selector_had_data().await;
}

/// F30: nothing waits for whoever looks.
#[tokio::test(flavor = "multi_thread")]
async fn scrapes_that_hang_and_a_prometheus_that_is_away_delay_nothing() {
    let Some(program) = tokio::task::spawn_blocking(|| debian::program("prometheus"))
        .await
        .expect("looked for")
    else {
        return;
    };
    let scene = Scene::new("hanging-scrapes", program).await;
    scene.world.task(NIGHTLY, json!({"schedule": OFTEN})).await;
    let Scene {
        world,
        operator,
        prometheus,
        ..
    } = scene;
    let succeeded = async |more: i64| world.status(NIGHTLY, "runs", |status| status.succeeded >= more).await.succeeded;
    let runs = succeeded(1).await;

    let mut hanging = Vec::new();
    for _ in 0..100 {
        let address = operator.address().expect("an address");
        let mut stream = TcpStream::connect(address).await.expect("a connection");
        stream
            .write_all(b"GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n")
            .await
            .expect("asked");
        hanging.push(stream);
    }
    let runs = succeeded(runs + 1).await;
    let counted = format!(r#"punctual_task_slots_total{{task="{NIGHTLY}", outcome="Succeeded"}} >= {runs}"#);
    until("Prometheus to see a run from after they began to hang", || async {
        (!prometheus.samples(&counted).await.is_empty()).then_some(())
    })
    .await;

    drop(prometheus);
    succeeded(runs + 2).await;
    drop(hanging);
}
