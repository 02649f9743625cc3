//! `punctual convert`: streams with CronJobs in, streams with ScheduledTasks out.

use crate::process::{Output, punctual};
use serde_json::{Value, json};

fn convert(stream: &str, more: &[&str]) -> Output {
    punctual(&[&["convert"], more].concat(), stream)
}

#[test]
fn two_values_change_and_every_other_byte_stays() {
    let cron_job = "\
# Kept by the data team.
kind: CronJob   # not a Job
apiVersion: \"batch/v1\"
metadata:
  name: nightly
  labels: {app: shop}
spec:
  # After the books are closed.
  schedule: \"30 2 * * *\"
  timeZone: Europe/Paris
  concurrencyPolicy: Forbid
  failedJobsHistoryLimit: 1
  jobTemplate:
    spec:
      ttlSecondsAfterFinished: 3600
      template:
        spec:
          restartPolicy: Never
          containers:
          - name: main
            image: 'report:1'   # pinned
            command: [sh, -c, \"kind: CronJob\"]
          volumes: [{name: keys, secret: {secretName: keys, defaultMode: 0400}}]
";
    let said = convert(cron_job, &[]);
    let body = cron_job
        .replacen("kind: CronJob", "kind: ScheduledTask", 1)
        .replace("batch/v1", "punctual.dev/v1alpha1");
    let comments = "\
# punctual: it runs once when the clocks change; CronJob does not run in spring and runs twice in autumn (to keep that: daylightSaving: {gap: Skip, overlap: Both})
# punctual: a slot during an active run is skipped and counted; CronJob may start it late, after that run (to wait instead: concurrencyPolicy: Queue)
# punctual: ttlSecondsAfterFinished is applied by Punctual after the end of the Job is recorded; the Job itself does not have the field
";
    assert_eq!(
        said,
        Output {
            code: Some(0),
            out: format!("{comments}{body}"),
            err: String::new()
        }
    );
}

#[test]
fn fields_of_the_api_server_are_removed() {
    let cron_job = "\
apiVersion: batch/v1
kind: CronJob
metadata:
  annotations:
    kubectl.kubernetes.io/last-applied-configuration: |
      {\"apiVersion\":\"batch/v1\",\"kind\":\"CronJob\"}
  creationTimestamp: \"2026-01-01T00:00:00Z\"
  generation: 3
  managedFields:
  - apiVersion: batch/v1
    fieldsV1:
      f:spec: {}
    manager: kubectl
  name: sync
  namespace: shop
  resourceVersion: \"123\"
  uid: 0d9b5a4e-0000-0000-0000-000000000000
spec:
  failedJobsHistoryLimit: 1
  jobTemplate:
    metadata:
      creationTimestamp: null
    spec:
      template:
        metadata:
          creationTimestamp: null
        spec:
          containers:
          - image: sync
            name: sync
          restartPolicy: OnFailure
  schedule: '*/5 * * * *'
  suspend: false
status:
  lastScheduleTime: \"2026-11-23T11:55:00Z\"
";
    let task = "\
# punctual: delete or suspend the CronJob when you apply this task; otherwise both run
apiVersion: punctual.dev/v1alpha1
kind: ScheduledTask
metadata:
  name: sync
  namespace: shop
spec:
  failedJobsHistoryLimit: 1
  jobTemplate:
    metadata: {}
    spec:
      template:
        metadata: {}
        spec:
          containers:
          - image: sync
            name: sync
          restartPolicy: OnFailure
  schedule: '*/5 * * * *'
  suspend: false
";
    let said = convert(cron_job, &[]);
    assert_eq!((said.out.as_str(), said.err.as_str()), (task, ""));
    let said = convert(&cron_job.replace("kind: CronJob", "kind: CronJob # nightly"), &[]);
    assert_eq!(
        (said.out.as_str(), said.err.as_str()),
        (
            task,
            "warning: standard input, document 1 (sync): comments are lost: more than apiVersion and kind had to change\n"
        )
    );
}

#[test]
fn other_kinds_pass_through() {
    let service = "# the front door\napiVersion: v1\nkind: Service\nmetadata: {name: x}\n";
    let done = "apiVersion: punctual.dev/v1alpha1\nkind: ScheduledTask\nmetadata: {name: x}\nspec: {schedule: '@daily'}\n";
    let cron_job = "apiVersion: batch/v1\nkind: CronJob\nmetadata: {name: z}\nspec: {schedule: '@every 6h', failedJobsHistoryLimit: 1, jobTemplate: {spec: {template: {spec: {restartPolicy: Never, containers: [{name: a, image: b}]}}}}}\n";
    let said = convert(&[service, cron_job, done].join("---\n"), &[]);
    let task = cron_job
        .replace("batch/v1", "punctual.dev/v1alpha1")
        .replace("CronJob", "ScheduledTask");
    let comment =
        "# punctual: @every counts from 1970-01-01T00:00Z and keeps its phase across restarts; CronJob counts from its last run\n";
    assert_eq!(said.out, format!("{service}---\n{comment}{task}---\n{done}"));
    assert_eq!((said.code, said.err.as_str()), (Some(0), ""));

    let said = convert(service, &[]);
    assert_eq!(
        said,
        Output {
            code: Some(0),
            out: service.into(),
            err: "warning: no CronJob in standard input: nothing was converted\n".into()
        }
    );
}

#[test]
fn lists_and_json_are_read_and_written() {
    let item = |name: &str| {
        json!({"apiVersion": "batch/v1", "kind": "CronJob", "metadata": {"name": name, "uid": "u", "resourceVersion": "1"}, "status": {},
            "spec": {"schedule": "*/5 * * * *", "failedJobsHistoryLimit": 1, "jobTemplate": {"spec": {"template": {"spec": {
                "restartPolicy": "Never", "containers": [{"name": "a", "image": "b"}]}}}}}})
    };
    let list = json!({"apiVersion": "v1", "kind": "List", "items": [item("one"), item("two")]}).to_string();
    let yaml = convert(&list, &[]);
    assert_eq!(yaml.out.matches("# punctual: delete or suspend the CronJob").count(), 2);
    assert_eq!(yaml.out.matches("---\n").count(), 1);
    let made: Value = serde_json::from_str(&convert(&list, &["-o", "json"]).out).unwrap();
    assert_eq!((made["kind"].as_str(), made["items"].as_array().unwrap().len()), (Some("List"), 2));
    assert_eq!(made["items"][1]["kind"], "ScheduledTask");
    assert_eq!(made["items"][1]["metadata"], json!({"name": "two"}));
    let one: Value = serde_json::from_str(&convert(&item("one").to_string(), &["-o", "json"]).out).unwrap();
    assert_eq!(one["kind"], "ScheduledTask");
    assert_eq!(one.get("status"), None);
}

#[test]
fn a_zone_in_the_schedule_becomes_the_field() {
    let said = convert(
        "apiVersion: batch/v1\nkind: CronJob\nmetadata:\n  name: x\nspec:\n  schedule: CRON_TZ=Asia/Tokyo 0 3 * * *\n  failedJobsHistoryLimit: 1\n  jobTemplate: {spec: {template: {spec: {restartPolicy: Never, containers: [{name: a, image: b}]}}}}\n",
        &[],
    );
    assert!(
        said.out
            .starts_with("# punctual: timeZone Asia/Tokyo was part of the schedule\napiVersion: punctual.dev/v1alpha1\n"),
        "{}",
        said.out
    );
    let task: Value = serde_yaml::from_str(&said.out).unwrap();
    assert_eq!(
        (&task["spec"]["schedule"], &task["spec"]["timeZone"]),
        (&json!("0 3 * * *"), &json!("Asia/Tokyo"))
    );
    assert_eq!(said.code, Some(0));
}

#[test]
fn an_invalid_cronjob_is_converted_with_its_errors() {
    let said = convert(
        "apiVersion: batch/v1\nkind: CronJob\nmetadata: {name: x}\nspec: {schedule: '1, * * * *', failedJobsHistoryLimit: 1, jobTemplate: {spec: {template: {spec: {restartPolicy: Never, containers: [{name: a, image: b}]}}}}}\n---\na: [b\n",
        &[],
    );
    assert_eq!(said.code, Some(1));
    assert!(
        said.out
            .starts_with("# punctual: fix before applying: spec.schedule: schedule \"1, * * * *\": minutes"),
        "{}",
        said.out
    );
    let lines: Vec<&str> = said.err.lines().collect();
    assert!(
        lines[0].starts_with("error: standard input, document 1 (x): spec.schedule: "),
        "{}",
        said.err
    );
    assert!(
        lines[1].starts_with("error: standard input, document 2: not valid YAML"),
        "{}",
        said.err
    );
}

#[test]
fn manifests_of_the_corpus_change_in_two_fields_only() {
    let said = convert(include_str!("../it/cronjob/corpus.yaml"), &[]);
    let read = |text: &str| -> Vec<Value> {
        use serde::Deserialize;
        let documents = serde_yaml::Deserializer::from_str(text).map(|document| Value::deserialize(document).unwrap());
        documents.filter(|value| !value.is_null()).collect()
    };
    let (before, after) = (read(include_str!("../it/cronjob/corpus.yaml")), read(&said.out));
    assert_eq!(before.len(), after.len());
    for (mut before, after) in before.into_iter().zip(after) {
        before["apiVersion"] = json!("punctual.dev/v1alpha1");
        before["kind"] = json!("ScheduledTask");
        if before["metadata"]["name"] != "generated" {
            assert_eq!(before, after);
        }
    }
    // The author's own lines, octal modes among them.
    assert!(said.out.contains("configMap: {name: scripts, defaultMode: 0555}"));
}
