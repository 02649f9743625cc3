//! A kubelet made of patches: pods end when the test says so, with the exit code that it says.

use super::{World, until};
use k8s_openapi::api::core::v1::Pod;
use kube::api::{Api, ListParams, Patch, PatchParams};
use serde_json::json;

impl World {
    /// Ends the pod of a Job with this exit code and termination message, and waits until the Job says so, or has gone since.
    pub async fn end_job(&self, job: &str, exit_code: i32, message: &str) {
        self.end_pod(job, exit_code, message).await;
        let jobs = self.jobs();
        until(&format!("Job {job} to end"), || async {
            // Its pod was there: who is gone by now has ended, and was cleaned up.
            let Some(found) = jobs.get_opt(job).await.expect("Jobs can be read") else {
                return Some(());
            };
            let status = found.status?;
            let ended = |condition: &&k8s_openapi::api::batch::v1::JobCondition| {
                matches!(condition.type_.as_str(), "Complete" | "Failed") && condition.status == "True"
            };
            status.conditions.iter().flatten().find(ended).map(|_| ())
        })
        .await;
    }

    /// Ends whatever pod comes with this exit code, as a node would, until the task that does it is aborted.
    pub fn end_jobs(&self, exit_code: i32) -> tokio::task::JoinHandle<()> {
        self.end_jobs_as(move |_| exit_code)
    }

    /// The same with an exit code for each Job, by its name.
    pub fn end_jobs_as(&self, exit_code: impl Fn(&str) -> i32 + Send + 'static) -> tokio::task::JoinHandle<()> {
        let world = self.clone();
        tokio::spawn(async move {
            let mut ended = std::collections::HashSet::new();
            loop {
                for job in world.job_names().await {
                    if ended.insert(job.clone()) {
                        let (world, exit_code) = (world.clone(), exit_code(&job));
                        tokio::spawn(async move { world.end_pod(&job, exit_code, "").await });
                    }
                }
                tokio::time::sleep(std::time::Duration::from_millis(50)).await;
            }
        })
    }

    /// Ends the pod of a Job, and does not wait for what becomes of the Job.
    pub async fn end_pod(&self, job: &str, exit_code: i32, message: &str) {
        let pods: Api<Pod> = Api::namespaced(self.client.clone(), &self.namespace);
        let of_job = ListParams::default().labels(&format!("batch.kubernetes.io/job-name={job}"));
        let pod = until(&format!("the pod of Job {job}"), || async {
            pods.list(&of_job).await.expect("pods").items.into_iter().next()
        })
        .await;
        let name = pod.metadata.name.expect("a name");
        let containers = pod.spec.expect("a spec").containers;
        let now = jiff::Timestamp::from_second(punctual::clock::Clock::System.now().as_second())
            .unwrap()
            .to_string();
        let statuses: Vec<_> = containers
            .iter()
            .map(|container| {
                json!({"name": container.name, "image": "none", "imageID": "none", "ready": false, "restartCount": 0,
                    "state": {"terminated": {"exitCode": exit_code, "message": message, "reason": if exit_code == 0 { "Completed" } else { "Error" },
                        "startedAt": now, "finishedAt": now}}})
            })
            .collect();
        let phase = if exit_code == 0 { "Succeeded" } else { "Failed" };
        let patch = json!({"status": {"phase": phase, "containerStatuses": statuses}});
        pods.patch_status(&name, &PatchParams::default(), &Patch::Merge(patch))
            .await
            .expect("the pod's status is taken");
    }
}
