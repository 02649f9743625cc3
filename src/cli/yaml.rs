//! YAML that is safe to show: the data of a value, with an escape for each character that is not printable.
//!
//! Takes JSON, gives text that reads back as the same. The writer of YAML escapes control characters only, and leaves others that turn
//! the order of what is read: text with any of those is put in afterwards, quoted by us.

use crate::api::{is_unprintable, yaml_quoted};
use anyhow::{Result, anyhow};
use serde_json::{Map, Value};

/// Stands on both sides of a place that is filled in later. Text that holds it is filled in later itself.
const MARK: char = '\u{f8ff}';
/// The writer puts longer keys behind a `? `, as they have to be.
const SHORT_KEY: usize = 128;

/// The value as a document of YAML.
///
/// # Errors
/// Never for what is made of JSON.
pub fn text(value: &Value) -> Result<String> {
    let mut quoted = Vec::new();
    let marked = marked(value, &mut quoted);
    let text = serde_yaml::to_string(&marked)?;
    if quoted.is_empty() {
        return Ok(text);
    }
    let filled: Option<Vec<&str>> = text
        .split(MARK)
        .enumerate()
        .map(|(number, piece)| match number % 2 {
            0 => Some(piece),
            // Zeros before it are no hindrance.
            _ => quoted.get(piece.parse::<usize>().ok()?).map(String::as_str),
        })
        .collect();
    filled
        .map(|pieces| pieces.concat())
        .ok_or_else(|| anyhow!("cannot write this value as YAML"))
}

/// The value with a mark in place of each text that is not printable.
fn marked(value: &Value, quoted: &mut Vec<String>) -> Value {
    match value {
        Value::String(text) => Value::String(mark(text, quoted)),
        Value::Array(items) => items.iter().map(|item| marked(item, quoted)).collect(),
        Value::Object(fields) => {
            let fields: Map<String, Value> = fields
                .iter()
                .map(|(name, value)| (mark(name, quoted), marked(value, quoted)))
                .collect();
            Value::Object(fields)
        }
        other => other.clone(),
    }
}

fn mark(text: &str, quoted: &mut Vec<String>) -> String {
    let needed = |c| c == MARK || is_unprintable(c) && !matches!(c, '\n' | '\t');
    if !text.contains(needed) {
        return text.to_owned();
    }
    let own = yaml_quoted(text);
    let width = if own.len() > SHORT_KEY { SHORT_KEY } else { 0 };
    let mark = format!("{MARK}{:0width$}{MARK}", quoted.len());
    quoted.push(own);
    mark
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn what_is_not_printable_is_quoted_and_the_rest_is_as_ever() {
        let value =
            json!({"name": "gnp.\u{202e}exe", "plain": "a: b", "lines": "one\ntwo\n", "\u{1b}key": ["\u{85}", MARK.to_string(), "7"]});
        let text = text(&value).unwrap();
        assert_eq!(
            text,
            "lines: |\n  one\n  two\nname: \"gnp.\\u202eexe\"\nplain: 'a: b'\n\"\\u001bkey\":\n- \"\\u0085\"\n- \"\u{f8ff}\"\n- '7'\n"
        );
        assert_eq!(serde_yaml::from_str::<Value>(&text).unwrap(), value);
    }

    #[test]
    fn any_text_reads_back_also_as_a_long_key() {
        let all: String = ('\0'..=char::MAX).collect();
        for text in [
            all.clone(),
            "\u{200b}".repeat(2000),
            "\n\u{2028}\t ".to_owned(),
            format!("{MARK}0{MARK}"),
        ] {
            let value = json!({text.clone(): {text.clone(): [text.clone(), {"a": text}]}});
            let yaml = super::text(&value).unwrap();
            assert!(!yaml.contains(|c| is_unprintable(c) && c != '\n'), "{yaml}");
            assert_eq!(serde_yaml::from_str::<Value>(&yaml).unwrap(), value);
        }
    }
}
