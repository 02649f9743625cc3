//! Admission webhooks that are slow or broken: real ones, over TLS, called by the real API server.

use crate::harness::{Authority, Operator, Pace, TlsFront, World, at, until};
use axum::Router;
use axum::extract::State;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use kube::api::{DeleteParams, PostParams};
use punctual::api::ScheduledTaskStatus;
use serde_json::{Value, json};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

const HOOKS: &str = "/apis/admissionregistration.k8s.io/v1/mutatingwebhookconfigurations";

/// What a webhook does with the creation of a Job.
#[derive(Clone, Copy)]
enum Manner {
    /// It takes its time, and lets the Job pass. Dry runs pass at once.
    Slow(Duration),
    /// Its patch has a path whose parent does not exist.
    BadPatch,
}

/// A webhook for the Jobs of one namespace.
struct Webhook {
    world: World,
    asked: Arc<Mutex<Vec<String>>>,
    _front: TlsFront,
    serving: JoinHandle<()>,
}

impl Webhook {
    async fn start(world: &World, manner: Manner) -> Webhook {
        let rule = json!({"apiGroups": ["batch"], "apiVersions": ["v1"], "operations": ["CREATE"], "resources": ["jobs"]});
        let hook = Self::start_for(world, manner, rule).await;
        hook.in_force().await;
        hook
    }

    /// The same for other requests. Says nothing of when it is in force.
    async fn start_for(world: &World, manner: Manner, rule: Value) -> Webhook {
        let asked: Arc<Mutex<Vec<String>>> = Arc::default();
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("an address");
        let routes = Router::new().fallback(review).with_state((manner, asked.clone()));
        let serving = tokio::spawn(async move {
            let _ = axum::serve(listener, routes).await;
        });
        let authority = Authority::new();
        let front = TlsFront::start(address, &authority).await;
        let body = json!({"apiVersion": "admissionregistration.k8s.io/v1", "kind": "MutatingWebhookConfiguration",
            "metadata": {"name": world.namespace}, "webhooks": [{
                "name": "hook.example.com", "sideEffects": "None", "admissionReviewVersions": ["v1"], "failurePolicy": "Fail",
                "timeoutSeconds": 30, "clientConfig": {"url": front.url(), "caBundle": STANDARD.encode(authority.pem())},
                "namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": world.namespace}},
                "rules": [rule]}]});
        let request = kube::core::Request::new(HOOKS).create(&PostParams::default(), serde_json::to_vec(&body).unwrap());
        world.client.request::<Value>(request.unwrap()).await.expect("the webhook is taken");
        Webhook {
            world: world.clone(),
            asked,
            _front: front,
            serving,
        }
    }

    /// Waits until the API server asks it.
    async fn in_force(&self) {
        let jobs = self.world.jobs();
        let job = json!({"metadata": {"name": "probe"}, "spec": {"template": {"spec": {
            "restartPolicy": "Never", "containers": [{"name": "a", "image": "a"}]}}}});
        let job = serde_json::from_value(job).unwrap();
        let dry = PostParams {
            dry_run: true,
            field_manager: None,
        };
        until("the webhook to be in force", || async {
            let _ = jobs.create(&dry, &job).await;
            self.asked.lock().unwrap().iter().any(|name| name == "probe").then_some(())
        })
        .await;
    }

    async fn lift(&self) {
        let request = kube::core::Request::new(HOOKS).delete(&self.world.namespace, &DeleteParams::default());
        self.world.client.request::<Value>(request.unwrap()).await.expect("it is deleted");
    }

    /// How often the API server asked about the creation of a Job of that name.
    fn asked_about(&self, job: &str) -> usize {
        self.asked.lock().unwrap().iter().filter(|name| *name == job).count()
    }
}

impl Drop for Webhook {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

async fn review(State((manner, asked)): State<(Manner, Arc<Mutex<Vec<String>>>)>, body: String) -> String {
    let review: Value = serde_json::from_str(&body).expect("a review");
    let request = &review["request"];
    let is_dry = request["dryRun"] == true;
    let name = request["name"].as_str().unwrap_or_default().to_owned();
    if !is_dry || name == "probe" {
        asked.lock().unwrap().push(name);
    }
    let mut response = json!({"uid": request["uid"], "allowed": true});
    match manner {
        Manner::Slow(time) if !is_dry => tokio::time::sleep(time).await,
        Manner::Slow(_) => {}
        Manner::BadPatch => {
            let patch = json!([{"op": "add", "path": "/spec/noSuchParent/child", "value": "x"}]);
            response["patchType"] = "JSONPatch".into();
            response["patch"] = STANDARD.encode(patch.to_string()).into();
        }
    }
    json!({"apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview", "response": response}).to_string()
}

fn ready(status: &ScheduledTaskStatus) -> (String, String, String) {
    let ready = status.condition("Ready").cloned();
    ready.map(|ready| (ready.status, ready.reason, ready.message)).unwrap_or_default()
}

/// F05: the API server may take half a minute; a lease that is shorter does not cut it off, and nobody asks twice.
#[tokio::test(flavor = "multi_thread")]
async fn a_webhook_that_needs_twelve_seconds_delays_jobs_and_loses_none() {
    let world = World::new("f05").await;
    let seen = world.recorder().await;
    for policy in ["Forbid", "Allow"] {
        world.task(&policy.to_lowercase(), json!({"concurrencyPolicy": policy})).await;
    }
    let hook = Webhook::start(&world, Manner::Slow(Duration::from_secs(12))).await;
    let terms = Pace::SHORT.terms("alone", &world.namespace);
    let operator = Operator::start_by(
        world.access.client.clone(),
        &world.namespace,
        at("2027-01-01T10:00:30Z"),
        Some(terms),
    );
    for task in ["forbid", "allow"] {
        world.settled(task).await;
    }
    let first = at("2027-01-01T10:01:00Z").as_second();
    let second = at("2027-01-01T10:02:00Z").as_second();
    operator.set("2027-01-01T10:01:00Z");
    until("both creations to be on their way", || async {
        let asked = ["forbid", "allow"].map(|task| hook.asked_about(&format!("{task}-{first}")));
        (asked == [1, 1]).then_some(())
    })
    .await;
    // The next slot comes while the first may still be created.
    operator.set("2027-01-01T10:02:00Z");
    for task in ["forbid", "allow"] {
        world.end_job(&format!("{task}-{first}"), 0, "").await;
        world.status(task, "the end of its first run", |status| status.succeeded == 1).await;
    }
    world.end_job(&format!("allow-{second}"), 0, "").await;
    let allow = world.status("allow", "its second run", |status| status.succeeded == 2).await;
    assert_eq!((allow.started, allow.missed, allow.skipped), (2, 0, 0));
    operator.rests().await;
    let forbid = world.tasks().get("forbid").await.expect("the task").status.unwrap_or_default();
    assert_eq!(
        forbid.started + forbid.missed + forbid.skipped,
        2,
        "every slot has its outcome: {forbid:?}"
    );
    assert_eq!(forbid.missed, 0, "{forbid:?}");
    for (task, slot) in [("forbid", first), ("allow", first), ("allow", second)] {
        assert_eq!(hook.asked_about(&format!("{task}-{slot}")), 1, "{task}-{slot} was asked for again");
    }
    seen.assert_each_once().await;
    operator.stop().await;
}

/// F05: policy engines often look at everything, statuses included.
#[tokio::test(flavor = "multi_thread")]
async fn a_status_behind_a_slow_webhook_is_written() {
    let world = World::new("f05-status").await;
    let rule = json!({"apiGroups": ["punctual.dev"], "apiVersions": ["v1alpha1"], "operations": ["UPDATE"], "resources": ["scheduledtasks/status"]});
    let hook = Webhook::start_for(&world, Manner::Slow(Duration::from_secs(11)), rule).await;
    world.task("minutely", json!({"concurrencyPolicy": "Forbid"})).await;
    let tasks = world.tasks();
    let slow = kube::api::Patch::Merge(json!({"status": {"lastHandledRunNow": "x"}}));
    until("the webhook to be in force", || async {
        // Nobody waits for the answer: that it is asked is enough.
        let params = kube::api::PatchParams::default();
        let write = tasks.patch_status("minutely", &params, &slow);
        let _ = tokio::time::timeout(Duration::from_millis(500), write).await;
        (hook.asked_about("minutely") > 0).then_some(())
    })
    .await;
    let operator = world.operator("2027-01-01T10:00:30Z").await;
    world.settled("minutely").await;
    operator.stop().await;
}

/// F04: what the API server says stands in the task, also of one whose slot is far away.
#[tokio::test(flavor = "multi_thread")]
async fn a_webhook_with_a_broken_patch_is_named_by_the_task() {
    let world = World::new("f04").await;
    let hook = Webhook::start(&world, Manner::BadPatch).await;
    world.task("nightly", json!({"schedule": "0 3 * * *"})).await;
    world.task("minutely", json!({"concurrencyPolicy": "Forbid"})).await;
    let operator = world.operator("2027-01-01T10:00:30Z").await;
    for task in ["nightly", "minutely"] {
        let status = world.status(task, "the refusal", |status| ready(status).0 == "False").await;
        let (_, reason, message) = ready(&status);
        assert_eq!(reason, "JobRefused");
        assert!(message.contains("doc is missing path"), "{message}");
        world.is_told(task, "JobRefused", "doc is missing path").await;
    }
    for minute in 1..=3 {
        operator.set(&format!("2027-01-01T10:{minute:02}:30Z"));
        operator.rests().await;
    }
    let status = world
        .status("minutely", "its slots to be accounted for", |status| status.missed == 2)
        .await;
    assert_eq!((status.started, status.skipped, ready(&status).0.as_str()), (0, 0, "False"));
    let told = world.told("nightly").await;
    assert_eq!(told.len(), 1, "{told:?}");

    hook.lift().await;
    for second in 0..600 {
        operator.set(&format!("2027-01-01T10:{:02}:{:02}Z", 4 + second / 60, second % 60));
        operator.rests().await;
        if !world.job_names().await.is_empty() {
            break;
        }
    }
    let status = world.status("minutely", "a run", |status| status.started == 1).await;
    assert_eq!(ready(&status).0, "True", "{status:?}");
    operator.stop().await;
}
