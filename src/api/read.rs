//! Reads a spec, and says which field is wrong.
//!
//! Takes JSON, gives a spec or one sentence. Never guesses: a field of the wrong type is an error, not a default.

use super::ScheduledTaskSpec;
use super::admission::SPEC;
use super::refusals::message;
use serde::Deserialize;
use serde_json::{Value, json};

impl ScheduledTaskSpec {
    /// The spec of a manifest.
    ///
    /// # Errors
    /// When a field is missing or has the wrong type: names the first such field.
    pub fn read(spec: &Value) -> Result<Self, String> {
        let read = Self::deserialize(spec).map_err(|error| match spec {
            Value::Null => "spec is missing".into(),
            Value::Object(fields) => message(wrong_field(fields).unwrap_or_else(|| format!("spec: {error}"))),
            _ => format!(
                "spec must be an object with fields such as schedule and jobTemplate, and is {}",
                a_kind(spec)
            ),
        })?;
        read.has_one_schedule()
    }

    /// The spec of a manifest that is text; a tree is made only to say what is wrong.
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
            (None, []) => Err("spec.schedule is missing: write one, or several under spec.schedules".into()),
            (Some(_), [_, ..]) => Err("spec.schedule and spec.schedules are both set: leave one of them out".into()),
            _ => Ok(self),
        }
    }
}

/// Each field that has a type is tried alone beside a spec that is right.
fn wrong_field(fields: &serde_json::Map<String, Value>) -> Option<String> {
    let right = json!({"schedule": "@daily", "jobTemplate": {}});
    let known = SPEC.get("properties")?;
    let mut typed = fields.iter().filter(|(name, _)| known.get(name).is_some());
    let wrong = typed.find_map(|(name, value)| {
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

fn a_kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "true or false",
        Value::Number(_) => "a number",
        Value::String(_) => "a text",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_be_read_names_the_field() {
        for (spec, says) in [
            (json!(null), "spec is missing"),
            (
                json!([]),
                "spec must be an object with fields such as schedule and jobTemplate, and is a list",
            ),
            (
                json!({"jobTemplate": {}}),
                "spec.schedule is missing: write one, or several under spec.schedules",
            ),
            (
                json!({"schedule": "@daily", "schedules": ["@hourly"], "jobTemplate": {}}),
                "spec.schedule and spec.schedules are both set: leave one of them out",
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
