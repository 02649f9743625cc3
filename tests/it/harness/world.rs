//! A namespace on the shared cluster, and what a test does in it.

use super::{Access, Operator, Recorder};
use cluster::{Cluster, Options};
use jiff::Timestamp;
use k8s_openapi::api::batch::v1::Job;
use k8s_openapi::api::core::v1::{Event, Namespace};
use kube::api::{Api, DeleteParams, ListParams, Patch, PatchParams, PostParams};
use punctual::api::{ScheduledTask, ScheduledTaskStatus};
use serde_json::{Value, json};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

/// The cluster of this test run. Its processes end with this one.
pub fn cluster() -> &'static Cluster {
    static CLUSTER: OnceLock<Cluster> = OnceLock::new();
    CLUSTER.get_or_init(|| {
        let cluster = Cluster::start(Options::default()).expect("a control plane");
        install_crds(&cluster);
        cluster
    })
}

/// A control plane for one module of tests alone, with the CRDs.
pub fn own_control_plane() -> Cluster {
    let cluster = Cluster::start(cluster::Options::default()).expect("a control plane");
    install_crds(&cluster);
    cluster
}

/// Client-side, as people do it: the CRD must fit into the last-applied annotation.
pub fn install_crds(cluster: &Cluster) {
    let crds = concat!(env!("CARGO_MANIFEST_DIR"), "/crds");
    let applied = cluster.kubectl().args(["apply", "-f", crds]).output().expect("kubectl runs");
    assert!(applied.status.success(), "{}", String::from_utf8_lossy(&applied.stderr));
    // `kubectl wait` fails on a CRD that has no conditions yet, so kind and schema themselves are asked for: they are served
    // one after the other.
    let deadline = std::time::Instant::now() + Duration::from_secs(60);
    for asked in [&["get", "stask", "--all-namespaces"][..], &["explain", "stask.spec"]] {
        while !cluster.kubectl().args(asked).output().expect("kubectl runs").status.success() {
            assert!(
                std::time::Instant::now() < deadline,
                "waited a minute for the CRD to be served: {asked:?}"
            );
        }
    }
}

/// An instant.
pub fn at(text: &str) -> Timestamp {
    text.parse().expect("RFC 3339")
}

/// Waits until `ask` gives something; a minute without is a failure that says what was waited for.
pub async fn until<T, F: Future<Output = Option<T>>>(what: &str, mut ask: impl FnMut() -> F) -> T {
    let deadline = std::time::Instant::now() + Duration::from_secs(60);
    loop {
        if let Some(answer) = ask().await {
            return answer;
        }
        assert!(std::time::Instant::now() < deadline, "waited a minute for: {what}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// One test's namespace.
#[derive(Clone)]
pub struct World {
    pub namespace: String,
    /// The test's own.
    pub client: kube::Client,
    /// The operator's.
    pub access: Arc<Access>,
}

impl World {
    /// A namespace that nobody else uses.
    pub async fn new(name: &str) -> World {
        Self::on(cluster, name).await
    }

    /// The same on another cluster.
    pub async fn on(cluster: fn() -> &'static Cluster, name: &str) -> World {
        let started = tokio::task::spawn_blocking(cluster).await.expect("a cluster");
        let client = client(started.kubeconfig()).await;
        let namespaces: Api<Namespace> = Api::all(client.clone());
        let namespace: Namespace = serde_json::from_value(json!({"metadata": {"generateName": format!("{name}-")}})).unwrap();
        let made = namespaces.create(&PostParams::default(), &namespace).await.expect("a namespace");
        let namespace = made.metadata.name.unwrap();
        World {
            access: Arc::new(Access::of(started, &namespace).await),
            namespace,
            client,
        }
    }

    pub fn tasks(&self) -> Api<ScheduledTask> {
        Api::namespaced(self.client.clone(), &self.namespace)
    }

    pub fn jobs(&self) -> Api<Job> {
        Api::namespaced(self.client.clone(), &self.namespace)
    }

    /// Applies a task: `spec` is laid over a template that works.
    pub async fn task(&self, name: &str, spec: Value) -> ScheduledTask {
        let body = task_manifest(name, spec);
        self.tasks()
            .create(&PostParams::default(), &serde_json::from_value(body).unwrap())
            .await
            .expect("the task is taken")
    }

    /// Changes fields of the spec, as `kubectl patch --type=merge` does.
    pub async fn edit(&self, name: &str, spec: Value) {
        self.tasks()
            .patch(name, &PatchParams::default(), &Patch::Merge(json!({"spec": spec})))
            .await
            .expect("the edit is taken");
    }

    /// An operator in this process, for this namespace, with a clock that the test sets.
    pub async fn operator(&self, now: &str) -> Operator {
        Operator::start(self.access.client.clone(), &self.namespace, at(now))
    }

    /// Counts every Job of this namespace from now on.
    pub async fn recorder(&self) -> Recorder {
        Recorder::start(self.jobs()).await
    }

    /// The status, once it says what is waited for.
    pub async fn status(&self, task: &str, what: &str, says: impl Fn(&ScheduledTaskStatus) -> bool) -> ScheduledTaskStatus {
        let last = std::sync::Mutex::new(None);
        let (tasks, last_ref, says) = (self.tasks(), &last, &says);
        let asked = tokio::time::timeout(Duration::from_secs(60), async {
            loop {
                let status = tasks.get(task).await.ok().and_then(|task| task.status).unwrap_or_default();
                if says(&status) {
                    return status;
                }
                *last_ref.lock().unwrap() = Some(status);
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        });
        match asked.await {
            Ok(status) => status,
            Err(_) => panic!("waited a minute for {task}: {what}; its status is {:#?}", last.lock().unwrap()),
        }
    }

    /// The task's schedule is in force: the operator has taken note of this generation.
    pub async fn settled(&self, task: &str) -> ScheduledTaskStatus {
        let generation = self.tasks().get(task).await.expect("the task").metadata.generation;
        self.status(task, "its generation to be observed", |status| {
            status.observed_generation == generation
                && status
                    .condition("Ready")
                    .is_some_and(|ready| ready.observed_generation == generation)
        })
        .await
    }

    /// Names of all Jobs that are there, in order.
    pub async fn job_names(&self) -> Vec<String> {
        let mut names: Vec<String> = self
            .jobs()
            .list(&ListParams::default())
            .await
            .expect("Jobs")
            .items
            .into_iter()
            .filter_map(|job| job.metadata.name)
            .collect();
        names.sort();
        names
    }

    /// Waits for a Job.
    pub async fn job(&self, name: &str) -> Job {
        let jobs = self.jobs();
        until(&format!("Job {name}"), || async {
            jobs.get_opt(name).await.expect("Jobs can be read")
        })
        .await
    }

    /// Deletes a Job as a user does, and waits until it is gone.
    pub async fn delete_job(&self, name: &str) {
        let jobs = self.jobs();
        let _ = jobs.delete(name, &DeleteParams::background()).await;
        until(&format!("Job {name} to be gone"), || async {
            jobs.get_opt(name).await.expect("Jobs can be read").is_none().then_some(())
        })
        .await;
    }

    /// Reasons of the events on a task.
    pub async fn event_reasons(&self, task: &str) -> Vec<String> {
        let events: Api<Event> = Api::namespaced(self.client.clone(), &self.namespace);
        let list = events
            .list(&ListParams::default().fields(&format!("involvedObject.name={task}")))
            .await
            .expect("events");
        list.items.into_iter().filter_map(|event| event.reason).collect()
    }
}

/// A client of the shared cluster.
pub async fn client(kubeconfig: impl AsRef<std::path::Path>) -> kube::Client {
    let file = kube::config::Kubeconfig::read_from(kubeconfig).expect("a kubeconfig");
    let mut config = kube::Config::from_custom_kubeconfig(file, &kube::config::KubeConfigOptions::default())
        .await
        .expect("a config");
    config.default_retry = false;
    config.read_timeout = Some(Duration::from_secs(55));
    config.reset_reader_on_write = true;
    kube::Client::try_from(config).expect("a client")
}

/// A manifest that works, with `spec` laid over it.
pub fn task_manifest(name: &str, spec: Value) -> Value {
    let mut body = json!({
        "apiVersion": "punctual.dev/v1alpha1",
        "kind": "ScheduledTask",
        "metadata": {"name": name},
        "spec": {
            "schedule": "* * * * *",
            "jobTemplate": {"spec": {"backoffLimit": 0, "template": {"spec": {
                "restartPolicy": "Never",
                "terminationGracePeriodSeconds": 0,
                "containers": [{"name": "main", "image": "example.com/none:1", "command": ["true"]}],
            }}}},
        },
    });
    lay_over(&mut body["spec"], spec);
    body
}

fn lay_over(under: &mut Value, over: Value) {
    match (under, over) {
        (Value::Object(under), Value::Object(over)) => {
            for (key, value) in over {
                lay_over(under.entry(key).or_insert(Value::Null), value);
            }
        }
        (under, over) => *under = over,
    }
}
