//! `punctual check`: errors of admission and of the controller, warnings, next runs.

use crate::cronjob::probes;
use crate::process::{Output, TEMPLATE, punctual, task};
use crate::wrong::{Told, WRONG};
use serde_json::{Value, json};

/// What only a cluster knows.
const NOTE: &str = "note: not known without a cluster: what the API server says to the Job (its validation, quotas, webhooks, policies): ask it with --server\n";

const FROM: [&str; 2] = ["--from", "2026-11-23T12:00:00Z"];

fn check(stream: &str, more: &[&str]) -> Output {
    punctual(&[&["check", "-f", "-"], &FROM[..], more].concat(), stream)
}

/// The errors about each of these manifests.
fn errors(manifests: &[Value]) -> Vec<Vec<String>> {
    let stream: String = manifests.iter().map(|manifest| format!("{manifest}\n")).collect();
    let said = check(&stream, &["-o", "json"]);
    let list: Vec<Value> = serde_json::from_str(&said.out).expect("a list");
    assert_eq!((said.err.as_str(), list.len()), ("", manifests.len()));
    let texts = |checked: &Value| serde_json::from_value(checked["errors"].clone()).expect("texts");
    list.iter().map(texts).collect()
}

#[test]
fn each_document_gets_errors_or_warnings_and_its_next_run() {
    let stream = [
        task("nightly", &format!("{{schedule: 17 3 * * *, {TEMPLATE}}}")),
        task("hourly", &format!("{{schedule: '@hourly', {TEMPLATE}}}")),
        task("wrong", &format!("{{schedule: 5-1 * * * *, {TEMPLATE}}}")),
        "kind: Deployment\napiVersion: apps/v1\nmetadata: {name: web}\n".into(),
        "a: [b\n".into(),
    ]
    .join("---\n");
    assert_eq!(
        check(&stream, &[]),
        Output {
            code: Some(1),
            out: "\
ok: standard input, document 1 (nightly): next run 2026-11-24T03:17:00Z
warning: standard input, document 2 (hourly): schedule \"@hourly\" starts at minute 0 like most schedules: use \"H * * * *\" to spread the load, or set jitter
ok: standard input, document 2 (hourly): next run 2026-11-23T13:00:00Z
error: standard input, document 3 (wrong): schedule \"5-1 * * * *\": minute range \"5-1\" runs backwards: use two items, 5-59 and 0-1
error: standard input, document 5: not valid YAML: did not find expected ',' or ']' at line 21 column 1, while parsing a flow sequence at line 20 column 4
"
            .into(),
            err: NOTE.into(),
        }
    );
}

#[test]
fn a_container_without_an_image_is_a_warning() {
    let template = "jobTemplate: {spec: {template: {spec: {restartPolicy: Never, containers: [{name: main}]}}}}";
    let said = check(&task("a", &format!("{{schedule: 17 3 * * *, {template}}}")), &[]);
    assert_eq!((said.code, said.err.as_str()), (Some(0), NOTE));
    assert!(
        said.out.starts_with(
            "warning: standard input, document 1 (a): jobTemplate.spec.template.spec.containers[0] has no image: the API server refuses the Job"
        ),
        "{}",
        said.out
    );
}

#[test]
fn files_are_arguments_or_flags_and_directories_stand_for_their_manifests() {
    let dir = tempfile::tempdir().unwrap();
    for (name, text) in [
        ("b.yaml", task("b", &format!("{{schedule: 17 3 * * *, {TEMPLATE}}}"))),
        ("a.yml", task("a", &format!("{{schedule: 17 3 * * *, {TEMPLATE}}}"))),
        ("c.txt", "not a manifest".to_owned()),
    ] {
        std::fs::write(dir.path().join(name), text).unwrap();
    }
    let folder = dir.path().display().to_string();
    let expected = format!(
        "ok: {folder}/a.yml, document 1 (a): next run 2026-11-24T03:17:00Z\nok: {folder}/b.yaml, document 1 (b): next run 2026-11-24T03:17:00Z\n"
    );
    for args in [
        &["check", &folder][..],
        &["check", "-f", &folder],
        &["check", &format!("{folder}/a.yml"), "-f", &format!("{folder}/b.yaml")],
    ] {
        let said = punctual(&[args, &FROM[..]].concat(), "");
        assert_eq!((said.code, said.out.as_str()), (Some(0), expected.as_str()), "{args:?}");
    }
    let shown = punctual(&["preview", &folder, "--from", "2027-03-26", "--count", "1", "-o", "json"], "");
    assert_eq!((shown.code, shown.out.lines().count()), (Some(0), 2), "{}", shown.err);
    let converted = punctual(&["convert", &folder], "");
    assert!(
        converted.out.contains("name: a") && converted.out.contains("name: b"),
        "{}",
        converted.out
    );
    let empty = tempfile::tempdir().unwrap();
    let name = empty.path().display().to_string();
    let said = punctual(&["check", &name], "");
    assert_eq!(
        (said.code, said.err),
        (
            Some(1),
            format!("error: {name} contains no file that ends with .yaml, .yml or .json\n")
        )
    );
}

#[test]
fn warnings_do_not_change_the_exit_code() {
    let forbid = task("a", &format!("{{schedule: '@daily', concurrencyPolicy: Forbid, {TEMPLATE}}}"));
    let said = check(&forbid, &[]);
    assert_eq!((said.code, said.out.matches("warning: ").count()), (Some(0), 3), "{}", said.out);
    let wrong = task(
        "a",
        &format!("{{schedule: '@daily', concurrencyPolicy: Forbid, suspend: maybe, {TEMPLATE}}}"),
    );
    let said = check(&wrong, &[]);
    assert_eq!((said.code, said.out.lines().count()), (Some(1), 2), "{}", said.out);
}

#[test]
fn json_and_yaml_have_one_entry_for_each_document() {
    let stream = format!(
        "{}---\n{}",
        task("two", &format!("{{schedule: '17 3 1 * *', {TEMPLATE}}}")),
        task("none", &format!("{{schedule: '17 3 1 * *', timezone: UTC, {TEMPLATE}}}"))
    );
    let said = check(&stream, &["-o", "json"]);
    assert_eq!(
        serde_json::from_str::<Value>(&said.out).unwrap(),
        json!([
            {"name": "two", "document": "standard input, document 1", "errors": [], "warnings": [], "nextRuns": [
                "2026-12-01T03:17:00Z", "2027-01-01T03:17:00Z", "2027-02-01T03:17:00Z", "2027-03-01T03:17:00Z", "2027-04-01T03:17:00Z"]},
            {"name": "none", "document": "standard input, document 2", "errors": ["unknown field \"spec.timezone\" (did you mean \"timeZone\"?)"], "warnings": [], "nextRuns": []},
        ])
    );
    let yaml = check(&stream, &["-o", "yaml"]);
    assert_eq!(
        serde_yaml::from_str::<Value>(&yaml.out).unwrap(),
        serde_json::from_str::<Value>(&said.out).unwrap()
    );
    assert_eq!((said.code, yaml.code), (Some(1), Some(1)));
}

#[test]
fn a_cronjob_is_checked_as_the_task_that_it_becomes() {
    let cron_job = |spec: &str| format!("apiVersion: batch/v1\nkind: CronJob\nmetadata: {{name: old}}\nspec: {spec}\n");
    let said = check(
        &cron_job(&format!("{{schedule: 30 2 * * *, timeZone: Europe/Paris, {TEMPLATE}}}")),
        &[],
    );
    assert_eq!(said.code, Some(0));
    assert!(
        said.out
            .contains("the slot in that hour starts at 03:00 (daylightSaving.gap: RunAfter)"),
        "{}",
        said.out
    );
    let said = check(&cron_job(&format!("{{schedule: 30 2 * * *, runTimeout: 5m, {TEMPLATE}}}")), &[]);
    assert_eq!(
        (said.code, said.out.as_str()),
        (
            Some(1),
            "error: standard input, document 1 (old): unknown field \"spec.runTimeout\"\n"
        )
    );
}

#[test]
fn a_file_without_a_task_does_not_affect_the_others() {
    let dir = tempfile::tempdir().unwrap();
    let good = dir.path().join("good.yaml");
    std::fs::write(&good, task("good", &format!("{{schedule: 17 3 * * *, {TEMPLATE}}}"))).unwrap();
    let empty = dir.path().join("empty.yaml");
    std::fs::write(&empty, "# nothing\n").unwrap();
    let other = dir.path().join("other.yaml");
    std::fs::write(&other, "apiVersion: v1\nkind: Service\nmetadata: {name: x}\n").unwrap();
    let [good, empty, other] = [good, empty, other].map(|path| path.display().to_string());
    let args = [
        &["check", "-f", "/nowhere.yaml", "-f", &empty, "-f", &other, "-f", &good],
        &FROM[..],
    ]
    .concat();
    let said = punctual(&args, "");
    assert_eq!(
        said.out,
        format!(
            "error: /nowhere.yaml: no such file\nerror: {empty}: contains no document\nerror: {other}: contains no ScheduledTask and no CronJob\nok: {good}, document 1 (good): next run 2026-11-24T03:17:00Z\n"
        )
    );
    assert_eq!((said.code, said.err.as_str()), (Some(1), NOTE));
    assert_eq!(punctual(&["check"], "").code, Some(2));
}

/// `tests/it` asks a real API server about each of these manifests.
#[test]
fn check_refuses_what_admission_refuses() {
    let manifests: Vec<Value> = WRONG
        .iter()
        .map(|(name, at, fragment, _)| {
            let mut manifest = probes::manifest(name, *at, fragment);
            manifest["apiVersion"] = json!("punctual.dev/v1alpha1");
            manifest["kind"] = json!("ScheduledTask");
            manifest
        })
        .collect();
    let mut otherwise = Vec::new();
    for ((name, _, _, told), errors) in WRONG.iter().zip(errors(&manifests)) {
        let knowable = match told {
            Told::AtAdmission(_) => true,
            // Only a cluster knows what it has against the Job.
            Told::InReady(reason, _) => *reason != "JobRefused",
        };
        if knowable == errors.is_empty() {
            otherwise.push(format!("{name}: {errors:?}"));
        }
    }
    assert!(otherwise.is_empty(), "{}", otherwise.join("\n"));
}

#[test]
fn check_accepts_what_admission_accepts() {
    let said = check(include_str!("../it/cronjob/corpus.yaml"), &["-o", "json"]);
    let list: Vec<Value> = serde_json::from_str(&said.out).unwrap();
    assert!(list.len() >= 60);
    let wrong: Vec<&str> = list
        .iter()
        .filter(|checked| checked["errors"] != json!([]))
        .map(|checked| checked["name"].as_str().unwrap())
        .collect();
    assert_eq!(wrong, ["restart-policy-forgotten", "megabytes", "number-in-env"]);
    for file in std::fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/examples")).unwrap() {
        let file = file.unwrap().path().display().to_string();
        let said = punctual(&["check", "-f", &file], "");
        assert_eq!(said.code, Some(0), "{}", said.out);
    }
}
