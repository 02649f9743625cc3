//! Runs helm on the chart and parses its output. Uses neither a cluster nor the user's helm settings.

use cluster::{Binaries, Tool};
use serde::Deserialize;
use serde_json::Value;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::LazyLock;

static HELM: LazyLock<PathBuf> = LazyLock::new(|| {
    let binaries = Binaries::choose(None).expect("a release is chosen");
    binaries.path(Tool::Helm).expect("helm is there or can be built: make tools")
});

/// The CRD.
pub const CRD: &str = "crds/scheduledtasks.punctual.dev.yaml";
/// Its copy in the chart: Helm reads no file outside the chart, and warns of a link to one.
pub const CRD_COPY: &str = "charts/punctual/files/crds/scheduledtasks.punctual.dev.yaml";

/// With `BLESS=1` renews the copy of the CRD, before anything is rendered.
static COPY_CRD: LazyLock<()> = LazyLock::new(|| {
    if is_bless() {
        std::fs::write(root().join(CRD_COPY), read(CRD)).expect("the copy can be written");
    }
});

/// Whether generated files are to be renewed.
pub fn is_bless() -> bool {
    std::env::var_os("BLESS").is_some_and(|bless| bless == "1")
}

/// The namespace of the release.
pub const NAMESPACE: &str = "punctual-system";

/// The repository.
pub fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The chart's folder.
pub fn chart() -> PathBuf {
    root().join("charts/punctual")
}

/// A file of the repository.
pub fn read(path: &str) -> String {
    std::fs::read_to_string(root().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// Arguments that set every value to something other than its default.
pub fn everything() -> [String; 2] {
    ["-f".to_owned(), chart().join("ci/everything-values.yaml").display().to_string()]
}

/// Runs helm.
///
/// # Errors
/// helm's output, if it fails.
pub fn helm<S: AsRef<std::ffi::OsStr>>(args: impl IntoIterator<Item = S>) -> Result<String, String> {
    LazyLock::force(&COPY_CRD);
    let home = tempfile::tempdir().expect("a folder");
    let mut command = Command::new(&*HELM);
    command.args(args).env_remove("KUBECONFIG");
    for variable in ["HELM_CACHE_HOME", "HELM_CONFIG_HOME", "HELM_DATA_HOME"] {
        command.env(variable, home.path());
    }
    let output = command.output().expect("helm can be run");
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    if output.status.success() {
        Ok(String::from_utf8(output.stdout).expect("UTF-8"))
    } else {
        Err(said + &String::from_utf8_lossy(&output.stdout))
    }
}

/// The chart as text.
///
/// # Errors
/// helm's output, if it fails.
pub fn template<S: Into<String>>(args: impl IntoIterator<Item = S>) -> Result<String, String> {
    let chart = chart().display().to_string();
    let first = ["template", "punctual", &chart, "--namespace", NAMESPACE].map(str::to_owned);
    helm(first.into_iter().chain(args.into_iter().map(Into::into)))
}

/// The chart as objects.
pub fn render<S: Into<String>>(args: impl IntoIterator<Item = S>) -> Vec<Value> {
    parse(&template(args).unwrap_or_else(|said| panic!("helm failed: {said}")))
}

/// The chart with these values set.
pub fn set(values: &[&str]) -> Vec<Value> {
    render(values.iter().flat_map(|value| ["--set", value]))
}

/// The documents of a YAML stream.
pub fn parse(text: &str) -> Vec<Value> {
    let documents = serde_yaml::Deserializer::from_str(text).map(|document| Value::deserialize(document).expect("YAML"));
    documents.filter(|document| !document.is_null()).collect()
}

/// The objects of one kind.
pub fn of_kind<'a>(objects: &'a [Value], kind: &str) -> Vec<&'a Value> {
    objects.iter().filter(|object| object["kind"] == kind).collect()
}

/// Whether the object exists only for `helm test`.
pub fn is_hook(object: &Value) -> bool {
    object["metadata"]["annotations"]["helm.sh/hook"].is_string()
}
