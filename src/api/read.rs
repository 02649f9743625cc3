//! Reads a spec, and names the field that is wrong.
//!
//! A field of the wrong type is an error, never a default. The error is one sentence.

use super::{ScheduledTaskSpec, shortened};
use serde::Deserialize;
use serde_json::{Value, json};

/// The maximum length of an error, in characters: it may repeat a value of any length.
const MAX_ERROR: usize = 2000;

impl ScheduledTaskSpec {
    /// The spec of a manifest.
    ///
    /// # Errors
    /// When a field is missing or has the wrong type; the message names the first one.
    pub fn read(spec: &Value) -> Result<Self, String> {
        let read = Self::deserialize(spec).map_err(|error| match spec {
            Value::Null => "spec is missing".into(),
            Value::Object(fields) => shortened(wrong_field(fields).unwrap_or_else(|| format!("spec: {error}")), MAX_ERROR),
            _ => format!(
                "spec must be an object with fields such as schedule and jobTemplate, not {}",
                kind_of(spec)
            ),
        })?;
        read.has_one_schedule()
    }

    /// The spec of a manifest as text. A tree is built only to find the error.
    ///
    /// # Errors
    /// As [`ScheduledTaskSpec::read`].
    pub fn read_text(spec: &str) -> Result<Self, String> {
        match serde_json::from_str::<Self>(spec) {
            Ok(read) => read.has_one_schedule(),
            Err(error) => Self::read(&serde_json::from_str(spec).map_err(|_| error.to_string())?),
        }
    }

    fn has_one_schedule(self) -> Result<Self, String> {
        match (&self.schedule, self.schedules.as_slice()) {
            (None, []) => Err("spec.schedule is missing: set it, or spec.schedules".into()),
            (Some(_), [_, ..]) => Err("spec.schedule and spec.schedules are both set: remove one of them".into()),
            _ => Ok(self),
        }
    }
}

/// Tries each field alone in a spec that is otherwise valid. An unknown field makes no difference to it.
fn wrong_field(fields: &serde_json::Map<String, Value>) -> Option<String> {
    let right = json!({"schedule": "@daily", "jobTemplate": {}});
    let wrong = fields.iter().find_map(|(name, value)| {
        let mut alone = right.clone();
        alone.as_object_mut()?.insert(name.clone(), value.clone());
        let error = ScheduledTaskSpec::deserialize(&alone).err()?;
        Some(format!("spec.{name}: {error}"))
    });
    let missing = || {
        let name = ["jobTemplate"].into_iter().find(|name| !fields.contains_key(*name))?;
        Some(format!("spec.{name} is missing"))
    };
    wrong.or_else(missing)
}

fn kind_of(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "a boolean",
        Value::Number(_) => "a number",
        Value::String(_) => "a string",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_names_the_field() {
        for (spec, says) in [
            (json!(null), "spec is missing"),
            (
                json!([]),
                "spec must be an object with fields such as schedule and jobTemplate, not a list",
            ),
            (json!({"jobTemplate": {}}), "spec.schedule is missing: set it, or spec.schedules"),
            (
                json!({"schedule": "@daily", "schedules": ["@hourly"], "jobTemplate": {}}),
                "spec.schedule and spec.schedules are both set: remove one of them",
            ),
            (
                json!({"schedule": "@daily", "jobTemplate": {}, "runTimeout": "5minutes"}),
                "spec.runTimeout: invalid unit: expected one of 'ns', 'us', 'µs', 'ms', 's', 'm', or 'h'",
            ),
            (json!({"schedule": "@daily"}), "spec.jobTemplate is missing"),
            (
                json!({"schedule": 5}),
                "spec.schedule: invalid type: integer `5`, expected a string",
            ),
            (
                json!({"schedule": "@daily", "jobTemplate": {}, "daylightSaving": {"gap": "Jump"}}),
                "spec.daylightSaving: unknown variant `Jump`, expected `RunAfter` or `Skip`",
            ),
            (
                json!({"schedule": "@daily", "jobTemplate": {}, "suspend": "yes"}),
                "spec.suspend: invalid type: string \"yes\", expected a boolean",
            ),
        ] {
            assert_eq!(ScheduledTaskSpec::read(&spec).unwrap_err(), says);
        }
    }
}
