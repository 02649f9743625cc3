//! A message as a CloudEvent 1.0, structured JSON: <https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/formats/json-format.md>.
//!
//! Its schema is `deploy/events/punctual-event.schema.json`.

use super::message::Message;
use crate::api::RunRecord;
use schemars::{JsonSchema, Schema, schema_for};
use serde::Serialize;
use serde_json::{Value, json};

/// The `Content-Type` of such an event.
pub const CONTENT_TYPE: &str = "application/cloudevents+json; charset=utf-8";

/// What became of a run, of slots, or of a task, as a CloudEvent.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "PunctualEvent")]
struct Event<'a> {
    /// Always 1.0.
    specversion: &'static str,
    /// Of the task's UID, slot, attempt, outcome and number. An event that is sent twice has the same id.
    id: &'a str,
    /// The operator: `/punctual/NAMESPACE/RELEASE`.
    source: &'a str,
    /// Such as `dev.punctual.run.failed.v1alpha1`.
    #[serde(rename = "type")]
    kind: String,
    /// `NAMESPACE/NAME` of the task.
    subject: String,
    /// When it happened, in RFC 3339.
    time: String,
    /// `data.sequence` with 20 digits: the extension `sequence`, which compares texts.
    #[serde(skip_serializing_if = "Option::is_none")]
    sequence: Option<String>,
    /// Always application/json.
    datacontenttype: &'static str,
    /// What happened.
    data: Data<'a>,
}

/// What happened.
#[derive(Serialize, JsonSchema)]
struct Data<'a> {
    /// To which task.
    task: TaskNames<'a>,
    /// Started, Retrying, Succeeded, Failed, Cancelled, Missed, Skipped, Recovered, Suspended, Overdue, Stalled or Gap.
    outcome: &'static str,
    /// One word in CamelCase, as in `status.recentRuns` and conditions.
    reason: &'a str,
    /// For people. It may come from a container.
    message: &'a str,
    /// How many slots it is about; of a gap, how many outcomes were dropped.
    slots: i64,
    /// The number of the slot among those of the task with a final outcome, from 1; of several slots, that of the last one.
    #[serde(skip_serializing_if = "Option::is_none")]
    sequence: Option<i64>,
    /// The run, or the slots, as in `status.recentRuns`.
    #[serde(skip_serializing_if = "Option::is_none")]
    run: Option<&'a RunRecord>,
    /// The command that shows the log of the run.
    #[serde(skip_serializing_if = "Option::is_none")]
    logs: Option<String>,
}

/// The names of a task.
#[derive(Serialize, JsonSchema)]
struct TaskNames<'a> {
    /// `metadata.namespace`
    namespace: &'a str,
    /// `metadata.name`
    name: &'a str,
    /// `metadata.uid`
    uid: &'a str,
}

/// The event. `source` names this installation of the operator.
#[must_use]
pub fn cloud_event(message: &Message, source: &str) -> Value {
    let subject = &message.subject;
    let event = Event {
        specversion: "1.0",
        id: &message.id,
        source,
        kind: message.what.event_type(),
        subject: subject.to_string(),
        time: message.time.to_string(),
        sequence: message.sequence.map(|sequence| format!("{sequence:020}")),
        datacontenttype: "application/json",
        data: Data {
            task: TaskNames {
                namespace: &subject.namespace,
                name: &subject.name,
                uid: &subject.uid,
            },
            outcome: message.what.as_str(),
            reason: &message.reason,
            message: &message.text,
            slots: message.slots,
            sequence: message.sequence,
            run: message.run.as_ref(),
            logs: message.log_command(),
        },
    };
    json!(event)
}

/// The schema of these events.
#[must_use]
pub fn event_schema() -> Schema {
    schema_for!(Event<'static>)
}
