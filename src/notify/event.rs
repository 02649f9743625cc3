//! A message as a CloudEvent 1.0, structured JSON: <https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/formats/json-format.md>.
//!
//! Its schema is `deploy/events/punctual-event.schema.json`.

use super::message::Message;
use serde_json::{Value, json};

/// The `Content-Type` of such an event.
pub const CONTENT_TYPE: &str = "application/cloudevents+json; charset=utf-8";

/// The event. `source` names this installation of the operator.
#[must_use]
pub fn cloud_event(message: &Message, source: &str) -> Value {
    let task = json!({
        "namespace": message.subject.namespace,
        "name": message.subject.name,
        "uid": message.subject.uid,
    });
    let mut data = json!({
        "task": task,
        "outcome": message.what.as_str(),
        "reason": message.reason,
        "message": message.text,
        "slots": message.slots,
    });
    let mut event = json!({
        "specversion": "1.0",
        "id": message.id,
        "source": source,
        "type": message.what.event_type(),
        "subject": message.subject.to_string(),
        "time": message.time.to_string(),
        "datacontenttype": "application/json",
    });
    if let Some(sequence) = message.sequence {
        // An extension: <https://github.com/cloudevents/spec/blob/main/cloudevents/extensions/sequence.md>. It compares texts, and a
        // number of 20 digits is what all of them have room for.
        set(&mut event, "sequence", json!(format!("{sequence:020}")));
        set(&mut data, "sequence", json!(sequence));
    }
    if let Some(run) = &message.run {
        set(&mut data, "run", json!(run));
    }
    if let Some(command) = message.log_command() {
        set(&mut data, "logs", json!(command));
    }
    set(&mut event, "data", data);
    event
}

fn set(object: &mut Value, field: &str, value: Value) {
    if let Some(fields) = object.as_object_mut() {
        fields.insert(field.to_owned(), value);
    }
}
