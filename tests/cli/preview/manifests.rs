//! Manifests: streams, formats, errors.

use super::{cron_job, preview, punctual, punctual_reading, task};
use serde_json::{Value, json};

fn template() -> Value {
    json!({"spec": {"template": {"spec": {"restartPolicy": "Never", "containers": [{"name": "main"}]}}}})
}

#[test]
fn json_is_one_line_for_each_document() {
    let stream = task("report", "{schedule: '0 16 * * *', timeZone: Europe/Paris, jobTemplate: {}}");
    let said = punctual_reading(
        &stream,
        &["preview", "-f", "-", "-o", "json", "--from", "2026-11-23T14:00:00Z", "--count", "1"],
    );
    assert_eq!(
        said.out,
        concat!(
            r#"{"name":"report","timeZone":"Europe/Paris","slots":[{"slot":"2026-11-23T15:00:00Z","#,
            r#""local":"2026-11-23T16:00:00+01:00[Europe/Paris]","startsAt":"2026-11-23T15:00:00Z"}]}"#,
            "\n"
        )
    );
    assert_eq!((said.code, said.err.as_str()), (Some(0), ""));
}

#[test]
fn a_stream_may_mix_kinds_formats_and_lists() {
    let list = json!({"apiVersion": "v1", "kind": "List", "items": [
        {"apiVersion": "batch/v1", "kind": "CronJob", "metadata": {"name": "in-a-list"}, "spec": {"schedule": "0 5 * * *", "jobTemplate": template()},
         "status": {"active": [{"kind": "Job", "name": "in-a-list-1"}]}},
    ]});
    let stream = [
        "# a comment, and nothing else\n".to_owned(),
        task("one", "{schedule: '@daily', jobTemplate: {}}"),
        cron_job("two", "{schedule: \"\\t0 3 * * *\", suspend: null, jobTemplate: {}}"),
        format!("{list:#}\n"),
        String::new(),
        task("last", "\n  schedule: |\n    15 3 * * *\n  jobTemplate: {}"),
    ]
    .join("---\n");
    let (code, lines) = preview(&stream, &["--count", "1"]);
    let shown: Vec<_> = lines
        .iter()
        .map(|line| (line["name"].as_str().unwrap(), line["slots"][0]["slot"].as_str().unwrap()))
        .collect();
    assert_eq!(
        shown,
        [
            ("one", "2026-11-24T00:00:00Z"),
            ("two", "2026-11-24T03:00:00Z"),
            ("in-a-list", "2026-11-24T05:00:00Z"),
            ("last", "2026-11-24T03:15:00Z")
        ]
    );
    assert_eq!(code, Some(0));
}

#[test]
fn json_values_need_no_separators() {
    let one = |name: &str| {
        json!({"apiVersion": "punctual.dev/v1alpha1", "kind": "ScheduledTask", "metadata": {"name": name},
            "spec": {"schedule": "@hourly", "jobTemplate": template()}})
    };
    let (code, lines) = preview(&format!("{}\n{:#}\n{}", one("a"), one("b"), one("c")), &["--count", "1"]);
    assert_eq!(
        lines.iter().map(|line| line["name"].as_str().unwrap()).collect::<Vec<_>>(),
        ["a", "b", "c"]
    );
    assert_eq!(code, Some(0));
}

#[test]
fn an_invalid_document_does_not_affect_the_others() {
    let wrong = [
        (
            task("zone", "{schedule: '@daily', timeZone: Europe/Pari, jobTemplate: {}}"),
            "zone",
            "time zone \"Europe/Pari\"",
        ),
        (
            task("never", "{schedule: '0 0 31 2 *', jobTemplate: {}}"),
            "never",
            "never matches a date",
        ),
        (
            task("backwards", "{schedule: '5-1 * * * *', jobTemplate: {}}"),
            "backwards",
            "runs backwards",
        ),
        (
            task("typed", "{schedule: 5, jobTemplate: {}}"),
            "typed",
            "spec.schedule: Invalid value: 5: spec.schedule in body must be of type string: \"integer\"",
        ),
        (
            task("misspelt", "{schedul: '@daily', jobTemplate: {}}"),
            "misspelt",
            "unknown field \"spec.schedul\" (did you mean \"schedule\"?); spec.schedule: set exactly one of schedule and schedules",
        ),
        (
            task(
                "deep",
                "{schedule: '@daily', jobTemplate: {spec: {template: {spec: {restartPolicy: Never, containers: [{nam: x}]}}}}}",
            ),
            "deep",
            "unknown field \"spec.jobTemplate.spec.template.spec.containers[0].nam\" (did you mean \"name\"?)",
        ),
        (
            task("zoned", "{schedule: 'TZ=UTC 0 3 * * *', jobTemplate: {}}"),
            "zoned",
            "spec.schedule: schedule \"TZ=UTC 0 3 * * *\" contains a time zone: remove TZ=… and set spec.timeZone",
        ),
        (
            task("limit", "{schedule: '@daily', missedRunLimit: 3, jobTemplate: {}}"),
            "limit",
            "missedRunLimit requires missedRunPolicy: All",
        ),
        (
            cron_job("ours", "{schedule: '@daily', runContext: None, jobTemplate: {}}"),
            "ours",
            "unknown field \"spec.runContext\"",
        ),
        (
            "kind: ScheduledTask\nmetadata: {name: bare}\n".into(),
            "bare",
            "apiVersion is missing",
        ),
        (
            "apiVersion: batch/v1\nkind: ScheduledTask\nmetadata: {name: mixed}\n".into(),
            "mixed",
            "no matches for kind \"ScheduledTask\" in version \"batch/v1\"",
        ),
        (
            "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: web}\n".into(),
            "web",
            "kind \"Deployment\" has no schedule: expected ScheduledTask or CronJob",
        ),
        ("a: [b\n".into(), "standard input, document 13", "not valid YAML"),
        ("just text\n".into(), "standard input, document 14", "the document is not an object"),
        (task("empty", "null"), "empty", "spec: Required value"),
    ];
    let stream: Vec<String> = wrong.iter().map(|(document, _, _)| document.clone()).collect();
    let stream = format!(
        "{}---\n{}",
        stream.join("---\n"),
        task("good", "{schedule: '@daily', jobTemplate: {}}")
    );
    let (code, lines) = preview(&stream, &["--count", "1"]);
    assert_eq!(lines.len(), wrong.len() + 1);
    for ((_, name, says), line) in wrong.iter().zip(&lines) {
        assert_eq!(line["name"], *name);
        assert!(line["error"].as_str().unwrap().contains(says), "{name}: {line}");
        assert!(line.get("slots").is_none());
    }
    assert_eq!(lines.last().unwrap()["slots"][0]["slot"], "2026-11-24T00:00:00Z");
    assert_eq!(code, Some(1));
}

#[test]
fn errors_beside_a_table_go_to_standard_error() {
    let stream = format!(
        "{}---\n{}",
        task("bad", "{schedule: '* * * *', jobTemplate: {}}"),
        task("good", "{schedule: '@daily', suspend: true, jobTemplate: {}}")
    );
    let said = punctual_reading(&stream, &["preview", "-f", "-", "--from", "2026-11-23T14:00:00Z", "--count", "1"]);
    assert_eq!(said.code, Some(1));
    assert_eq!(
        said.err,
        "error: bad: spec.schedule: schedule \"* * * *\" must have five fields (minute hour day-of-month month day-of-week), or six with leading seconds\n"
    );
    assert!(said.out.contains("good: @daily in UTC (suspended)"), "{}", said.out);
}

#[test]
fn several_files_are_read_and_a_missing_one_is_an_error() {
    let dir = tempfile::tempdir().unwrap();
    let write = |name: &str, text: String| {
        let path = dir.path().join(name);
        std::fs::write(&path, text).unwrap();
        path.display().to_string()
    };
    let a = write("a.yaml", task("a", "{schedule: '@daily', jobTemplate: {}}"));
    let b = write("b.yml", cron_job("b", "{schedule: '@daily', jobTemplate: {}}"));
    let said = punctual(&["preview", "-f", &a, "-f", &b, "-o", "json"]);
    assert_eq!((said.code, said.out.lines().count()), (Some(0), 2));

    let missing = punctual(&["preview", "-f", "/nowhere/tasks.yaml"]);
    assert_eq!(missing.code, Some(1));
    assert_eq!(missing.err, "error: cannot read /nowhere/tasks.yaml: no such file\n");
    let empty = write("empty.yaml", "---\n# nothing\n---\n".into());
    let said = punctual(&["preview", "-f", &empty]);
    assert_eq!((said.code, said.err), (Some(1), format!("error: {empty} contains no document\n")));
}

#[test]
fn preview_agrees_with_the_api_server_about_the_corpus() {
    let (code, lines) = preview(include_str!("../../it/cronjob/corpus.yaml"), &["--count", "1"]);
    let wrong: Vec<&str> = lines
        .iter()
        .filter(|line| line.get("error").is_some())
        .map(|line| line["name"].as_str().unwrap())
        .collect();
    assert_eq!(wrong, ["restart-policy-forgotten", "megabytes", "number-in-env"]);
    assert!(lines.len() >= 60);
    assert_eq!(code, Some(1));
}
