//! Every command that README shows is run, and its manifest is taken.

use crate::harness::{client, until};
use cluster::{Cluster, Options};
use kube::Api;
use punctual::api::ScheduledTask;
use std::path::Path;
use std::process::{Child, Command, Stdio};

/// Make targets that README shows, and who runs them.
const TARGETS: &[(&str, &str)] = &[
    ("demo", "dev/demo/tests/demo.rs"),
    ("demo-down", "dev/demo/tests/demo.rs"),
    ("cluster", "dev/cluster/tests/keeper.rs"),
    ("cluster-down", "dev/cluster/tests/keeper.rs"),
    ("test", ".ci/run"),
];

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The fenced blocks of a language, in order.
fn blocks(text: &str, language: &str) -> Vec<String> {
    let mut blocks = Vec::new();
    let mut rest = text;
    while let Some((_, after)) = rest.split_once(&format!("```{language}\n")) {
        let (block, after) = after.split_once("```").expect("the block ends");
        blocks.push(block.to_owned());
        rest = after;
    }
    blocks
}

struct Background(Child);

impl Drop for Background {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_command_of_the_readme_runs_and_its_manifest_is_accepted() {
    let readme = std::fs::read_to_string(root().join("README.md")).unwrap();
    // A cluster of its own: the operator that README starts looks after every namespace.
    let cluster = tokio::task::spawn_blocking(|| Cluster::start(Options::default()).expect("a control plane"))
        .await
        .unwrap();
    let manifest = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(manifest.path(), blocks(&readme, "yaml").remove(0)).unwrap();
    let bin = tempfile::tempdir().unwrap();
    let kubectl = cluster.kubectl().get_program().to_owned();
    std::os::unix::fs::symlink(cluster.helm().expect("helm").get_program(), bin.path().join("helm")).unwrap();
    std::os::unix::fs::symlink(kubectl, bin.path().join("kubectl")).unwrap();
    std::os::unix::fs::symlink(env!("CARGO_BIN_EXE_punctual"), bin.path().join("punctual")).unwrap();
    let path = format!("{}:{}", bin.path().display(), std::env::var("PATH").unwrap());
    let shell = |line: &str| {
        let mut command = Command::new("sh");
        command
            .args(["-c", &format!("exec {line}")])
            .current_dir(root())
            .env("PATH", &path)
            .env("HOME", bin.path())
            .env("KUBECONFIG", cluster.kubeconfig())
            .stdin(Stdio::null());
        command
    };
    let makefile = std::fs::read_to_string(root().join("Makefile")).unwrap();
    let mut run = 0;
    let mut background = Vec::new();
    for line in blocks(&readme, "sh")
        .join("\n")
        .lines()
        .map(|line| line.split('#').next().unwrap().trim())
        .filter(|line| !line.is_empty())
    {
        run += 1;
        if let Some(target) = line.strip_prefix("make ") {
            let (_, runs_it) = TARGETS
                .iter()
                .find(|(known, _)| *known == target)
                .unwrap_or_else(|| panic!("nobody runs `{line}`"));
            assert!(makefile.contains(&format!("\n{target}:")), "no target {target}");
            assert!(root().join(runs_it).exists(), "{runs_it} is gone");
        } else if line.starts_with("punctual controller") {
            // Port 8080 may be somebody else's on this machine.
            let line = line.replace("127.0.0.1:8080", "127.0.0.1:0");
            background.push(Background(
                shell(&line).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap(),
            ));
        } else {
            let done = shell(line).output().unwrap();
            assert!(done.status.success(), "`{line}`: {}", String::from_utf8_lossy(&done.stderr));
            assert!(!done.stdout.is_empty(), "`{line}` says nothing");
        }
        if line.starts_with("helm install") {
            until("the API server to serve tasks", || async {
                let applied = cluster.kubectl().arg("apply").arg("-f").arg(manifest.path()).output().unwrap();
                applied.status.success().then_some(())
            })
            .await;
        }
    }
    assert!(run >= 10, "only {run} commands found");
    assert_eq!(background.len(), 1, "the operator is started once");
    let tasks: Api<ScheduledTask> = Api::namespaced(client(cluster.kubeconfig()).await, "default");
    until("the manifest of the README to be accepted", || async {
        let status = tasks.get("nightly").await.ok()?.status?;
        status.condition("Ready").filter(|ready| ready.status == "True").map(|_| ())
    })
    .await;
}
