//! `punctual preview` and its neighbours, as the process that people run: what it prints, and how it exits.

use serde_json::{Value, json};
use std::io::Write;
use std::process::{Command, Stdio};

struct Said {
    code: Option<i32>,
    out: String,
    err: String,
}

fn punctual(args: &[&str]) -> Said {
    punctual_reading("", args)
}

fn punctual_reading(input: &str, args: &[&str]) -> Said {
    let mut child = Command::new(env!("CARGO_BIN_EXE_punctual"))
        .args(args)
        // Neither the zone nor the zone data of the machine has a say.
        .env("TZ", "Pacific/Auckland")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the binary starts");
    child.stdin.take().expect("piped").write_all(input.as_bytes()).expect("it reads");
    let output = child.wait_with_output().expect("it ends");
    let text = |bytes| String::from_utf8(bytes).expect("UTF-8");
    Said {
        code: output.status.code(),
        out: text(output.stdout),
        err: text(output.stderr),
    }
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

/// The slots of an expression in a zone.
fn slots(args: &[&str]) -> Vec<String> {
    let said = punctual(&[&["preview", "-o", "json"], args].concat());
    assert_eq!((said.code, said.err.as_str()), (Some(0), ""));
    let line: Value = serde_json::from_str(&said.out).expect("one line of JSON");
    let slots = line["slots"].as_array().expect("slots").iter();
    slots.map(|slot| slot["slot"].as_str().expect("text").to_owned()).collect()
}

/// What stands for `jobTemplate: {}` in the manifests of this file.
const TEMPLATE: &str = "jobTemplate: {spec: {template: {spec: {restartPolicy: Never, containers: [{name: main}]}}}}";

fn template() -> Value {
    json!({"spec": {"template": {"spec": {"restartPolicy": "Never", "containers": [{"name": "main"}]}}}})
}

fn task(name: &str, spec: &str) -> String {
    let spec = spec.replace("jobTemplate: {}", TEMPLATE);
    format!("apiVersion: punctual.dev/v1alpha1\nkind: ScheduledTask\nmetadata: {{name: {name}}}\nspec: {spec}\n")
}

fn cron_job(name: &str, spec: &str) -> String {
    let spec = spec.replace("jobTemplate: {}", TEMPLATE);
    format!("apiVersion: batch/v1\nkind: CronJob\nmetadata: {{name: {name}}}\nspec: {spec}\n")
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
fn the_table_marks_days_of_clock_changes() {
    let of = |from: &str, zone: &str| {
        let said = punctual(&[
            "preview",
            "--schedule",
            "30 2 * * *",
            "--time-zone",
            zone,
            "--from",
            from,
            "--count",
            "3",
        ]);
        assert_eq!((said.code, said.err.as_str()), (Some(0), ""));
        said.out
    };
    assert_eq!(
        of("2027-03-26T12:00:00Z", "Europe/Paris"),
        "30 2 * * *: 30 2 * * * in Europe/Paris\n\
         SLOT                  LOCAL                                 NOTE\n\
         2027-03-27T01:30:00Z  Sat 2027-03-27 02:30:00 +01:00 CET\n\
         2027-03-28T01:00:00Z  Sun 2027-03-28 03:00:00 +02:00 CEST   clocks go forward on this day\n\
         2027-03-29T00:30:00Z  Mon 2027-03-29 02:30:00 +02:00 CEST\n"
    );
    let autumn = of("2027-10-30T12:00:00Z", "Europe/Paris");
    assert_eq!(autumn.matches("clocks go back on this day").count(), 1, "{autumn}");
    assert_eq!(of("2027-03-26T12:00:00Z", "Asia/Tokyo").matches("clocks go").count(), 0);
}

#[test]
fn from_is_exclusive_and_until_is_inclusive() {
    let hours = [
        "--schedule",
        "0 * * * *",
        "--from",
        "2027-01-01T10:00:00Z",
        "--until",
        "2027-01-01T12:00:00Z",
    ];
    assert_eq!(slots(&hours), ["2027-01-01T11:00:00Z", "2027-01-01T12:00:00Z"]);
    let offsets = [
        "--schedule",
        "0 * * * *",
        "--from",
        "2027-01-01T11:00:00+01:00",
        "--until",
        "2027-01-01T11:59:59Z",
    ];
    assert_eq!(slots(&offsets), ["2027-01-01T11:00:00Z"]);
    assert_eq!(
        slots(&[
            "--schedule",
            "0 0 * * *",
            "--from",
            "2027-01-01T10:00:00Z",
            "--until",
            "2027-01-01T12:00:00Z"
        ])
        .len(),
        0
    );
}

#[test]
fn count_and_until_limit_the_slots() {
    let from = ["--schedule", "* * * * *", "--from", "2027-01-01T00:00:00Z"];
    let with = |more: &[&'static str]| slots(&[&from[..], more].concat()).len();
    assert_eq!(with(&[]), 10);
    assert_eq!(with(&["--count", "3"]), 3);
    assert_eq!(with(&["--until", "2027-01-02T00:00:00Z"]), 24 * 60);
    assert_eq!(with(&["--until", "2027-01-02T00:00:00Z", "--count", "7"]), 7);
}

#[test]
fn gap_and_overlap_apply_and_cronjobs_keep_their_behaviour() {
    let spring = [
        "--schedule",
        "30 2 * * *",
        "--time-zone",
        "Europe/Paris",
        "--from",
        "2027-03-27T12:00:00Z",
        "--count",
        "1",
    ];
    assert_eq!(slots(&spring), ["2027-03-28T01:00:00Z"]);
    assert_eq!(slots(&[&spring[..], &["--gap", "Skip"]].concat()), ["2027-03-29T00:30:00Z"]);
    let autumn = [
        "--schedule",
        "30 2 * * *",
        "--time-zone",
        "Europe/Paris",
        "--from",
        "2027-10-30T12:00:00Z",
        "--count",
        "2",
    ];
    assert_eq!(slots(&autumn), ["2027-10-31T00:30:00Z", "2027-11-01T01:30:00Z"]);
    assert_eq!(
        slots(&[&autumn[..], &["--overlap", "Both"]].concat()),
        ["2027-10-31T00:30:00Z", "2027-10-31T01:30:00Z"]
    );

    let spec = "{schedule: '30 2 * * *', timeZone: Europe/Paris, jobTemplate: {}}";
    let both = format!("{}---\n{}", task("ours", spec), cron_job("theirs", spec));
    let args = ["preview", "-f", "-", "-o", "json", "--from", "2027-03-27T12:00:00Z", "--count", "1"];
    let said = punctual_reading(&both, &args);
    let first: Vec<Value> = said
        .out
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).unwrap()["slots"][0]["slot"].clone())
        .collect();
    assert_eq!(first, ["2027-03-28T01:00:00Z", "2027-03-29T00:30:00Z"]);
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
    assert_eq!(
        missing.err,
        "error: cannot read /nowhere/tasks.yaml: No such file or directory (os error 2)\n"
    );
    let empty = write("empty.yaml", "---\n# nothing\n---\n".into());
    let said = punctual(&["preview", "-f", &empty]);
    assert_eq!((said.code, said.err), (Some(1), format!("error: {empty} contains no document\n")));
}

#[test]
fn an_invalid_schedule_exits_with_1_and_wrong_usage_with_2() {
    let wrong = punctual(&["preview", "--schedule", "60 * * * *", "--schedule", "@daily", "-o", "json"]);
    assert_eq!(wrong.code, Some(1));
    let lines: Vec<Value> = wrong.out.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert!(
        lines[0]["error"].as_str().unwrap().starts_with("schedule \"60 * * * *\": minutes"),
        "{}",
        lines[0]
    );
    assert_eq!(lines[1]["slots"].as_array().unwrap().len(), 10);

    for args in [
        &["preview"][..],
        &["preview", "-f", "x", "--schedule", "@daily"],
        &["preview", "-f", "x", "--time-zone", "UTC"],
        &["preview", "--schedule", "@daily", "--from", "yesterday"],
        &["preview", "--schedule", "@daily", "--count", "0"],
        &["preview", "--schedule", "@daily", "--gap", "Jump"],
        &["preview", "--schedule", "@daily", "-o", "xml"],
        &[
            "preview",
            "--schedule",
            "@daily",
            "--from",
            "2027-01-02T00:00:00Z",
            "--until",
            "2027-01-01T00:00:00Z",
        ],
        &["previw"],
        &[],
    ] {
        let said = punctual(args);
        assert_eq!(said.code, Some(2), "{args:?}: {}", said.err);
        assert!(!said.err.is_empty());
    }
}

#[test]
fn a_closed_pipe_is_not_an_error() {
    let mut child = Command::new(env!("CARGO_BIN_EXE_punctual"))
        .args([
            "preview",
            "--schedule",
            "* * * * *",
            "--from",
            "2027-01-01T00:00:00Z",
            "--until",
            "2028-01-01T00:00:00Z",
        ])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the binary starts");
    drop(child.stdout.take());
    let output = child.wait_with_output().expect("it ends");
    assert_eq!((output.status.code(), output.stderr.as_slice()), (Some(0), &b""[..]));
}

#[test]
fn preview_agrees_with_the_api_server_about_the_corpus() {
    let (code, lines) = preview(include_str!("it/cronjob/corpus.yaml"), &["--count", "1"]);
    let wrong: Vec<&str> = lines
        .iter()
        .filter(|line| line.get("error").is_some())
        .map(|line| line["name"].as_str().unwrap())
        .collect();
    assert_eq!(wrong, ["restart-policy-forgotten", "megabytes", "number-in-env"]);
    assert!(lines.len() >= 60);
    assert_eq!(code, Some(1));
}

#[test]
fn crd_prints_the_file_in_crds() {
    let help = punctual(&["--help"]);
    assert_eq!(help.code, Some(0));
    for command in ["controller", "preview", "crd"] {
        assert!(help.out.contains(&format!("\n  {command} ")), "{}", help.out);
    }
    assert!(punctual(&["preview", "--help"]).out.contains("--filename <FILE>"));
    assert!(punctual(&["--version"]).out.starts_with("punctual "));
    let crd = punctual(&["crd"]);
    assert_eq!(crd.code, Some(0));
    assert_eq!(crd.out, include_str!("../crds/scheduledtasks.punctual.dev.yaml"));
}

#[test]
fn the_header_lists_all_fields_that_decide_about_slots() {
    let spec = "{schedules: ['17 3 * * *', '17 3 * * 1'], timeZone: Europe/Paris, startAt: '2026-11-25T00:00:00Z', endAt: '2026-12-01T00:00:00Z', \
        exclude: [{schedule: '* * 26 11 *'}, {from: 2026-11-28, until: 2026-11-29T12:00:00}], jitter: 90s, jobTemplate: {}}";
    let shown = |namespace: &str| {
        let stream = task(&format!("busy, namespace: {namespace}"), spec);
        punctual_reading(&stream, &["preview", "-f", "-", "--from", "2026-11-23T14:00:00Z"]).out
    };
    let text = shown("team");
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(
        lines[..7],
        [
            "busy: 17 3 * * * | 17 3 * * 1 in Europe/Paris",
            "  startAt: 2026-11-25T00:00:00Z",
            "  endAt: 2026-12-01T00:00:00Z",
            "  exclude: * * 26 11 *",
            "  exclude: 2026-11-28 until 2026-11-29T12:00:00",
            "  jitter: up to 1m 30s",
            "SLOT                  STARTS                LOCAL                                 NOTE",
        ]
    );
    let slots: Vec<&str> = lines[7..].iter().map(|line| &line[..20]).collect();
    assert_eq!(slots, ["2026-11-25T02:17:00Z", "2026-11-27T02:17:00Z", "2026-11-30T02:17:00Z"]);
    for line in &lines[7..] {
        let (slot, start): (jiff::Timestamp, jiff::Timestamp) = (line[..20].parse().unwrap(), line[22..42].parse().unwrap());
        assert!((0..=90).contains(&start.duration_since(slot).as_secs()), "{line}");
    }
    // Other tasks, other starts; the same task, the same.
    assert_ne!(shown("other"), text);
    assert_eq!(shown("team"), text);
}

#[test]
fn h_is_hashed_from_the_name_of_the_task() {
    let of_manifest =
        |name: &str| preview(&task(name, "{schedule: 'H H * * *', jobTemplate: {}}"), &["--count", "1"]).1[0]["slots"].clone();
    let of_expression = |name: &str| {
        let from = "2026-11-23T14:00:00Z";
        let said = punctual(&[
            "preview",
            "--schedule",
            "H H * * *",
            "--name",
            name,
            "-o",
            "json",
            "--from",
            from,
            "--count",
            "1",
        ]);
        serde_json::from_str::<Value>(&said.out).unwrap()["slots"].clone()
    };
    assert_eq!(of_manifest("nightly"), of_expression("nightly"));
    assert_eq!(of_manifest("nightly"), of_expression("default/nightly"));
    assert_eq!(of_manifest("nightly, namespace: team"), of_expression("team/nightly"));
    assert_ne!(of_manifest("nightly"), of_manifest("weekly"));
}
