//! A node without containers. Takes a control plane, gives a Ready node whose pods run and complete on paper, never
//! runs one.

use std::io::Write;
use std::process::{Command, Stdio};

use anyhow::{Context, bail};

use crate::plane::{Site, flags};
use crate::ports::Port;
use crate::process::{Component, Probe};
use crate::{Result, Tool};

/// The name of the one node.
const NODE: &str = r#"{"apiVersion": "v1", "kind": "Node", "metadata": {"name": "kwok",
  "annotations": {"kwok.x-k8s.io/node": "fake"}, "labels": {"kubernetes.io/hostname": "kwok", "kubernetes.io/os": "linux"}},
  "status": {"allocatable": {"cpu": "64", "memory": "256Gi", "pods": "10000"},
             "capacity": {"cpu": "64", "memory": "256Gi", "pods": "10000"}}}"#;

/// Starts KWOK and waits until its node is Ready.
pub(crate) fn start(site: &Site) -> Result<(Component, Port)> {
    let kubectl = site.binaries.path(Tool::Kubectl)?;
    let kubeconfig = site.kubeconfig_of("kwok", "kwok.kubeconfig")?;
    let port = Port::claim()?;
    let stages = site.dir.join("kwok-stages.yaml");
    std::fs::write(&stages, include_str!("kwok-stages.yaml"))?;
    let args = flags(&[
        ("kubeconfig", &kubeconfig.display().to_string()),
        ("config", &stages.display().to_string()),
        ("manage-all-nodes", "true"),
        ("server-address", &format!("127.0.0.1:{}", port.number)),
        ("node-lease-duration-seconds", "40"),
    ]);
    let admin = site.admin_kubeconfig();
    let command = move || {
        let mut command = Command::new(&kubectl);
        command.env("KUBECONFIG", &admin);
        command
    };
    let mut create = command()
        .args(["apply", "-f", "-"])
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .spawn()
        .context("kubectl")?;
    create.stdin.take().context("kubectl's stdin")?.write_all(NODE.as_bytes())?;
    if !create.wait()?.success() {
        bail!("the node could not be created");
    }
    let probe: Probe = Box::new(move || node_ready(command(), "kwok"));
    let kwok = Component::new("kwok", site.binaries.path(Tool::Kwok)?, args, &site.logs(), probe);
    kwok.start()?;
    Ok((kwok, port))
}

/// Asks whether a node is Ready.
pub(crate) fn node_ready(mut kubectl: Command, name: &str) -> std::result::Result<(), String> {
    let path = r#"jsonpath={.status.conditions[?(@.type=="Ready")].status} {.status.conditions[?(@.type=="Ready")].message}"#;
    match kubectl.args(["get", "node", name, "-o", path, "--request-timeout=5s"]).output() {
        Ok(output) if output.stdout.starts_with(b"True") => Ok(()),
        Ok(output) => {
            let (said, error) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
            Err(format!("the node is not Ready: {} {}", said.trim(), error.trim()))
        }
        Err(error) => Err(error.to_string()),
    }
}
