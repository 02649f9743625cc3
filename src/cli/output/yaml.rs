//! Writes YAML that is safe to show: unprintable characters are escaped, and the text reads back as the same value.
//!
//! `serde_yaml` escapes control characters only, and leaves others that change the writing direction. A string with any of those is
//! replaced by a placeholder before serializing, and filled in afterwards, quoted by [`quote`].

use crate::api::is_unprintable;
use anyhow::{Result, anyhow};
use serde_json::{Map, Value};

/// Encloses a placeholder. A string that contains it becomes a placeholder itself.
const MARK: char = '\u{f8ff}';
/// `serde_yaml` writes longer keys as explicit keys (`? `), as YAML demands.
const SHORT_KEY: usize = 128;

/// The value as a document of YAML.
///
/// # Errors
/// Never for what is made of JSON.
pub fn to_string(value: &Value) -> Result<String> {
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
            _ => quoted.get(piece.parse::<usize>().ok()?).map(String::as_str),
        })
        .collect();
    filled
        .map(|pieces| pieces.concat())
        .ok_or_else(|| anyhow!("cannot write this value as YAML"))
}

/// The value with a placeholder for each string that is not printable.
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
    let own = quote(text);
    let width = if own.len() > SHORT_KEY { SHORT_KEY } else { 0 };
    let mark = format!("{MARK}{:0width$}{MARK}", quoted.len());
    quoted.push(own);
    mark
}

/// The text as a double-quoted scalar on one line, with an escape for each unprintable character.
fn quote(text: &str) -> String {
    let mut quoted = String::from("\"");
    for character in text.chars() {
        match character {
            '"' | '\\' => quoted.extend(['\\', character]),
            '\n' => quoted.push_str("\\n"),
            '\t' => quoted.push_str("\\t"),
            // Unlike JSON's, an escape of YAML names a whole character.
            other if is_unprintable(other) && u32::from(other) > 0xffff => quoted.push_str(&format!("\\U{:08x}", u32::from(other))),
            other if is_unprintable(other) => quoted.push_str(&format!("\\u{:04x}", u32::from(other))),
            other => quoted.push(other),
        }
    }
    quoted + "\""
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn only_unprintable_strings_are_quoted() {
        let value =
            json!({"name": "gnp.\u{202e}exe", "plain": "a: b", "lines": "one\ntwo\n", "\u{1b}key": ["\u{85}", MARK.to_string(), "7"]});
        let text = to_string(&value).unwrap();
        assert_eq!(
            text,
            "lines: |\n  one\n  two\nname: \"gnp.\\u202eexe\"\nplain: 'a: b'\n\"\\u001bkey\":\n- \"\\u0085\"\n- \"\u{f8ff}\"\n- '7'\n"
        );
        assert_eq!(serde_yaml::from_str::<Value>(&text).unwrap(), value);
    }

    #[test]
    fn any_string_reads_back_even_as_a_long_key() {
        let all: String = ('\0'..=char::MAX).collect();
        for text in [
            all.clone(),
            "\u{200b}".repeat(2000),
            "\n\u{2028}\t ".to_owned(),
            format!("{MARK}0{MARK}"),
        ] {
            let value = json!({text.clone(): {text.clone(): [text.clone(), {"a": text}]}});
            let yaml = to_string(&value).unwrap();
            assert!(!yaml.contains(|c| is_unprintable(c) && c != '\n'), "{yaml}");
            assert_eq!(serde_yaml::from_str::<Value>(&yaml).unwrap(), value);
        }
    }
}
