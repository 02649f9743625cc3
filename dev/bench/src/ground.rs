//! The cluster of one session: a control plane of its own, with the CRDs and the operator's rights as the chart gives them.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use cluster::{Cluster, Options, Tool};
use serde::Deserialize;
use serde_yaml::Value;

use crate::load;
use crate::peer::{Manager, OPERATOR_ACCOUNT, OPERATOR_NAMESPACE};

/// The kinds of the chart that decide what the operator may do, and with which priority.
const RIGHTS: [&str; 7] = [
    "ServiceAccount",
    "ClusterRole",
    "ClusterRoleBinding",
    "Role",
    "RoleBinding",
    "FlowSchema",
    "PriorityLevelConfiguration",
];

/// A cluster that is ready for both schedulers.
pub struct Ground {
    pub cluster: Cluster,
    /// The administrator's.
    pub client: kube::Client,
    pub operator_kubeconfig: PathBuf,
}

impl Ground {
    /// Starts one. `root` is the root of the repository.
    pub async fn start(manager: Manager, root: &Path) -> Result<Ground> {
        let root = root.to_owned();
        let (cluster, operator_kubeconfig) = tokio::task::spawn_blocking(move || {
            let cluster = Cluster::start(Options {
                fsync: true,
                controller_manager_args: manager.flags(),
                ..Options::default()
            })?;
            let operator_kubeconfig = install(&cluster, &root)?;
            anyhow::Ok((cluster, operator_kubeconfig))
        })
        .await??;
        let client = load::client(&cluster.kubeconfig()).await?;
        Ok(Ground {
            cluster,
            client,
            operator_kubeconfig,
        })
    }

    /// Process id of the controller manager, in which the CronJob controller runs.
    pub fn controller_manager(&self) -> Result<u32> {
        let manager = self.cluster.controller_manager().context("there is no controller manager")?;
        manager.pid().context("the controller manager does not run")
    }

    /// Creates a namespace.
    pub async fn namespace(&self, name: &str) -> Result<()> {
        let body = format!(r#"{{"metadata":{{"name":"{name}"}}}}"#);
        load::send(&self.client, "POST", "/api/v1/namespaces", "application/json", body.as_bytes()).await?;
        Ok(())
    }

    /// Ends all of it.
    pub async fn end(self) {
        let _ = tokio::task::spawn_blocking(move || drop(self.cluster)).await;
    }
}

fn install(cluster: &Cluster, root: &Path) -> Result<PathBuf> {
    let crds = root.join("crds");
    run(cluster.kubectl().args(["apply", "--server-side", "-f"]).arg(&crds))?;
    // `kubectl wait` fails on a CRD that has no conditions yet. Kind and schema are served one after the other.
    let deadline = Instant::now() + Duration::from_secs(60);
    for asked in [
        &["get", "scheduledtasks", "--all-namespaces"][..],
        &["explain", "scheduledtask.spec"],
    ] {
        while let Err(error) = run(cluster.kubectl().args(asked)) {
            ensure!(Instant::now() < deadline, "the CRD is not served: {error:#}");
            std::thread::sleep(Duration::from_millis(50));
        }
    }
    let mut template = std::process::Command::new(cluster.tool(Tool::Helm)?);
    template.args(["template", OPERATOR_ACCOUNT]).arg(root.join("charts/punctual"));
    let rendered = run(template.args(["--namespace", OPERATOR_NAMESPACE]))?;
    let mut manifests = format!("apiVersion: v1\nkind: Namespace\nmetadata: {{name: {OPERATOR_NAMESPACE}}}\n");
    for object in rights(&rendered)? {
        manifests.push_str("---\n");
        manifests.push_str(&serde_yaml::to_string(&object)?);
    }
    let mut apply = cluster.kubectl();
    let apply = apply.args(["apply", "-f", "-"]).stdin(Stdio::piped()).stdout(Stdio::null());
    let mut apply = apply.spawn().context("cannot start kubectl")?;
    if let Some(mut input) = apply.stdin.take() {
        input.write_all(manifests.as_bytes())?;
    }
    ensure!(apply.wait()?.success(), "the operator's rights were rejected");
    cluster.kubeconfig_for_service_account(OPERATOR_NAMESPACE, OPERATOR_ACCOUNT)
}

/// The objects among rendered manifests that give rights.
fn rights(rendered: &str) -> Result<Vec<Value>> {
    let documents = serde_yaml::Deserializer::from_str(rendered);
    let objects: Vec<Value> = documents.map(Value::deserialize).collect::<Result<_, _>>()?;
    let kind = |object: &Value| {
        object
            .get("kind")
            .and_then(Value::as_str)
            .is_some_and(|kind| RIGHTS.contains(&kind))
    };
    Ok(objects.into_iter().filter(kind).collect())
}

fn run(command: &mut std::process::Command) -> Result<String> {
    let output = command.output().with_context(|| format!("cannot start {command:?}"))?;
    if !output.status.success() {
        bail!("{command:?}: {}", String::from_utf8_lossy(&output.stderr).trim());
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_gives_rights_is_taken_from_the_chart() {
        let rendered = "# Source: a\nkind: Deployment\n---\nkind: Role\nmetadata: {name: a}\n---\n---\nkind: FlowSchema\n";
        let kinds: Vec<Value> = rights(rendered).unwrap().into_iter().map(|object| object["kind"].clone()).collect();
        assert_eq!(kinds, ["Role", "FlowSchema"]);
    }
}
