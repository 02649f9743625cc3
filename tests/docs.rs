//! Documents and examples: links lead somewhere, commands fit their programs and can be repeated, and configurations name fields that exist.

#[path = "docs/commands.rs"]
mod commands;
#[path = "chart/helm.rs"]
#[allow(dead_code, reason = "the tests of the chart use the rest of it")]
mod helm;
#[path = "docs/metrics.rs"]
mod metrics;
#[path = "cli/process.rs"]
#[allow(dead_code, reason = "the tests of the commands use the rest of it")]
mod process;
#[path = "docs/shell.rs"]
mod shell;

use serde_json::Value;
use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn read(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// Files of these folders with this extension.
fn files(folders: &[&str], extension: &str) -> Vec<PathBuf> {
    let entries = folders
        .iter()
        .flat_map(|folder| fs::read_dir(root().join(folder)).expect("a folder"));
    let paths = entries.map(|entry| entry.expect("an entry").path());
    paths.filter(|path| path.extension().is_some_and(|end| end == extension)).collect()
}

/// The anchors of a page's headings, as GitHub makes them.
fn anchors(page: &str) -> BTreeSet<String> {
    let headings = page.lines().filter(|line| line.starts_with('#'));
    let anchor = |heading: &str| {
        let text = heading.trim_start_matches('#').trim().to_lowercase();
        let kept = text.chars().filter(|c| c.is_alphanumeric() || [' ', '-', '_'].contains(c));
        kept.map(|c| if c == ' ' { '-' } else { c }).collect()
    };
    headings.map(anchor).collect()
}

#[test]
fn every_link_between_documents_leads_somewhere() {
    let (mut wrong, mut links) = (Vec::new(), 0);
    for page in files(&["", "docs", "docs/decisions", "charts/punctual"], "md") {
        let text = read(&page);
        for link in text.split("](").skip(1).filter_map(|rest| rest.split(')').next()) {
            if link.contains("://") || link.contains(' ') {
                continue;
            }
            links += 1;
            let (path, anchor) = link.split_once('#').unwrap_or((link, ""));
            let target = if path.is_empty() {
                page.clone()
            } else {
                page.parent().expect("a folder").join(path)
            };
            let is_there = target.exists() && (anchor.is_empty() || anchors(&read(&target)).contains(anchor));
            if !is_there {
                wrong.push(format!("{}: {link}", page.display()));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
    assert!(links > 20, "{links} links");
}

/// `kubectl annotate` fails the second time without `--overwrite`.
#[test]
fn every_annotate_command_can_be_repeated() {
    let pages = files(&["", "docs", "charts/punctual"], "md")
        .into_iter()
        .chain(files(&["examples"], "yaml"));
    let texts: Vec<String> = pages.map(|page| read(&page)).collect();
    let commands: Vec<&str> = texts
        .iter()
        .flat_map(|text| text.lines())
        .filter(|line| line.contains("kubectl annotate"))
        .collect();
    assert!(commands.len() >= 5, "{commands:#?}");
    let once: Vec<&&str> = commands.iter().filter(|command| !command.contains("--overwrite")).collect();
    assert!(once.is_empty(), "{once:#?}");
}

/// F30: metrics of each task, for alerts that name it.
#[test]
fn the_metrics_of_tasks_are_fields_of_the_status() {
    let crd: Value = serde_yaml::from_str(&read(&root().join("crds/scheduledtasks.punctual.dev.yaml"))).expect("YAML");
    let schema = &crd["spec"]["versions"][0]["schema"]["openAPIV3Schema"];
    let config = read(&root().join("deploy/kube-state-metrics.yaml"));
    let config: Value = serde_yaml::from_str(&config).expect("YAML");
    let resource = &config["spec"]["resources"][0];
    assert_eq!(resource["groupVersionKind"]["kind"], crd["spec"]["names"]["kind"]);
    assert_eq!(resource["groupVersionKind"]["group"], crd["spec"]["group"]);
    assert_eq!(resource["groupVersionKind"]["version"], crd["spec"]["versions"][0]["name"]);
    let mut names = Vec::new();
    for metric in resource["metrics"].as_array().expect("metrics") {
        let each = &metric["each"];
        let source = if each["type"] == "StateSet" {
            &each["stateSet"]
        } else {
            &each["gauge"]
        };
        let path: Vec<&str> = source["path"]
            .as_array()
            .expect("a path")
            .iter()
            .filter_map(Value::as_str)
            .collect();
        let field = path.iter().fold(schema, |schema, name| &schema["properties"][*name]);
        assert!(field["type"].is_string(), "{path:?} is not in the CRD");
        names.push(metric["name"].as_str().expect("a name").to_owned());
    }
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), 6, "each name once");
}
