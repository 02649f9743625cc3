//! Health and actions of a ScheduledTask in Argo CD, run by a real Lua 5.1 with the libraries that Argo CD loads.
//!
//! `BLESS=1 cargo test --test argocd` puts `argocd-cm.yaml` together.

use mlua::{Lua, LuaOptions, LuaSerdeExt, StdLib};
use serde_json::{Value, json};
use std::fs;
use std::path::{Path, PathBuf};

fn file(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("deploy/argocd").join(name)
}

fn read(name: &str) -> String {
    fs::read_to_string(file(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
}

fn actions() -> Value {
    serde_yaml::from_str(&read("actions.yaml")).expect("YAML")
}

/// Runs a script on an object, without the libraries for strings, mathematics and files, as Argo CD does.
fn run(script: &str, object: &Value) -> Value {
    let lua = Lua::new_with(StdLib::TABLE | StdLib::OS | StdLib::PACKAGE, LuaOptions::default()).expect("Lua");
    let object = lua.to_value(object).expect("a table");
    lua.globals().set("obj", object).expect("set");
    let returned: mlua::Value = lua.load(script).eval().unwrap_or_else(|error| panic!("{error}"));
    lua.from_value(returned).expect("JSON")
}

fn condition(kind: &str, status: &str, reason: &str) -> Value {
    json!({"type": kind, "status": status, "reason": reason, "message": format!("why {reason}")})
}

/// A task of generation 2 that was observed at this one, with these conditions.
fn task(observed: Option<i64>, conditions: &[Value]) -> Value {
    let mut task = json!({
        "metadata": {"name": "nightly", "generation": 2},
        "spec": {"schedule": "0 3 * * *"},
        "status": {"conditions": conditions, "nextRuns": ["2027-01-01T03:00:00Z"]},
    });
    if let Some(observed) = observed {
        task["status"]["observedGeneration"] = observed.into();
    }
    task
}

#[test]
fn health_follows_the_conditions() {
    let (ready, not_ready) = (condition("Ready", "True", "Accepted"), condition("Ready", "False", "JobRefused"));
    let well = condition("Healthy", "True", "JobCompleted");
    let failed = condition("Healthy", "False", "JobFailed");
    let suspended = condition("Suspended", "True", "TooManyFailures");
    let stalled = condition("Stalled", "True", "UnknownTimeZone");
    let waits = condition("Reconciling", "True", "JobRefused");
    let late = condition("Overdue", "True", "StartedLate");
    let awake = condition("Suspended", "False", "NotSuspended");
    for (observed, conditions, health, words) in [
        (None, vec![], "Progressing", "No Punctual operator"),
        (Some(1), vec![stalled.clone()], "Progressing", "No Punctual operator"),
        (
            Some(2),
            vec![not_ready.clone(), stalled.clone(), suspended.clone()],
            "Degraded",
            "UnknownTimeZone: why",
        ),
        (
            Some(2),
            vec![ready.clone(), suspended, failed.clone()],
            "Suspended",
            "TooManyFailures: why",
        ),
        (Some(2), vec![ready.clone(), awake.clone(), failed], "Degraded", "JobFailed: why"),
        (Some(2), vec![not_ready.clone(), waits], "Progressing", "JobRefused: why"),
        (Some(2), vec![not_ready], "Progressing", "JobRefused: why"),
        (Some(2), vec![ready.clone(), late], "Healthy", "StartedLate: why"),
        (Some(2), vec![ready, awake, well], "Healthy", "Next run at 2027-01-01T03:00:00Z"),
    ] {
        let said = run(&read("health.lua"), &task(observed, &conditions));
        assert_eq!(said["status"], health, "{conditions:?}: {said}");
        let message = said["message"].as_str().unwrap_or_default();
        assert!(message.contains(words), "{conditions:?}: {said}");
    }
    let new = json!({"metadata": {"name": "nightly", "generation": 1}, "spec": {}});
    assert_eq!(run(&read("health.lua"), &new)["status"], "Progressing");
    let over = json!({"metadata": {"generation": 1}, "spec": {}, "status": {"observedGeneration": 1}});
    assert_eq!(run(&read("health.lua"), &over)["message"], "No further slot");
}

#[test]
fn only_actions_that_change_something_are_offered() {
    let discovery = actions()["discovery.lua"].as_str().expect("a script").to_owned();
    let by_failures = task(Some(2), &[condition("Suspended", "True", "TooManyFailures")]);
    let mut by_author = task(Some(2), &[condition("Suspended", "True", "Suspended")]);
    by_author["spec"]["suspend"] = true.into();
    let new = json!({"metadata": {"generation": 1}, "spec": {}});
    for (object, suspends, resumes) in [
        (&task(Some(2), &[]), true, false),
        (&new, true, false),
        (&by_author, false, true),
        (&by_failures, true, true),
    ] {
        let offered = run(&discovery, object);
        let is_offered = |action: &str| offered[action]["displayName"].is_string() && offered[action]["disabled"] != true;
        assert!(is_offered("run-now"), "{offered}");
        assert_eq!((is_offered("suspend"), is_offered("resume")), (suspends, resumes), "{object}");
    }
}

#[test]
fn actions_change_what_the_operator_reads() {
    let known = actions();
    let definitions = known["definitions"].as_array().expect("a list");
    let names: Vec<&str> = definitions.iter().filter_map(|action| action["name"].as_str()).collect();
    assert_eq!(names, ["run-now", "suspend", "resume"]);
    let act = |name: &str, object: &Value| {
        let action = definitions.iter().find(|action| action["name"] == name).expect("an action");
        run(action["action.lua"].as_str().expect("a script"), object)
    };
    let requested = |object: &Value, annotation: &str| {
        let value = object["metadata"]["annotations"][annotation].as_str().map(str::to_owned);
        value.is_some_and(|value| value.parse::<jiff::Timestamp>().is_ok())
    };
    let before = task(Some(2), &[]);
    let ran = act("run-now", &before);
    assert!(requested(&ran, punctual::api::RUN_NOW), "{ran}");
    assert_eq!(ran["spec"], before["spec"]);
    let suspended = act("suspend", &before);
    assert_eq!(suspended["spec"]["suspend"], true);
    let mut annotated = suspended;
    annotated["metadata"]["annotations"] = json!({"team": "shop"});
    let resumed = act("resume", &annotated);
    assert!(requested(&resumed, punctual::api::RESUME), "{resumed}");
    assert_eq!(
        (&resumed["spec"]["suspend"], &resumed["metadata"]["annotations"]["team"]),
        (&json!(false), &json!("shop"))
    );
    // Git does not name the field: where nothing is to be changed, nothing is.
    assert_eq!(act("resume", &before)["spec"], before["spec"]);
}

#[test]
fn the_patch_of_argocd_cm_holds_health_and_actions() {
    let indented = |text: &str| {
        let lines = text
            .lines()
            .map(|line| if line.is_empty() { String::new() } else { format!("    {line}") });
        lines.collect::<Vec<_>>().join("\n")
    };
    let made = format!(
        "# A patch of Argo CD's ConfigMap: see README.md. Generated by `BLESS=1 cargo test --test argocd`.\ndata:\n  resource.customizations.health.punctual.dev_ScheduledTask: |\n{}\n  resource.customizations.actions.punctual.dev_ScheduledTask: |\n{}\n",
        indented(&read("health.lua")),
        indented(&read("actions.yaml")),
    );
    if std::env::var_os("BLESS").is_some_and(|bless| bless == "1") {
        fs::write(file("argocd-cm.yaml"), &made).expect("it can be written");
    }
    assert_eq!(read("argocd-cm.yaml"), made, "update it with BLESS=1 cargo test --test argocd");
    let patch: Value = serde_yaml::from_str(&made).expect("YAML");
    let part = |name: &str| patch["data"][format!("resource.customizations.{name}.punctual.dev_ScheduledTask")].clone();
    assert_eq!(part("health"), read("health.lua"));
    let parsed: Value = serde_yaml::from_str(part("actions").as_str().expect("text")).expect("YAML");
    assert_eq!(parsed, actions());
}
