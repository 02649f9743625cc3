//! The Job that we make beside the Job that CronJob makes.
//!
//! CronJob's controller waits for the minute, so its Job is built here from the CronJob as it is stored, the way
//! `getJobFromTemplate2` does it; one test proves that imitation equal to what the real controller makes.

use super::{ABREAST, as_task, corpus, name};
use crate::harness::{Operator, World, at, until};
use futures::{StreamExt, stream};
use jiff::Timestamp;
use jiff::tz::TimeZone;
use k8s_openapi::api::batch::v1::{CronJob, Job};
use kube::api::{Api, DeleteParams, ListParams, PostParams};
use punctual::plan::job_name;
use serde_json::{Map, Value, json};

const SLOT: &str = "2027-01-04T10:01:00Z";
const TIMESTAMP: &str = "batch.kubernetes.io/cronjob-scheduled-timestamp";

/// Lets each task run once and compares its Job with CronJob's; every other task without run context. Gives how many.
pub async fn compare(world: &World, operator: &Operator, taken: &[(String, Value)]) -> usize {
    let every_minute = |number: usize| {
        json!({
            "schedule": "* * * * *", "suspend": false, "startingDeadlineSeconds": null,
            "concurrencyPolicy": if number.is_multiple_of(3) { "Forbid" } else { "Allow" },
            "runContext": context(number),
        })
    };
    let edits = stream::iter(taken.iter().enumerate()).map(|(number, (task, _))| async move {
        world.edit(task, every_minute(number)).await;
        world.settled(task).await;
    });
    edits.buffer_unordered(ABREAST).collect::<Vec<()>>().await;
    let theirs = World::new("parity-theirs").await;
    operator.set(SLOT);
    let compared = stream::iter(taken.iter().enumerate()).map(|(number, (task, cronjob))| {
        let theirs = &theirs;
        async move {
            let ours = world.job(&job_name(task, at(SLOT), 1)).await;
            let imitation = post_imitation(theirs, cronjob, at(SLOT)).await;
            let told = context(number) == "Env";
            let (ours, imitation) = (comparable(&ours, told), comparable(&imitation, false));
            (ours != imitation).then(|| format!("{task}: {}", difference("", &ours, &imitation).join("\n    ")))
        }
    });
    let wrong: Vec<String> = compared
        .buffer_unordered(ABREAST)
        .filter_map(|wrong| async { wrong })
        .collect()
        .await;
    assert!(
        wrong.is_empty(),
        "{} Jobs differ from CronJob's:\n{}",
        wrong.len(),
        wrong.join("\n")
    );
    theirs.delete().await;
    taken.len()
}

fn context(number: usize) -> &'static str {
    if number.is_multiple_of(2) { "None" } else { "Env" }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_imitation_of_cronjobs_controller_makes_what_the_real_one_makes() {
    let world = World::new("imitation").await;
    let cronjobs: Api<CronJob> = Api::namespaced(world.client.clone(), &world.namespace);
    let chosen = [
        "postgres-backup",
        "django-clearsessions",
        "octal-modes",
        "rails-rake",
        "indexed-shards",
        "nulls-everywhere",
        "downward-volume",
    ];
    let mut compared = 0;
    for mut manifest in corpus().await.into_iter().filter(|manifest| chosen.contains(&name(manifest))) {
        // So that its controller need not be waited for.
        manifest["spec"]["schedule"] = json!("@every 1s");
        manifest["spec"]["concurrencyPolicy"] = json!("Forbid");
        let stored = world
            .post("batch/v1", "cronjobs", &manifest, false)
            .await
            .expect("CronJob takes it");
        let name = name(&manifest).to_owned();
        let real = until(&format!("a Job of CronJob {name}"), || async {
            let jobs = world.jobs().list(&ListParams::default()).await.expect("Jobs").items;
            jobs.into_iter().find(|job| owned_by(job, &name))
        })
        .await;
        cronjobs.delete(&name, &DeleteParams::background()).await.expect("it goes");
        let slot = real.metadata.annotations.as_ref().expect("annotations")[TIMESTAMP]
            .parse()
            .expect("a time");
        let imitation = post_imitation(&world, &stored, slot).await;
        let (real, imitation) = (comparable(&real, false), comparable(&imitation, false));
        assert_eq!(real, imitation, "{name}: {}", difference("", &real, &imitation).join("\n"));
        compared += 1;
    }
    assert_eq!(compared, chosen.len());
    println!("Jobs of the real CronJob controller compared: {compared}");
}

/// F02: injected variables come first, so that the author's can use them.
#[tokio::test(flavor = "multi_thread")]
async fn what_the_author_wrote_wins_over_the_run_context() {
    let world = World::new("author").await;
    let manifest = json!({
        "apiVersion": "batch/v1", "kind": "CronJob", "metadata": {"name": "author"},
        "spec": {"schedule": "* * * * *", "jobTemplate": {"spec": {"template": {
            "metadata": {"annotations": {"punctual.dev/slot": "mine"}},
            "spec": {"restartPolicy": "Never", "containers": [{
                "name": "main", "image": "x", "env": [{"name": "PUNCTUAL_SLOT", "value": "mine"}, {"name": "LAST", "value": "$(PUNCTUAL_RUN)"}],
            }]},
        }}}},
    });
    world
        .post("punctual.dev/v1alpha1", "scheduledtasks", &as_task(&manifest), false)
        .await
        .expect("taken");
    let operator = world.operator("2027-01-04T10:00:30Z").await;
    world.settled("author").await;
    operator.set(SLOT);
    let job = world.job(&job_name("author", at(SLOT), 1)).await;
    let template = job.spec.unwrap().template;
    assert_eq!(template.metadata.unwrap().annotations.unwrap()["punctual.dev/slot"], "mine");
    let env = template.spec.unwrap().containers[0].env.clone().unwrap();
    assert_eq!(env.iter().filter(|entry| entry.name == "PUNCTUAL_SLOT").count(), 1);
    let place = |name: &str| env.iter().position(|entry| entry.name == name).expect(name);
    assert_eq!(env[place("PUNCTUAL_SLOT")].value.as_deref(), Some("mine"));
    // F02: Kubernetes expands `$(PUNCTUAL_RUN)` only from entries that stand before.
    assert!(place("PUNCTUAL_RUN") < place("LAST"), "{env:?}");
    operator.stop().await;
}

fn owned_by(job: &Job, cronjob: &str) -> bool {
    let owners = job.metadata.owner_references.as_deref().unwrap_or_default();
    owners.iter().any(|owner| owner.kind == "CronJob" && owner.name == cronjob)
}

/// What `getJobFromTemplate2` makes of a stored CronJob: labels and annotations of the template, the slot, the spec.
async fn post_imitation(world: &World, cronjob: &Value, slot: Timestamp) -> Job {
    let template = &cronjob["spec"]["jobTemplate"];
    let zone = cronjob["spec"]["timeZone"].as_str().unwrap_or("UTC");
    let mut annotations = template["metadata"]["annotations"].as_object().cloned().unwrap_or_default();
    annotations.insert(TIMESTAMP.into(), json!(rfc3339(slot, zone)));
    let name = cronjob["metadata"]["name"].as_str().expect("a name");
    let body = json!({
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {"name": format!("{name}-theirs"), "labels": template["metadata"]["labels"], "annotations": annotations},
        "spec": template["spec"],
    });
    let job = serde_json::from_value(body).expect("a Job");
    world
        .jobs()
        .create(&PostParams::default(), &job)
        .await
        .unwrap_or_else(|error| panic!("{name}: {error}"))
}

/// As Go's `time.RFC3339` writes it: `Z` where the offset is zero.
fn rfc3339(slot: Timestamp, zone: &str) -> String {
    let local = slot.to_zoned(TimeZone::get(zone).expect("a zone"));
    let text = local.strftime("%Y-%m-%dT%H:%M:%S%:z").to_string();
    text.strip_suffix("+00:00").map(|utc| format!("{utc}Z")).unwrap_or(text)
}

/// Labels, annotations and spec of a Job, without what differs from one Job to the next: its name, its UID, and what we add.
fn comparable(job: &Job, told: bool) -> Value {
    let mut spec = serde_json::to_value(&job.spec).expect("JSON");
    spec.as_object_mut().unwrap().remove("selector");
    // Punctual owns deletion: it takes the age limit over.
    spec.as_object_mut().unwrap().remove("ttlSecondsAfterFinished");
    let mut metadata = json!({"labels": job.metadata.labels, "annotations": job.metadata.annotations});
    without_ours(&mut metadata);
    let template = &mut spec["template"];
    template["metadata"].as_object_mut().unwrap().remove("creationTimestamp");
    if told {
        let annotations = template["metadata"]["annotations"].as_object().expect("the pod is told");
        assert!(annotations.contains_key("punctual.dev/slot"));
        without_context(&mut template["spec"]);
    } else {
        let text = template.to_string();
        assert!(!text.contains("PUNCTUAL_") && !text.contains("punctual.dev/"), "{text}");
    }
    without_ours(&mut template["metadata"]);
    json!({"metadata": metadata, "spec": spec})
}

fn without_ours(metadata: &mut Value) {
    for key in ["labels", "annotations"] {
        let mut kept: Map<String, Value> = metadata[key].as_object().cloned().unwrap_or_default();
        kept.retain(|name, _| {
            let own = ["controller-uid", "job-name"]
                .iter()
                .any(|own| name == own || *name == format!("batch.kubernetes.io/{own}"));
            !own && !name.starts_with("punctual.dev/")
        });
        metadata[key] = json!(kept);
    }
}

/// Every container is told, and of nothing else does the pod differ.
fn without_context(pod: &mut Value) {
    for list in ["initContainers", "containers"] {
        for container in pod[list].as_array_mut().into_iter().flatten() {
            let env = container["env"].as_array_mut().expect("each container is told");
            let before = env.len();
            env.retain(|entry| !entry["name"].as_str().unwrap().starts_with("PUNCTUAL_"));
            assert!(before >= env.len() + 5, "{env:?}");
            if env.is_empty() {
                container.as_object_mut().unwrap().remove("env");
            }
        }
        if pod[list].is_null() {
            pod.as_object_mut().unwrap().remove(list);
        }
    }
}

/// Where two values differ.
fn difference(path: &str, ours: &Value, theirs: &Value) -> Vec<String> {
    match (ours, theirs) {
        (Value::Object(left), Value::Object(right)) => {
            let keys: std::collections::BTreeSet<&String> = left.keys().chain(right.keys()).collect();
            keys.into_iter()
                .flat_map(|key| difference(&format!("{path}.{key}"), &ours[key], &theirs[key]))
                .collect()
        }
        _ if ours == theirs => Vec::new(),
        _ => vec![format!("{path}: ours {ours}, CronJob's {theirs}")],
    }
}
