//! `punctual preview`: the slots of manifests and of schedules.

#[path = "preview/manifests.rs"]
mod manifests;
#[path = "preview/schedules.rs"]
mod schedules;

use crate::process::{Output, run};
use serde_json::Value;
use std::path::Path;

fn punctual(args: &[&str]) -> Output {
    punctual_reading("", args)
}

fn punctual_reading(input: &str, args: &[&str]) -> Output {
    run(Path::new(env!("CARGO_BIN_EXE_punctual")), args, input)
}

/// `-o json` of this stream from 2026-11-23T14:00:00Z, one value a line.
fn preview(stream: &str, more: &[&str]) -> (Option<i32>, Vec<Value>) {
    let args = [&["preview", "-f", "-", "-o", "json", "--from", "2026-11-23T14:00:00Z"], more].concat();
    let said = punctual_reading(stream, &args);
    assert_eq!(said.err, "");
    (
        said.code,
        said.out.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect(),
    )
}

/// The slots of `-o json`.
fn slots(args: &[&str]) -> Vec<String> {
    let said = punctual(&[&["preview", "-o", "json"], args].concat());
    assert_eq!((said.code, said.err.as_str()), (Some(0), ""));
    let line: Value = serde_json::from_str(&said.out).expect("one line of JSON");
    let slots = line["slots"].as_array().expect("slots").iter();
    slots.map(|slot| slot["slot"].as_str().expect("text").to_owned()).collect()
}

/// Replaces `jobTemplate: {}` in the manifests of these tests.
const TEMPLATE: &str = "jobTemplate: {spec: {template: {spec: {restartPolicy: Never, containers: [{name: main}]}}}}";

fn task(name: &str, spec: &str) -> String {
    let spec = spec.replace("jobTemplate: {}", TEMPLATE);
    format!("apiVersion: punctual.dev/v1alpha1\nkind: ScheduledTask\nmetadata: {{name: {name}}}\nspec: {spec}\n")
}

fn cron_job(name: &str, spec: &str) -> String {
    let spec = spec.replace("jobTemplate: {}", TEMPLATE);
    format!("apiVersion: batch/v1\nkind: CronJob\nmetadata: {{name: {name}}}\nspec: {spec}\n")
}
