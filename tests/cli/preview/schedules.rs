//! Schedules: slots, limits, clock changes, the table.

use super::{cron_job, preview, punctual, punctual_reading, slots, task};
use serde_json::Value;
use std::process::{Command, Stdio};

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
        &["preview", "--schedule", "@daily", "--from", "soon"],
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
    assert_eq!(crd.out, include_str!("../../../crds/scheduledtasks.punctual.dev.yaml"));
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

#[test]
fn a_date_begins_in_the_zone_of_the_task() {
    for (from, first) in [
        ("2027-03-26", "2027-03-25T23:30:00Z"),
        ("2027-03-26T01:00", "2027-03-26T23:30:00Z"),
        ("2027-03-26T00:00:00Z", "2027-03-26T23:30:00Z"),
    ] {
        let args = [
            "preview",
            "--schedule",
            "30 0 * * *",
            "--time-zone",
            "Europe/Paris",
            "--from",
            from,
            "--count",
            "1",
            "-o",
            "json",
        ];
        let said = punctual(&args);
        assert!(
            said.out.contains(&format!("\"slot\":\"{first}\"")),
            "{from}: {} {}",
            said.out,
            said.err
        );
    }
}
