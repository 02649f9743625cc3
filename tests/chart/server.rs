//! A real API server with etcd, without controllers: what is applied to it is stored, and nothing acts on it.

use cluster::{Cluster, Options, Release};
use serde_json::Value;
use std::io::Write;
use std::process::{Command, Stdio};
use std::sync::OnceLock;
use std::time::{Duration, Instant};

/// An API server of one's own. It ends with the value.
pub struct Server(Cluster);

impl Server {
    pub fn start() -> Server {
        let options = Options {
            controller_manager: false,
            ..Options::default()
        };
        Server(Cluster::start(options).expect("an API server"))
    }

    /// The API server that tests share. It ends with the process.
    pub fn shared() -> &'static Server {
        static SHARED: OnceLock<Server> = OnceLock::new();
        SHARED.get_or_init(Server::start)
    }

    /// Whether `K8S` selects another Kubernetes version than the default.
    pub fn is_other_release(&self) -> bool {
        self.0.release() != Release::DEFAULT
    }

    /// Runs kubectl as administrator, with this input.
    ///
    /// # Errors
    /// kubectl's output, if it fails.
    pub fn kubectl(&self, args: &[&str], input: &str) -> Result<String, String> {
        output(self.0.kubectl().args(args), input)
    }

    /// Runs helm as administrator, without the user's settings.
    ///
    /// # Errors
    /// helm's output, if it fails.
    pub fn helm(&self, args: &[&str]) -> Result<String, String> {
        let mut helm = self.0.helm().expect("helm");
        let home = self.0.dir().join("helm");
        for variable in ["HELM_CACHE_HOME", "HELM_CONFIG_HOME", "HELM_DATA_HOME"] {
            helm.env(variable, &home);
        }
        output(helm.args(args), "")
    }

    /// Applies a manifest on the server's side, as Argo CD does.
    pub fn apply(&self, manifest: &str) {
        let applied = self.kubectl(&["apply", "--server-side", "--force-conflicts", "-f", "-"], manifest);
        applied.unwrap_or_else(|said| panic!("kubectl apply: {said}"));
    }

    /// Waits until the API server serves ScheduledTasks.
    pub fn wait_for_tasks(&self) {
        let deadline = Instant::now() + Duration::from_secs(60);
        while self.kubectl(&["get", "stask", "--all-namespaces"], "").is_err() {
            assert!(Instant::now() < deadline, "waited a minute for the CRD to be served");
        }
    }

    /// The stored object.
    pub fn stored(&self, object: &Value) -> Value {
        let (kind, name) = (
            object["kind"].as_str().expect("a kind"),
            object["metadata"]["name"].as_str().expect("a name"),
        );
        let mut args = vec!["get", kind, name, "-o", "json"];
        if let Some(namespace) = object["metadata"]["namespace"].as_str() {
            args.extend(["-n", namespace]);
        }
        let stored = self.kubectl(&args, "").unwrap_or_else(|said| panic!("{kind} {name}: {said}"));
        serde_json::from_str(&stored).expect("JSON")
    }
}

fn output(command: &mut Command, input: &str) -> Result<String, String> {
    let pipes = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = pipes.spawn().expect("the program starts");
    let written = child.stdin.take().expect("a pipe").write_all(input.as_bytes());
    let output = child.wait_with_output().expect("the program ends");
    let (said, error) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    if output.status.success() && written.is_ok() {
        Ok(said.into_owned())
    } else {
        Err(format!("{error}{said}"))
    }
}
