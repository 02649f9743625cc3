//! What goes where.

use super::message::{Subject, What};
use serde::Deserialize;
use serde_yaml::Value;
use std::collections::BTreeMap;

/// The outcomes of which people are told unless a route says otherwise: what goes wrong, and that it goes well again.
pub const USUAL: [What; 8] = [
    What::Failed,
    What::Cancelled,
    What::Missed,
    What::Recovered,
    What::Suspended,
    What::Overdue,
    What::Stalled,
    What::Gap,
];

/// Which messages some sinks get.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Route {
    /// Names of sinks.
    pub sinks: Vec<String>,
    /// Namespaces, with `*` for any characters; all of them, if there are none.
    pub namespaces: Vec<String>,
    /// Labels that the task has to have.
    pub labels: BTreeMap<String, String>,
    /// What is told.
    pub outcomes: Vec<What>,
    /// Whether what was told of a task is told again while it goes on: the second failure in a row.
    pub each: bool,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Fields {
    sinks: Vec<String>,
    #[serde(default)]
    namespaces: Vec<String>,
    #[serde(default)]
    labels: BTreeMap<String, String>,
    outcomes: Option<Vec<String>>,
    repeat: Option<String>,
}

impl Route {
    /// Everything that people should know, to these sinks.
    #[must_use]
    pub fn to_all(sinks: impl Iterator<Item = String>) -> Self {
        Self {
            sinks: sinks.collect(),
            namespaces: Vec::new(),
            labels: BTreeMap::new(),
            outcomes: USUAL.to_vec(),
            each: false,
        }
    }

    /// Reads an entry of `routes`.
    ///
    /// # Errors
    /// What is wrong, with its field and the way out.
    pub fn read(value: &Value) -> Result<Self, String> {
        let fields: Fields = serde_yaml::from_value(value.clone()).map_err(|error| error.to_string())?;
        if fields.sinks.is_empty() {
            return Err("sinks: names no sink".into());
        }
        let each = match fields.repeat.as_deref() {
            None | Some("once") => false,
            Some("each") => true,
            Some(other) => return Err(format!("repeat: {other:?} is neither once nor each")),
        };
        let outcomes = fields.outcomes.map_or_else(|| Ok(USUAL.to_vec()), |words| outcomes(&words))?;
        Ok(Self {
            sinks: fields.sinks,
            namespaces: fields.namespaces,
            labels: fields.labels,
            outcomes,
            each,
        })
    }

    /// Whether it sends anything of a task with these labels to a sink.
    #[must_use]
    pub fn concerns(&self, sink: &str, labels: &BTreeMap<String, String>) -> bool {
        let has = |(key, value): (&String, &String)| labels.get(key) == Some(value);
        self.sinks.iter().any(|name| name == sink) && self.labels.iter().all(has)
    }

    /// Whether it is about this outcome of this task.
    #[must_use]
    pub fn names(&self, what: What, subject: &Subject) -> bool {
        let is_here = |pattern: &String| matches(pattern, &subject.namespace);
        self.outcomes.contains(&what) && (self.namespaces.is_empty() || self.namespaces.iter().any(is_here))
    }
}

fn outcomes(words: &[String]) -> Result<Vec<What>, String> {
    if words.iter().any(|word| word == "*") {
        return Ok(What::ALL.to_vec());
    }
    let all = || What::ALL.map(What::as_str).join(", ");
    words
        .iter()
        .map(|word| {
            let known = What::ALL.into_iter().find(|what| what.as_str() == word);
            known.ok_or_else(|| format!("outcomes: {word:?} is unknown; there are {}, and * for all", all()))
        })
        .collect()
}

/// Whether a text matches a pattern in which `*` stands for any characters.
fn matches(pattern: &str, text: &str) -> bool {
    let Some((first, rest)) = pattern.split_once('*') else {
        return pattern == text;
    };
    let Some(mut left) = text.strip_prefix(first) else { return false };
    let parts: Vec<&str> = rest.split('*').collect();
    let Some((last, middle)) = parts.split_last() else { return true };
    for part in middle {
        let Some(at) = left.find(part) else { return false };
        left = left.get(at + part.len()..).unwrap_or_default();
    }
    left.ends_with(last)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns() {
        for (pattern, text, is_match) in [
            ("prod", "prod", true),
            ("prod", "prod-2", false),
            ("prod-*", "prod-2", true),
            ("*-prod", "a-prod", true),
            ("a*b*c", "a-b-b-c", true),
            ("a*b*c", "ac", false),
            ("ab*ba", "aba", false),
            ("*", "", true),
        ] {
            assert_eq!(matches(pattern, text), is_match, "{pattern} {text}");
        }
    }
}
