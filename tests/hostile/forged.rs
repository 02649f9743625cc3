//! Jobs that claim to be a task's. Takes a task and a slot, gives the manifest that a forger would write; never posts it.

use jiff::Timestamp;
use kube::ResourceExt;
use punctual::api::ScheduledTask;
use punctual::plan::job_name;
use serde_json::{Value, json};

/// A Job that looks in everything like the task's for that slot: name, label, annotations, owner. All but the mark.
pub fn forged(task: &ScheduledTask, slot: &str) -> Value {
    let at: Timestamp = slot.parse().expect("a slot");
    named(task, &job_name(&task.name_any(), at, 1), slot)
}

/// The same under another name.
pub fn named(task: &ScheduledTask, name: &str, slot: &str) -> Value {
    let uid = task.uid().expect("a UID");
    json!({
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {
            "name": name,
            "labels": {"punctual.dev/task-uid": uid},
            "annotations": {"punctual.dev/slot": slot, "punctual.dev/attempt": "1", "punctual.dev/trigger": "Schedule",
                "punctual.dev/task": task.name_any(), "punctual.dev/run": name},
            "ownerReferences": [{"apiVersion": "punctual.dev/v1alpha1", "kind": "ScheduledTask", "name": task.name_any(), "uid": uid,
                "controller": true}],
        },
        "spec": {"suspend": true, "template": {"spec": {"restartPolicy": "Never",
            "containers": [{"name": "main", "image": "example.com/none:1"}]}}},
    })
}

/// How a forged Job stands.
#[derive(Clone, Copy, Debug)]
pub enum Stands {
    Suspended,
    Running,
    Complete,
    Failed,
}

impl Stands {
    pub const ALL: [Stands; 4] = [Stands::Suspended, Stands::Running, Stands::Complete, Stands::Failed];

    /// The Job, made so that it comes to stand like this without anybody's right to write its status.
    pub fn lay_over(self, mut job: Value) -> Value {
        job["spec"]["suspend"] = json!(matches!(self, Stands::Suspended));
        match self {
            Stands::Suspended | Stands::Running => {}
            Stands::Complete => job["spec"]["completions"] = json!(0),
            Stands::Failed => job["spec"]["activeDeadlineSeconds"] = json!(0),
        }
        job
    }
}

/// A reference that keeps the garbage collector away: a Job of a task in another namespace is deleted otherwise.
pub fn kept(mut job: Value) -> Value {
    job["metadata"]["finalizers"] = json!(["example.com/keep"]);
    job
}
