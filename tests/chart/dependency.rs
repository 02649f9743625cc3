//! The chart as a dependency of another chart.

use super::helm::{chart, helm, of_kind, parse};
use serde_json::Value;
use std::fs;
use std::path::Path;

/// Copies a folder; links are errors, because an archive of the repository may not have them.
fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).expect("a folder");
    for entry in fs::read_dir(from).expect("a folder").map(|entry| entry.expect("an entry")) {
        let (path, kind) = (entry.path(), entry.file_type().expect("a type"));
        assert!(!kind.is_symlink(), "{} is a link", path.display());
        let to = to.join(entry.file_name());
        if kind.is_dir() {
            copy(&path, &to);
        } else {
            fs::copy(&path, &to).expect("copied");
        }
    }
}

/// A chart `platform` that depends on this chart, with these values.
pub fn depending_chart(dependency: &str, values: &str) -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    copy(&chart(), &folder.path().join("charts/punctual"));
    let about =
        format!("apiVersion: v2\nname: platform\nversion: 0.1.0\ndependencies: [{{name: punctual, version: '>=0.1.0-0', {dependency}}}]\n");
    fs::write(folder.path().join("Chart.yaml"), about).expect("written");
    fs::write(folder.path().join("values.yaml"), values).expect("written");
    folder
}

fn platform(dependency: &str, values: &str) -> Result<Vec<Value>, String> {
    let folder = depending_chart(dependency, values);
    helm([
        "template",
        "p",
        &folder.path().display().to_string(),
        "--namespace",
        "punctual-system",
    ])
    .map(|text| parse(&text))
}

/// F09: a parent chart enables the dependency with a condition, whose value Helm also passes to this chart.
#[test]
fn a_parent_chart_enables_it_with_a_condition() {
    for (dependency, key) in [
        ("condition: punctual.enabled", "punctual"),
        ("condition: cron.enabled, alias: cron", "cron"),
    ] {
        let on = platform(
            dependency,
            &format!("global: {{region: x}}\n{key}: {{enabled: true, replicaCount: 3}}\n"),
        );
        let on = on.unwrap_or_else(|said| panic!("{dependency}: {said}"));
        assert_eq!(of_kind(&on, "Deployment")[0]["spec"]["replicas"], 3, "{dependency}");
        let off = platform(dependency, &format!("{key}: {{enabled: false}}\n"));
        assert_eq!(off.as_deref(), Ok(&[][..]), "{dependency}");
    }
    let typo = platform("condition: punctual.enabled", "punctual: {enabled: true, replicaCuont: 3}\n");
    assert!(typo.is_err_and(|said| said.contains("'replicaCuont' not allowed")));
}
