//! `punctual logs`: prints the logs of a run, those of the newest one by default, with the rights of the user.
//!
//! The ledger names the Job of the run, and Kubernetes has the logs as long as its pods exist.

mod pods;
mod run;

use super::argument;
use super::cluster::{self, Cluster, Target};
use super::task::Task;
use anyhow::{Result, bail};
use k8s_openapi::api::batch::v1::Job;
use kube::Api;
use std::process::ExitCode;

#[derive(clap::Args, Debug)]
pub struct Args {
    /// Name of the task
    #[arg(value_name = "NAME", value_parser = argument::task_name)]
    name: String,
    /// The run: its slot, or the name of a Job. Default: the newest run
    #[arg(long, value_name = "SLOT|JOB")]
    run: Option<String>,
    /// Wait for the container to start, and print further lines as they come
    #[arg(short, long)]
    follow: bool,
    /// The container. Default: the first one, or that of the annotation kubectl.kubernetes.io/default-container
    #[arg(short, long, value_name = "NAME")]
    container: Option<String>,
    /// Print the last lines only
    #[arg(long, value_name = "LINES")]
    tail: Option<u32>,
    #[command(flatten)]
    pub target: Target,
}

pub fn run(args: &Args) -> Result<ExitCode> {
    let name = cluster::bare_name(&args.name);
    cluster::block_on(async {
        let cluster = args.target.connect().await?;
        let task = Task::of(cluster.task(name).await?);
        let found = run::job(&task, args.run.as_deref())?;
        let (run::Found::InLedger(job) | run::Found::Named(job)) = &found;
        match job_of_task(&cluster, job, &task_uid(&task)).await? {
            Existing::Own => {}
            Existing::Gone if matches!(found, run::Found::Named(_)) => {
                bail!("task {name} has no Job {job}: see punctual history {name}, or it is deleted, and its logs with it")
            }
            Existing::Gone => bail!(
                "Job {job} is deleted, and its logs with it: punctual history {name} has exit code and message; successfulJobsHistoryLimit and failedJobsHistoryLimit say how many Jobs are kept"
            ),
            Existing::Foreign => bail!("Job {job} does not belong to task {name}"),
        }
        let options = pods::Options {
            follow: args.follow,
            container: args.container.clone(),
            tail: args.tail,
        };
        pods::print(&cluster, job, &options).await
    })
}

fn task_uid(task: &Task) -> String {
    let uid = task.object.pointer("/metadata/uid").and_then(serde_json::Value::as_str);
    uid.unwrap_or_default().to_owned()
}

enum Existing {
    Own,
    Gone,
    Foreign,
}

/// Whether the Job exists and is one of the task.
async fn job_of_task(cluster: &Cluster, job: &str, uid: &str) -> Result<Existing> {
    let jobs: Api<Job> = Api::namespaced(cluster.client(), &cluster.namespace);
    let found = jobs.get_metadata_opt(job).await.map_err(|error| cluster.error(error))?;
    Ok(match found {
        None => Existing::Gone,
        Some(found) => {
            let mut owners = found.metadata.owner_references.into_iter().flatten();
            match owners.any(|owner| owner.uid == uid) {
                true => Existing::Own,
                false => Existing::Foreign,
            }
        }
    })
}
