//! A cluster with a real node. Takes nothing, gives the node with the operator's image and busybox; never KWOK in its
//! place: what is asked here only containers can answer.

use crate::harness::World;
use cluster::{BUSYBOX_IMAGE, Cluster, Layers, NodeChoice, OperatorImage, Options};
use serde_json::{Value, json};
use std::ops::Deref;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use tokio::sync::{Mutex, RwLock};

/// Asks whoever makes a Job that holds up the deletion of its task whether they may.
const PLUGIN: &str = "OwnerReferencesPermissionEnforcement";

/// The cluster of this run, and whose turn it is on it.
pub struct Ground {
    pub cluster: Cluster,
    /// Shared by those who use the standard release, alone for those who install their own.
    pub turn: RwLock<()>,
    /// Where the audit log was when the standard release was installed; nothing when it is not.
    pub standard: Mutex<Option<u64>>,
}

/// The cluster; without the means for a node, nothing, and the reason is printed.
pub fn ground() -> Option<&'static Ground> {
    static GROUND: OnceLock<Result<Ground, String>> = OnceLock::new();
    let ground = GROUND.get_or_init(|| match cluster::real_node_obstacle() {
        None => Ok(Ground::start()),
        Some(obstacle) => Err(obstacle),
    });
    if let Err(obstacle) = ground {
        println!("skipped: no real node here: {obstacle}");
    }
    ground.as_ref().ok()
}

impl Ground {
    fn start() -> Ground {
        let cluster = Cluster::start(Options {
            node: NodeChoice::Real,
            // As OpenShift has it, always: it asks for a right that no request uses.
            api_server_args: vec![format!("--enable-admission-plugins={PLUGIN}")],
            ..Options::default()
        })
        .expect("a cluster with a real node");
        // Under the very name that the chart says, so that the values for it stay the chart's own.
        match std::env::var_os("PUNCTUAL_IMAGE").map(PathBuf::from) {
            Some(archive) => cluster.import_archive(&archive).expect("PUNCTUAL_IMAGE can be imported"),
            None => {
                let image = OperatorImage::new(env!("CARGO_BIN_EXE_punctual"), "punctual.dev/punctual", "under test");
                let archive = cluster.dir().join("punctual.tar");
                image.expect("a binary").write(&archive, Layers::Plain).expect("an image");
                cluster.import_archive(&archive).expect("imported");
            }
        }
        Ground {
            cluster,
            turn: RwLock::new(()),
            standard: Mutex::new(None),
        }
    }

    /// A namespace of one's own.
    pub async fn world(&'static self, name: &str) -> Own {
        let world = World::on(|| &ground().expect("it is there").cluster, name).await;
        Own { ground: self, world }
    }

    /// Runs kubectl as administrator.
    ///
    /// # Errors
    /// With what kubectl said, when it failed.
    pub fn kubectl(&self, args: &[&str]) -> Result<String, String> {
        said(self.cluster.kubectl().args(args))
    }

    /// Runs helm as administrator, without the user's own settings.
    ///
    /// # Errors
    /// With what helm said, when it failed.
    pub fn helm(&self, args: &[&str]) -> Result<String, String> {
        let home = self.cluster.dir().join("helm");
        let mut helm = self.cluster.helm().expect("helm");
        for variable in ["HELM_CACHE_HOME", "HELM_CONFIG_HOME", "HELM_DATA_HOME"] {
            helm.env(variable, &home);
        }
        said(helm.args(args))
    }

    /// How long the audit log is now.
    pub fn now(&self) -> u64 {
        std::fs::metadata(self.cluster.audit_log()).map_or(0, |log| log.len())
    }
}

/// A namespace that is deleted with the value: its tasks must not start containers while other tests run.
pub struct Own {
    ground: &'static Ground,
    world: World,
}

impl Deref for Own {
    type Target = World;

    fn deref(&self) -> &World {
        &self.world
    }
}

impl Drop for Own {
    fn drop(&mut self) {
        let _ = self.ground.kubectl(&["delete", "namespace", &self.namespace, "--wait=false"]);
    }
}

/// What a program said on its output.
///
/// # Errors
/// With what it said elsewhere, when it failed.
pub fn said(command: &mut std::process::Command) -> Result<String, String> {
    let output = command.output().expect("it can be run");
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).trim().to_owned();
    if output.status.success() {
        Ok(text(&output.stdout))
    } else {
        Err(format!("{}\n{}", text(&output.stderr), text(&output.stdout)))
    }
}

/// The repository's chart.
pub fn chart() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("charts/punctual")
}

/// A Job's template with a container that runs this line of shell.
pub fn running(command: &str) -> Value {
    json!({"spec": {"backoffLimit": 0, "template": {"spec": {"restartPolicy": "Never", "terminationGracePeriodSeconds": 0, "containers": [
        {"name": "main", "image": BUSYBOX_IMAGE, "imagePullPolicy": "Never", "command": ["sh", "-c", command]}]}}}})
}
