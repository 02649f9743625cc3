//! What people do beside the operator, and what it tells them: requests by annotation, quotas, pods that linger, events.
//!
//! Takes a world, gives it a push. Never waits for what the operator makes of it: that is for the test.

use super::{World, until};
use k8s_openapi::api::batch::v1::Job;
use k8s_openapi::api::core::v1::{Event, Pod, ResourceQuota};
use kube::api::{Api, ListParams, Patch, PatchParams, PostParams};
use serde_json::{Value, json};

const KEEP: &str = "example.com/keep";

impl World {
    /// `kubectl annotate --overwrite`; no value takes the annotation away.
    pub async fn annotate(&self, task: &str, name: &str, value: Option<&str>) {
        let patch = Patch::Merge(json!({"metadata": {"annotations": {name: value}}}));
        self.tasks()
            .patch(task, &PatchParams::default(), &patch)
            .await
            .expect("the annotation is taken");
    }

    /// Sets a quota, and waits until it is in force.
    pub async fn quota(&self, name: &str, hard: Value) {
        let quotas: Api<ResourceQuota> = Api::namespaced(self.client.clone(), &self.namespace);
        let quota: ResourceQuota = serde_json::from_value(json!({"metadata": {"name": name}, "spec": {"hard": hard}})).unwrap();
        quotas.create(&PostParams::default(), &quota).await.expect("a quota");
        until("the quota to be in force", || async {
            let status = quotas.get(name).await.expect("the quota").status?;
            (status.hard.is_some() && status.used.is_some()).then_some(())
        })
        .await;
    }

    /// Events on a task, each as "Reason: message".
    pub async fn told(&self, task: &str) -> Vec<String> {
        let events: Api<Event> = Api::namespaced(self.client.clone(), &self.namespace);
        let of_task = ListParams::default().fields(&format!("involvedObject.name={task}"));
        let list = events.list(&of_task).await.expect("events").items;
        let text = |event: Event| format!("{}: {}", event.reason.unwrap_or_default(), event.message.unwrap_or_default());
        list.into_iter().map(text).collect()
    }

    /// Waits for an event of that reason with these words.
    pub async fn is_told(&self, task: &str, reason: &str, words: &str) {
        until(&format!("{reason} to be told of {task}, with {words:?}"), || async {
            let told = self.told(task).await;
            told.iter()
                .any(|event| event.starts_with(&format!("{reason}: ")) && event.contains(words))
                .then_some(())
        })
        .await;
    }

    /// The pod of a Job, once there is one.
    pub async fn pod_of(&self, job: &str) -> Pod {
        let of_job = ListParams::default().labels(&format!("batch.kubernetes.io/job-name={job}"));
        until(&format!("the pod of Job {job}"), || async {
            self.pods().list(&of_job).await.expect("pods").items.into_iter().next()
        })
        .await
    }

    pub fn pods(&self) -> Api<Pod> {
        Api::namespaced(self.client.clone(), &self.namespace)
    }

    /// Makes the pod of a Job linger when it is deleted, as on a node that does not answer. Gives its name.
    pub async fn pin_pod(&self, job: &str) -> String {
        let pod = self.pod_of(job).await.metadata;
        let mut finalizers = pod.finalizers.unwrap_or_default();
        finalizers.push(KEEP.to_owned());
        let name = pod.name.expect("a name");
        self.finalize(&name, &finalizers).await;
        name
    }

    /// Lets it go.
    pub async fn unpin_pod(&self, pod: &str) {
        let mut finalizers = self
            .pods()
            .get(pod)
            .await
            .expect("it lingers")
            .metadata
            .finalizers
            .unwrap_or_default();
        finalizers.retain(|finalizer| finalizer != KEEP);
        self.finalize(pod, &finalizers).await;
    }

    async fn finalize(&self, pod: &str, finalizers: &[String]) {
        let patch = Patch::Merge(json!({"metadata": {"finalizers": finalizers}}));
        self.pods()
            .patch(pod, &PatchParams::default(), &patch)
            .await
            .expect("the finalizers are taken");
    }
}

/// What the containers of that list (`containers`, `initContainers`) of a Job are told under a name, in their order.
pub fn env(job: &Job, list: &str, name: &str) -> Vec<Option<String>> {
    let job = serde_json::to_value(job).expect("JSON");
    let containers = job["spec"]["template"]["spec"][list].as_array().cloned().unwrap_or_default();
    let value = |container: &Value| {
        let known = container["env"].as_array()?.iter().find(|known| known["name"] == name)?.clone();
        known["value"].as_str().map(str::to_owned)
    };
    containers.iter().map(value).collect()
}

/// What the only container of a Job is told under a name; nothing if it is not told.
pub fn told_as(job: &Job, name: &str) -> String {
    env(job, "containers", name).remove(0).unwrap_or_default()
}

/// An annotation of a Job; nothing if it has none of that name.
pub fn annotation(job: &Job, name: &str) -> String {
    let annotations = job.metadata.annotations.as_ref();
    annotations.and_then(|all| all.get(name)).cloned().unwrap_or_default()
}
