//! The table of shapes (`shapes.yaml`), row by row, and pods of hostile sizes.
//!
//! Each row is a Job's state and its pods as the API server sends them, with where that shape comes from and what is to be said.

use super::{JobState, RawPod, report};
use serde::Deserialize;
use serde_json::{Value, json};
use std::collections::HashSet;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Row {
    name: String,
    source: String,
    job: String,
    #[serde(default)]
    message: String,
    pods: Vec<Value>,
    exit: Option<(String, Option<i32>, Option<String>)>,
    says: Option<String>,
    waits: Option<String>,
    #[serde(default = "yes")]
    began: bool,
    #[serde(default = "yes")]
    complete: bool,
    #[serde(default)]
    failed: u32,
    summary: Option<String>,
}

fn yes() -> bool {
    true
}

fn read(pod: &Value) -> RawPod {
    serde_json::from_str(&pod.to_string()).unwrap()
}

/// F06, F07, F14, F16, F19, F20, F28, F29: each shape of a pod says what happened.
#[test]
fn every_shape_of_pods_is_told_as_what_happened() {
    let rows: Vec<Row> = serde_yaml::from_str(include_str!("shapes.yaml")).unwrap();
    let names: HashSet<&str> = rows.iter().map(|row| row.name.as_str()).collect();
    assert_eq!(names.len(), rows.len(), "names are unique");
    assert!(rows.len() >= 40 && rows.iter().all(|row| !row.source.is_empty()));
    let mut wrong = Vec::new();
    for row in &rows {
        let job = match row.job.as_str() {
            "Active" => JobState::Active,
            "Terminating" => JobState::Terminating,
            reason => JobState::Failed {
                reason,
                message: &row.message,
            },
        };
        let pods: Vec<RawPod> = row.pods.iter().map(read).collect();
        let told = report(job, &pods);
        let exit = told.exit.as_ref();
        let found = (
            exit.map(|exit| (exit.cause.as_str().to_owned(), exit.exit_code, exit.container.clone())),
            exit.map(super::Termination::sentence),
            told.summary(),
            (told.progress.began, told.is_complete, told.progress.failed_pods),
        );
        let expected = (
            row.exit.clone(),
            row.says.clone(),
            row.summary.clone(),
            (row.began, row.complete, row.failed),
        );
        if found != expected {
            wrong.push(format!("{}\n  found    {found:?}\n  expected {expected:?}", row.name));
        }
        let waits = told.progress.waits.map(|wait| wait.cause.as_str().to_owned());
        if row.waits.is_some() && waits != row.waits {
            wrong.push(format!("{}\n  waits for {waits:?}, expected {:?}", row.name, row.waits));
        }
        // The order in which the API server lists pods says nothing.
        let mut turned = pods.clone();
        turned.reverse();
        if report(job, &turned).exit != told.exit {
            wrong.push(format!("{}: depends on the order of the list", row.name));
        }
    }
    assert!(wrong.is_empty(), "{} wrong:\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn ten_thousand_containers_and_a_megabyte_of_words_are_bounded() {
    let container =
        |number: usize, message: &str| json!({"name": format!("c{number}"), "state": {"terminated": {"exitCode": 1, "message": message}}});
    let many: Vec<Value> = (0..10_000).map(|number| container(number, "x")).collect();
    let words = format!("begins {} ends", "\u{202e}\n\u{1b}[2J".repeat(250_000));
    let pods = [
        json!({"metadata": {"name": "many"}, "status": {"phase": "Failed", "containerStatuses": many, "conditions": many}}),
        json!({"metadata": {"name": "long"}, "status": {"phase": "Failed", "reason": words, "message": words,
            "containerStatuses": [container(0, &words)]}}),
    ];
    for pod in pods {
        let told = report(JobState::Active, &[read(&pod)]);
        let sentence = told.exit.unwrap().sentence();
        assert!(sentence.len() <= 8 * 1024, "{} bytes", sentence.len());
        assert!(!sentence.contains(crate::api::is_unprintable));
        assert!(
            sentence == "x" || sentence.starts_with("begins ") && sentence.ends_with(" ends"),
            "{sentence}"
        );
    }
}

#[test]
fn texts_around_the_bound_lose_nothing_that_fits() {
    for length in 895..910 {
        let words: String = ('a'..='z').cycle().take(length).collect();
        let pod = json!({"metadata": {"name": "p"}, "status": {"phase": "Failed", "containerStatuses": [
            {"name": "main", "state": {"terminated": {"exitCode": 1, "message": words}}}]}});
        let sentence = report(JobState::Active, &[read(&pod)]).exit.unwrap().sentence();
        assert_eq!(sentence == words, length <= 900, "{length}");
        assert!(words.starts_with(&sentence[..100]) && words.ends_with(&sentence[sentence.len() - 100..]));
    }
}
