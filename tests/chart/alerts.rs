//! The alerts and the metrics of tasks, checked by the real promtool; the alerts on series as the operator serves them: `alerts.yaml`.
//!
//! Where promtool cannot be had, the tests say so and do nothing. tests/it/prometheus.rs has a real Prometheus load the same alerts.

use super::debian::program;
use super::helm::{of_kind, root, set};
use punctual::api::ScheduledTaskSpec;
use punctual::metrics::TaskSeries;
use punctual::plan::Task;
use punctual::state::{LastRun, TaskSample};
use serde_json::json;
use std::io::Write;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::sync::LazyLock;

/// Found or unpacked once, however many tests ask.
static PROMTOOL: LazyLock<Option<PathBuf>> = LazyLock::new(|| program("promtool"));

#[test]
fn alerts_fire_and_resolve() {
    let Some(promtool) = &*PROMTOOL else { return };
    let objects = set(&["prometheusRule.enabled=true"]);
    let rules = of_kind(&objects, "PrometheusRule")[0]["spec"].clone();
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::write(folder.path().join("rules.yaml"), rules.to_string()).expect("a file");
    std::fs::copy(root().join("tests/chart/alerts.yaml"), folder.path().join("alerts.yaml")).expect("a copy");
    for arguments in [["check", "rules", "rules.yaml"], ["test", "rules", "alerts.yaml"]] {
        let output = Command::new(promtool)
            .args(arguments)
            .current_dir(&folder)
            .output()
            .expect("promtool runs");
        let (said, wrong) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        assert!(output.status.success(), "promtool {}:\n{said}{wrong}", arguments.join(" "));
    }
}

#[test]
fn the_metrics_of_odd_tasks_are_well_formed() {
    let Some(promtool) = &*PROMTOOL else { return };
    let spec = json!({"schedule": "* * * * *", "jobTemplate": {}});
    let spec = ScheduledTaskSpec::read(&spec).expect("a spec");
    let odd = |name: &str| {
        let created = "2027-01-01T00:00:00Z".parse().expect("a time");
        let mut sample = TaskSample::of(&Task::new("n", name, name, created, spec.clone()));
        sample.schedule = "\"\\\n{}= \u{7f}\u{1f600}".repeat(100).into();
        (sample.next_run, sample.last_schedule, sample.last_success) = (Some(i64::MAX), Some(i64::MIN), Some(0));
        (sample.active_since, sample.typical_run) = (Some(i64::MAX), Some(0));
        sample.last_run = Some(LastRun {
            duration: Some(0),
            start_delay: Some(i64::MAX),
            is_success: true,
        });
        sample
    };
    let series = TaskSeries::new((0..1_001).map(|number| odd(&format!("t{number}"))).collect());
    let text: String = (0..).map_while(|number| series.part(number)).collect();
    let mut checking = Command::new(promtool)
        .args(["check", "metrics"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("promtool runs");
    checking
        .stdin
        .take()
        .expect("its input")
        .write_all(text.as_bytes())
        .expect("it reads");
    let output = checking.wait_with_output().expect("it ends");
    let wrong = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && wrong.is_empty(), "{wrong}");
}
