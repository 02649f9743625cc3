//! Tests of the chart `charts/punctual`, rendered by the real `helm`, and where it matters applied to a real API server.
//!
//! | file | tests |
//! |---|---|
//! | `alerts` | the alerts, run by promtool |
//! | `dashboard` | the Grafana dashboard |
//! | `debian` | none: finds promtool and Prometheus |
//! | `dependency` | the chart as a dependency of another chart |
//! | `helm` | none: runs helm and parses its output |
//! | `installed` | `helm install` on an API server |
//! | `kubernetes_version` | the check of the Kubernetes version |
//! | `names` | names of releases and namespaces of every legal form |
//! | `objects` | the rendered objects: CRD, pods, switches, alerts, flags |
//! | `queries` | none: takes queries apart |
//! | `rights` | RBAC, namespaced mode, the admission policies |
//! | `server` | none: starts an API server |
//! | `stored` | what the API server stores of the rendered objects |
//! | `values` | the values: schema, documentation, the effect of each value |
//!
//! No operator runs here: tests/it and tests/e2e check that the objects work.
//! `BLESS=1 cargo test --test chart` regenerates `charts/punctual/README.md` and `deploy/punctual.yaml`.

#[path = "chart/alerts.rs"]
mod alerts;
#[path = "chart/dashboard.rs"]
mod dashboard;
#[path = "chart/debian.rs"]
mod debian;
#[path = "chart/dependency.rs"]
mod dependency;
#[path = "chart/helm.rs"]
mod helm;
#[path = "chart/installed.rs"]
mod installed;
#[path = "chart/kubernetes_version.rs"]
mod kubernetes_version;
#[path = "chart/names.rs"]
mod names;
#[path = "chart/objects.rs"]
mod objects;
#[path = "chart/queries.rs"]
mod queries;
#[path = "chart/rights.rs"]
mod rights;
#[path = "chart/server.rs"]
#[allow(dead_code, reason = "the tests of kustomize use the rest of it")]
mod server;
#[path = "chart/stored.rs"]
mod stored;
#[path = "chart/values.rs"]
mod values;

use std::fs;
use std::path::Path;

/// Asserts that a file of the repository has this content; with `BLESS=1` it writes the file first.
fn is_generated_from(file: &Path, made: &str) {
    if helm::is_bless() {
        fs::create_dir_all(file.parent().expect("a file is in a folder")).expect("the folder can be made");
        fs::write(file, made).expect("the file can be written");
    }
    let kept = fs::read_to_string(file).unwrap_or_default();
    let same = kept.lines().zip(made.lines()).take_while(|(kept, made)| kept == made).count();
    let at = |text: &str| text.lines().nth(same).unwrap_or("(the end)").to_owned();
    assert!(
        kept == made,
        "{} is out of date; regenerate it with: BLESS=1 cargo test --test chart\nline {}: kept {:?}, made {:?}",
        file.display(),
        same + 1,
        at(&kept),
        at(made)
    );
}
