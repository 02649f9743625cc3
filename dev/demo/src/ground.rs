//! The cluster that the demo uses: one created for it, or an existing one.
//!
//! Runs kubectl on that cluster. Changes nothing outside the demo's namespace except the CRD.

use crate::names::{CRD, NAMESPACE};
use crate::steps::step;
use anyhow::{Context, Result, bail};
use cluster::{BUSYBOX_IMAGE, Binaries, NodeChoice, Tool};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// Where the examples write their results, on this machine's node.
const RESULTS: &str = "/tmp/punctual-demo";
/// Annotation on the demo's namespace: the demo installed the CRD.
const CRD_IS_OURS: &str = "punctual.dev/demo-brought-crd=true";

/// A cluster and how to access it.
pub struct Ground {
    kubectl: PathBuf,
    /// `--kubeconfig FILE` or `--context NAME`, for kubectl and for the operator.
    pub access: [String; 2],
    /// Whether the cluster was created for the demo.
    made: bool,
    /// Whether containers really run.
    pub real: bool,
}

impl Ground {
    /// Starts a cluster, with a real node where that is possible.
    pub fn make() -> Result<Ground> {
        step(
            3,
            "starting etcd, API server, controller manager, scheduler and a node (about 10 seconds)",
        );
        let mut keeper = Command::new(std::env::current_exe()?);
        keeper.arg("keep");
        let kept = cluster::up(keeper, NodeChoice::RealOrKwok)?;
        println!("      {}{}", kept.node, if kept.was_up { " (already running)" } else { "" });
        let access = ["--kubeconfig".to_owned(), kept.kubeconfig.display().to_string()];
        Ok(Ground {
            kubectl: kept.kubectl,
            access,
            made: true,
            real: kept.node.starts_with("a real node"),
        })
    }

    /// Uses the user's cluster, and first prints what the demo will do to it.
    pub fn existing(context: String) -> Result<Ground> {
        let ground = Ground::existing_quietly(context)?;
        ground.refuse_a_second_operator()?;
        let server = ground.output(&["config", "view", "--minify", "-o", "jsonpath={.clusters[0].cluster.server}"])?;
        println!("On the cluster of context {} ({server}), the demo will", ground.access[1]);
        println!("  - install the CRD {CRD},");
        println!("  - create the namespace {NAMESPACE} and apply the examples there, except those that read files of the node,");
        println!("  - run the operator as a process on this machine with your credentials, for that namespace only.");
        println!(
            "It changes nothing else. `make demo-down KUBECONTEXT={}` removes it.\n",
            ground.access[1]
        );
        Ok(ground)
    }

    /// Two operators must not share a namespace, and the CRD of this checkout may be of another version.
    fn refuse_a_second_operator(&self) -> Result<()> {
        let label = "app.kubernetes.io/name=punctual,app.kubernetes.io/component=controller";
        let place = "jsonpath={range .items[*]}{.metadata.namespace}/{.metadata.name} {end}";
        let found = self.output(&["get", "deployments", "-A", "-l", label, "-o", place])?;
        if let Some(name) = found.split_whitespace().next() {
            bail!("Punctual is already installed in this cluster (Deployment {name}): apply examples/ yourself, or choose another cluster");
        }
        Ok(())
    }

    /// The same without printing anything.
    pub fn existing_quietly(context: String) -> Result<Ground> {
        let on_path = Command::new("kubectl")
            .args(["version", "--client"])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status();
        let kubectl = match on_path {
            Ok(status) if status.success() => PathBuf::from("kubectl"),
            _ => Binaries::choose(None)?.path(Tool::Kubectl)?,
        };
        Ok(Ground {
            kubectl,
            access: ["--context".to_owned(), context],
            made: false,
            real: true,
        })
    }

    /// kubectl on this cluster.
    pub fn kubectl(&self, args: &[&str]) -> Command {
        let mut command = Command::new(&self.kubectl);
        command.args(&self.access).args(args);
        command
    }

    /// Runs kubectl and returns its standard output.
    pub fn output(&self, args: &[&str]) -> Result<String> {
        let done = self.kubectl(args).output().context("cannot start kubectl")?;
        if !done.status.success() {
            bail!("kubectl {}: {}", args.join(" "), String::from_utf8_lossy(&done.stderr).trim());
        }
        Ok(String::from_utf8_lossy(&done.stdout).into_owned())
    }

    /// Folder of the created cluster's kubectl, for the PATH.
    pub fn kubectl_dir(&self) -> Option<String> {
        self.kubectl
            .parent()
            .map(|dir| dir.display().to_string())
            .filter(|dir| !dir.is_empty())
    }

    /// Installs the CRD and waits until its kind is served.
    pub fn install_crd(&self) -> Result<()> {
        let ours = !self.has_crd()?;
        let namespace = self.output(&["create", "namespace", NAMESPACE, "--dry-run=client", "-o", "yaml"])?;
        self.apply(&namespace)?;
        if ours {
            // `demo-down` reads it to know whether the CRD came with the demo.
            self.output(&["annotate", "namespace", NAMESPACE, CRD_IS_OURS])?;
        }
        let crds = root().join("crds");
        print!("{}", indented(&self.output(&["apply", "-f", &crds.display().to_string()])?));
        for _ in 0..600 {
            if self.output(&["get", CRD, "-n", NAMESPACE]).is_ok() {
                return Ok(());
            }
            std::thread::sleep(std::time::Duration::from_millis(100));
        }
        bail!("the API server does not serve {CRD}")
    }

    /// Applies the examples and returns the names of the tasks.
    pub fn apply_examples(&self) -> Result<Vec<String>> {
        let mut files: Vec<PathBuf> = fs::read_dir(root().join("examples"))?
            .filter_map(|entry| Some(entry.ok()?.path()))
            .collect();
        files.sort();
        for file in files.iter().filter(|file| file.extension().is_some_and(|end| end == "yaml")) {
            let text = fs::read_to_string(file)?;
            if self.made {
                // The node has a locally built image, so no registry is contacted.
                print!("{}", indented(&self.apply(&text.replace("busybox:1.36", BUSYBOX_IMAGE))?));
            } else if !text.contains("hostPath") {
                print!("{}", indented(&self.apply(&text)?));
            }
        }
        let names = self.output(&["get", "stask", "-n", NAMESPACE, "-o", "jsonpath={.items[*].metadata.name}"])?;
        Ok(names.split_whitespace().map(str::to_owned).collect())
    }

    fn apply(&self, manifest: &str) -> Result<String> {
        use std::io::Write;
        let mut child = self
            .kubectl(&["apply", "-n", NAMESPACE, "-f", "-"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?;
        child.stdin.take().context("kubectl's input")?.write_all(manifest.as_bytes())?;
        let done = child.wait_with_output()?;
        if !done.status.success() {
            bail!("kubectl apply failed");
        }
        Ok(String::from_utf8_lossy(&done.stdout).into_owned())
    }

    /// Removes the demo from an existing cluster. The CRD is removed only if the demo installed it and no other tasks exist.
    pub fn remove(&self) -> Result<()> {
        let known = self.output(&[
            "get",
            "namespace",
            NAMESPACE,
            "--ignore-not-found",
            "-o",
            "jsonpath={.metadata.annotations}",
        ])?;
        let crd_is_ours = CRD_IS_OURS.split_once('=').is_some_and(|(name, _)| known.contains(name));
        self.output(&["delete", "namespace", NAMESPACE, "--ignore-not-found"])?;
        if !crd_is_ours || !self.has_crd()? {
            return Ok(());
        }
        if self.output(&["get", CRD, "--all-namespaces", "-o", "name"])?.trim().is_empty() {
            self.output(&["delete", "crd", CRD])?;
        } else {
            println!("The CRD is kept: there are tasks in other namespaces.");
        }
        Ok(())
    }

    fn has_crd(&self) -> Result<bool> {
        Ok(!self
            .output(&["get", "crd", CRD, "--ignore-not-found", "-o", "name"])?
            .trim()
            .is_empty())
    }

    /// Where the examples' results are, if they are on this machine.
    pub fn results(&self) -> Option<&'static str> {
        (self.made && self.real).then_some(RESULTS)
    }
}

/// Builds the cluster's binaries that are missing.
pub fn build() -> Result<()> {
    let binaries = Binaries::choose(None)?;
    let release = binaries.release().patch();
    step(
        1,
        &format!("building Kubernetes {release} and etcd from source if missing (about 7 minutes, only the first time)"),
    );
    for tool in [Tool::ApiServer, Tool::Etcd] {
        binaries.path(tool)?;
    }
    Ok(())
}

/// Stops the cluster that was created for the demo.
pub fn unmake() -> Result<()> {
    cluster::down()?;
    match fs::remove_dir_all(RESULTS) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(error).with_context(|| format!("cannot remove {RESULTS}")),
        _ => Ok(()),
    }
}

/// The root of the repository.
pub fn root() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../.."))
}

fn indented(text: &str) -> String {
    text.lines().map(|line| format!("      {line}\n")).collect()
}
