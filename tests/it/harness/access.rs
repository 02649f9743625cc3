//! By whose rights the operator works. Takes `PUNCTUAL_RIGHTS`, gives a kubeconfig and a client: the administrator's, or with
//! `chart` those of a ServiceAccount that has the roles which the chart renders, and no others. Then a test in whose namespace
//! the operator was denied something fails at its end, whatever else it has shown.

use super::audit;
use cluster::{Cluster, Tool};
use std::collections::BTreeMap;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::Mutex;

const NAMESPACE: &str = "punctual-system";
const ACCOUNT: &str = "punctual";
/// The roles, their bindings and the account: all of the chart that gives rights to the operator.
const TEMPLATES: [&str; 3] = ["serviceaccount", "rbac", "rbac-leader-election"];

/// The operator's way into a cluster.
pub struct Access {
    pub kubeconfig: PathBuf,
    pub client: kube::Client,
    /// Where to look afterwards: the audit log and the test's namespace.
    watched: Option<(PathBuf, String)>,
}

impl Access {
    /// The way that this run has chosen.
    pub async fn of(cluster: &'static Cluster, namespace: &str) -> Access {
        let rights = std::env::var("PUNCTUAL_RIGHTS").unwrap_or_default();
        let (kubeconfig, watched) = match rights.as_str() {
            "" | "admin" => (cluster.kubeconfig(), None),
            "chart" => {
                let kubeconfig = tokio::task::spawn_blocking(|| charts(cluster)).await.expect("the chart's rights");
                (kubeconfig, Some((cluster.audit_log(), namespace.to_owned())))
            }
            other => panic!("PUNCTUAL_RIGHTS is admin or chart, not {other}"),
        };
        Access {
            client: super::client(&kubeconfig).await,
            kubeconfig,
            watched,
        }
    }
}

impl Drop for Access {
    fn drop(&mut self) {
        let Some((log, namespace)) = &self.watched else { return };
        let requests = audit::requests(log, &audit::service_account(NAMESPACE, ACCOUNT), 0);
        let denied: Vec<String> = requests
            .iter()
            .filter(|request| request.denied && request.namespace == *namespace)
            .map(ToString::to_string)
            .collect();
        if !denied.is_empty() {
            eprintln!("the chart's rights do not suffice, denied: {denied:#?}");
            assert!(std::thread::panicking(), "the chart's rights do not suffice");
        }
    }
}

/// The kubeconfig of the chart's ServiceAccount, which is made when it is first asked for.
fn charts(cluster: &Cluster) -> PathBuf {
    static MADE: Mutex<BTreeMap<String, PathBuf>> = Mutex::new(BTreeMap::new());
    let mut made = MADE.lock().expect("the chart's rights were made");
    if let Some(kubeconfig) = made.get(cluster.id()) {
        return kubeconfig.clone();
    }
    let chart = Path::new(env!("CARGO_MANIFEST_DIR")).join("charts/punctual");
    let helm = cluster.tool(Tool::Helm).expect("helm");
    let mut template = std::process::Command::new(helm);
    template.args(["template", ACCOUNT]).arg(chart).args(["--namespace", NAMESPACE]);
    for name in TEMPLATES {
        template.arg(format!("--show-only=templates/{name}.yaml"));
    }
    let rendered = template.output().expect("helm runs");
    assert!(rendered.status.success(), "{}", String::from_utf8_lossy(&rendered.stderr));
    let namespace = format!("apiVersion: v1\nkind: Namespace\nmetadata: {{name: {NAMESPACE}}}\n---\n");
    let mut apply = cluster.kubectl();
    let mut apply = apply
        .args(["apply", "-f", "-"])
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .spawn()
        .expect("kubectl runs");
    let mut input = apply.stdin.take().expect("a pipe");
    input
        .write_all(namespace.as_bytes())
        .and_then(|()| input.write_all(&rendered.stdout))
        .expect("written");
    drop(input);
    assert!(apply.wait().expect("kubectl ends").success(), "the chart's roles are not taken");
    let kubeconfig = cluster.kubeconfig_for_service_account(NAMESPACE, ACCOUNT).expect("a token");
    made.insert(cluster.id().to_owned(), kubeconfig.clone());
    kubeconfig
}
