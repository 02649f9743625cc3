//! A CronJob manifest becomes a task by changing `apiVersion` and `kind`: measured against the real API server.
//!
//! `corpus.yaml` holds manifests as people write them, `probes` edge cases one at a time. Each is posted as a CronJob and
//! as a task; both take it or both refuse it, but for the differences that the table of probes gives a reason for. For
//! each that is taken, the Job that the operator really makes is compared with the one that CronJob's controller makes.

mod jobs;
mod kubectl;
pub mod probes;

use crate::harness::{World, cluster};
use futures::{StreamExt, stream};
use probes::{Expect, Ours, PROBES};
use punctual::api::ScheduledTaskStatus;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::process::Stdio;

/// How many requests are under way at once.
const ABREAST: usize = 8;

#[tokio::test(flavor = "multi_thread")]
async fn what_cronjob_takes_we_take_what_it_refuses_we_refuse_and_each_job_is_the_one_that_cronjob_would_make() {
    let world = World::new("parity").await;
    let operator = world.operator("2027-01-04T10:00:30Z").await;
    let corpus = corpus().await;
    let probed: Vec<(Value, Expect)> = PROBES
        .iter()
        .map(|(name, at, fragment, expect)| (probes::manifest(name, *at, fragment), *expect))
        .collect();
    let names: BTreeSet<&str> = corpus.iter().chain(probed.iter().map(|(manifest, _)| manifest)).map(name).collect();
    assert_eq!(names.len(), corpus.len() + probed.len(), "each manifest has a name of its own");
    println!("{} manifests and {} probes", corpus.len(), probed.len());

    let mut wrong = Vec::new();
    let mut taken = Vec::new();
    let (mut refused, mut later, mut differ) = (0, 0, 0);
    let whole = corpus.iter().map(|manifest| (manifest, None));
    let parts = probed.iter().map(|(manifest, expect)| (manifest, Some(*expect)));
    let mut decided = stream::iter(whole.chain(parts))
        .map(|(manifest, expect)| decide(&world, manifest, expect))
        .buffer_unordered(ABREAST);
    while let Some(decision) = decided.next().await {
        if let Some(fault) = decision.fault() {
            wrong.push(fault);
        }
        match (&decision.cronjob, &decision.ours) {
            (Ok(stored), Verdict::Taken) => taken.push((decision.name.clone(), stored.clone())),
            (Err(_), Verdict::Refused(_)) => refused += 1,
            (Err(_), Verdict::NotReady { reason, .. }) if reason == "JobRefused" => later += 1,
            _ => differ += 1,
        }
    }
    assert!(
        wrong.is_empty(),
        "{} decisions are not as expected:\n{}",
        wrong.len(),
        wrong.join("\n")
    );
    println!(
        "taken by both: {}; refused by both: {refused}; refused by CronJob, JobRefused with us: {later}; decided otherwise on purpose: {differ}",
        taken.len()
    );

    let compared = jobs::compare(&world, &operator, &taken).await;
    println!("Jobs compared with CronJob's: {compared}");
    operator.stop().await;
    world.delete().await;
}

/// What both said of one manifest.
struct Decision {
    name: String,
    expect: Option<Expect>,
    /// What CronJob stores, or why it is refused.
    cronjob: Result<Value, String>,
    ours: Verdict,
}

#[derive(Debug)]
enum Verdict {
    Taken,
    Refused(String),
    NotReady { reason: String, message: String },
}

async fn decide(world: &World, manifest: &Value, expect: Option<Expect>) -> Decision {
    let cronjob = world.post("batch/v1", "cronjobs", manifest, true).await;
    let task = as_task(manifest);
    let ours = match world.post("punctual.dev/v1alpha1", "scheduledtasks", &task, false).await {
        Err(message) => Verdict::Refused(message),
        Ok(_) => verdict(&world.settled(name(&task)).await),
    };
    Decision {
        name: name(manifest).to_owned(),
        expect,
        cronjob,
        ours,
    }
}

fn verdict(status: &ScheduledTaskStatus) -> Verdict {
    let ready = status.condition("Ready").expect("it is settled");
    match ready.status.as_str() {
        "True" => Verdict::Taken,
        _ => Verdict::NotReady {
            reason: ready.reason.clone(),
            message: ready.message.clone(),
        },
    }
}

impl Decision {
    /// What is not as expected, if anything.
    fn fault(&self) -> Option<String> {
        use Verdict::{NotReady, Refused, Taken};
        let cronjob = self.cronjob.is_ok();
        let right = match (self.expect, &self.ours) {
            // Of whole manifests nobody says beforehand what is right: CronJob does.
            (None, Taken) => cronjob,
            (None, Refused(_)) => !cronjob,
            (None, NotReady { .. }) => false,
            (Some(Expect::Taken), Taken) => cronjob,
            (Some(Expect::Neither(names)), Refused(message)) => !cronjob && message.contains(names),
            (Some(Expect::Later(names)), NotReady { reason, message }) => !cronjob && reason == "JobRefused" && message.contains(names),
            (
                Some(Expect::Differs {
                    cronjob: expected,
                    ours,
                    why,
                }),
                verdict,
            ) => {
                assert!(!why.is_empty());
                cronjob == expected
                    && match (ours, verdict) {
                        (Ours::Taken, Taken) => true,
                        (Ours::Refused(names), Refused(message)) => message.contains(names),
                        (Ours::NotReady(expected), NotReady { reason, .. }) => expected == reason,
                        _ => false,
                    }
            }
            _ => false,
        };
        let said = self.cronjob.as_ref().map(|_| "taken");
        (!right).then(|| {
            format!(
                "{}: expected {:?}\n  CronJob: {said:?}\n  ours:    {:?}",
                self.name, self.expect, self.ours
            )
        })
    }
}

/// The manifests of `corpus.yaml` as kubectl reads them.
async fn corpus() -> Vec<Value> {
    let text = include_str!("cronjob/corpus.yaml");
    let read = kubectl(
        &["create", "--dry-run=client", "--validate=false", "-o", "json", "-f", "-"],
        Some(text.to_owned()),
    )
    .await;
    let stream = serde_json::Deserializer::from_str(&read).into_iter::<Value>();
    let objects: Vec<Value> = stream.map(|object| object.expect("kubectl writes JSON")).collect();
    let items = objects.into_iter().flat_map(|object| match object.get("items") {
        Some(items) => items.as_array().cloned().unwrap_or_default(),
        None => vec![object],
    });
    items
        .map(|mut manifest| {
            // kubectl fills in its current namespace.
            manifest["metadata"].as_object_mut().expect("metadata").remove("namespace");
            manifest
        })
        .collect()
}

/// The whole migration.
pub fn as_task(manifest: &Value) -> Value {
    let mut task = manifest.clone();
    task["apiVersion"] = json!("punctual.dev/v1alpha1");
    task["kind"] = json!("ScheduledTask");
    task
}

fn name(manifest: &Value) -> &str {
    manifest["metadata"]["name"].as_str().expect("a name")
}

/// Runs kubectl on the shared cluster; gives its output, and fails if it does.
pub async fn kubectl(args: &[&str], input: Option<String>) -> String {
    let (code, out, err) = kubectl_says(args, input).await;
    assert_eq!(code, Some(0), "kubectl {}: {err}", args.join(" "));
    out
}

/// Runs kubectl on the shared cluster; gives exit code, output and errors.
async fn kubectl_says(args: &[&str], input: Option<String>) -> (Option<i32>, String, String) {
    let args: Vec<String> = args.iter().map(|&arg| arg.to_owned()).collect();
    tokio::task::spawn_blocking(move || {
        let mut command = cluster().kubectl();
        command
            .args(args)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let mut child = command.spawn().expect("kubectl runs");
        let mut stdin = child.stdin.take().expect("piped");
        let writer = std::thread::spawn(move || {
            // kubectl may leave before it has read all of it.
            let _ = std::io::Write::write_all(&mut stdin, input.unwrap_or_default().as_bytes());
        });
        let output = child.wait_with_output().expect("kubectl ends");
        writer.join().expect("written");
        let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
        (output.status.code(), text(output.stdout), text(output.stderr))
    })
    .await
    .expect("it does not panic")
}

impl World {
    /// Posts a manifest as kubectl does, unknown fields refused; gives what is stored, or the API server's message.
    pub async fn post(&self, group_version: &str, plural: &str, manifest: &Value, dry_run: bool) -> Result<Value, String> {
        let dry_run = if dry_run { "&dryRun=All" } else { "" };
        let path = format!(
            "/apis/{group_version}/namespaces/{}/{plural}?fieldValidation=Strict{dry_run}",
            self.namespace
        );
        let request = http::Request::post(path)
            .header("content-type", "application/json")
            .body(serde_json::to_vec(manifest).expect("JSON"))
            .expect("a request");
        match self.client.request::<Value>(request).await {
            Ok(stored) => Ok(stored),
            Err(kube::Error::Api(status)) => Err(status.message),
            Err(error) => panic!("no answer: {error}"),
        }
    }

    /// Deletes the namespace with all that is in it, and does not wait.
    pub async fn delete(&self) {
        let namespaces: kube::Api<k8s_openapi::api::core::v1::Namespace> = kube::Api::all(self.client.clone());
        namespaces
            .delete(&self.namespace, &kube::api::DeleteParams::background())
            .await
            .expect("the namespace goes");
    }
}
