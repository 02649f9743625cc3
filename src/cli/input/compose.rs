//! Builds the value of a YAML document from its events: anchors, aliases and merge keys included, as kubectl's reader does.
//!
//! The number of values and levels is bounded, and what an alias names is counted at each use.

use super::limits::{Exceeded, LEVELS, VALUES};
use super::parser::{Event, Parser};
use super::scalar;
use anyhow::{Context, Result, anyhow, bail};
use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::{Map, Value};
use std::collections::HashMap;

/// The value of the only document in a text; null if there is none. `before` is the number of lines that precede the text in its file:
/// errors name lines of the file.
///
/// # Errors
/// When the text is not YAML, has a value that JSON does not have, or exceeds a limit.
pub fn document(text: &str, before: u64) -> Result<Value> {
    let mut parser = Parser::new(text);
    let mut graph = Graph {
        before,
        ..Graph::default()
    };
    let root = match parser.next() {
        Some(_document_start) => graph.read(&mut parser, 0)?,
        None => None,
    };
    let rest = parser.next();
    if parser.has_failed() {
        return Err(syntax_error(text, before));
    }
    if let Some(rest) = rest {
        let line = before + rest.line;
        bail!("line {line}: a second document without a line --- before it, which kubectl ignores");
    }
    match root {
        Some(root) => graph.value(root, 0),
        None => Ok(Value::Null),
    }
}

/// How to fix a syntax error at this byte, where the cause is plain.
fn fix(text: &str, at: usize) -> &'static str {
    let line = text.get(..at).map_or(0, |before| before.rfind('\n').map_or(0, |end| end + 1));
    let indent = text.get(line..).unwrap_or_default();
    let indent = indent.get(..indent.len() - indent.trim_start_matches([' ', '\t']).len());
    if indent.is_some_and(|indent| indent.contains('\t')) {
        return ": the line begins with a tab, and YAML is indented with spaces";
    }
    if text.contains("{{") {
        return ": a template is rendered first, for example helm template . | punctual check -f -";
    }
    ""
}

/// What `serde_yaml`, which contains the same parser, says of the text.
fn syntax_error(text: &str, before: u64) -> anyhow::Error {
    let failed = serde_yaml::Deserializer::from_str(text).find_map(|document| IgnoredAny::deserialize(document).err());
    match failed {
        Some(error) => {
            let at = error.location().map_or(0, |location| location.index());
            anyhow!("not valid YAML: {}{}", shifted(&error.to_string(), before), fix(text, at))
        }
        None => anyhow!("not valid YAML"),
    }
}

/// What a parser says, with its line numbers so much higher.
pub fn shifted(message: &str, by: u64) -> String {
    const LINE: &str = "line ";
    let mut parts = message.split(LINE);
    let mut shifted = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let digits = part.len() - part.trim_start_matches(|c: char| c.is_ascii_digit()).len();
        let (number, rest) = part.split_at(digits);
        shifted.push_str(LINE);
        match number.parse::<u64>() {
            Ok(number) => shifted.push_str(&(number + by).to_string()),
            Err(_) => shifted.push_str(number),
        }
        shifted.push_str(rest);
    }
    shifted
}

/// A part of the document. Parts are named by their index in [`Graph::nodes`].
enum Node {
    Scalar { value: String, plain: bool, tag: Option<String> },
    Alias(usize),
    Sequence(Vec<usize>),
    Mapping(Vec<(usize, usize)>),
}

/// A document whose aliases are not expanded.
struct Graph {
    /// How many lines precede the document in its file.
    before: u64,
    nodes: Vec<Node>,
    /// The line of each node.
    lines: Vec<u64>,
    anchors: HashMap<String, usize>,
    /// How many values may still be built.
    budget: usize,
    /// The nodes whose aliases are being expanded.
    expanding: Vec<usize>,
}

impl Default for Graph {
    fn default() -> Self {
        Self {
            before: 0,
            nodes: Vec::new(),
            lines: Vec::new(),
            anchors: HashMap::new(),
            budget: VALUES,
            expanding: Vec::new(),
        }
    }
}

impl Graph {
    /// Reads a node and all below it; `None` at the end of the sequence or mapping around it, and where the syntax is wrong.
    fn read(&mut self, parser: &mut Parser, level: usize) -> Result<Option<usize>> {
        let Some(located) = parser.next() else { return Ok(None) };
        let line = self.before + located.line;
        let exceeded = |what: Exceeded| Err(anyhow!("line {line}: {what}"));
        if self.nodes.len() >= VALUES {
            return exceeded(Exceeded::Values);
        }
        let id = self.nodes.len();
        let node = match located.event {
            Event::End | Event::DocumentStart => return Ok(None),
            Event::Alias(name) => {
                let target = self.anchors.get(&name);
                Node::Alias(*target.with_context(|| format!("not valid YAML: line {line}: unknown anchor {name:?}"))?)
            }
            Event::Scalar { value, plain, anchor, tag } => {
                self.anchors.extend(anchor.map(|anchor| (anchor, id)));
                Node::Scalar { value, plain, tag }
            }
            Event::SequenceStart { .. } | Event::MappingStart { .. } if level >= LEVELS => return exceeded(Exceeded::Levels),
            Event::SequenceStart { anchor } => {
                self.open(anchor, line);
                let mut items = Vec::new();
                while let Some(item) = self.read(parser, level + 1)? {
                    items.push(item);
                }
                return Ok(self.close(id, Node::Sequence(items)));
            }
            Event::MappingStart { anchor } => {
                self.open(anchor, line);
                let mut fields = Vec::new();
                while let Some(key) = self.read(parser, level + 1)? {
                    let Some(value) = self.read(parser, level + 1)? else { break };
                    fields.push((key, value));
                }
                return Ok(self.close(id, Node::Mapping(fields)));
            }
        };
        self.nodes.push(node);
        self.lines.push(line);
        Ok(Some(id))
    }

    /// Reserves the place of a sequence or mapping, which may be named inside itself.
    fn open(&mut self, anchor: Option<String>, line: u64) {
        self.anchors.extend(anchor.map(|anchor| (anchor, self.nodes.len())));
        self.nodes.push(Node::Sequence(Vec::new()));
        self.lines.push(line);
    }

    fn close(&mut self, id: usize, node: Node) -> Option<usize> {
        *self.nodes.get_mut(id)? = node;
        Some(id)
    }

    /// Adds the line of a node to what is wrong with it.
    fn wrong(&self, id: usize, what: impl std::fmt::Display) -> anyhow::Error {
        let line = self.lines.get(id).copied().unwrap_or_default();
        anyhow!("not valid YAML: line {line}: {what}")
    }

    fn take(&mut self) -> Result<()> {
        self.budget = self.budget.checked_sub(1).ok_or(Exceeded::Values)?;
        Ok(())
    }

    fn value(&mut self, id: usize, level: usize) -> Result<Value> {
        self.take()?;
        match self.nodes.get(id) {
            Some(Node::Scalar { value, plain, tag }) => match tag {
                Some(tag) => scalar::resolve_tagged(tag, value),
                None if *plain => scalar::resolve(value),
                None => Ok(value.as_str().into()),
            }
            .map_err(|error| self.wrong(id, error)),
            Some(Node::Alias(target)) => {
                let target = *target;
                self.expand(id, target, |graph| graph.value(target, level))
            }
            Some(_) if level >= LEVELS => Err(Exceeded::Levels.into()),
            Some(Node::Sequence(items)) => {
                let items = items.clone();
                let values = items.into_iter().map(|item| self.value(item, level + 1));
                values.collect::<Result<_>>().map(Value::Array)
            }
            Some(Node::Mapping(_)) => {
                let mut fields = Map::new();
                self.fields(id, &mut fields, level)?;
                Ok(Value::Object(fields))
            }
            None => Ok(Value::Null),
        }
    }

    /// Does something with what an alias names, unless that contains the alias.
    fn expand<T>(&mut self, alias: usize, target: usize, then: impl FnOnce(&mut Self) -> Result<T>) -> Result<T> {
        if self.expanding.contains(&target) {
            return Err(self.wrong(alias, "an anchor contains its own alias"));
        }
        self.expanding.push(target);
        let done = then(self);
        self.expanding.pop();
        done
    }

    /// Puts the fields of a mapping into another: the last of the same name wins, be it merged or not.
    fn fields(&mut self, mapping: usize, into: &mut Map<String, Value>, level: usize) -> Result<()> {
        if level >= LEVELS {
            return Err(Exceeded::Levels.into());
        }
        let Some(Node::Mapping(fields)) = self.nodes.get(mapping) else {
            return Err(self.wrong(mapping, "a merge key (<<) needs a mapping, or a sequence of mappings"));
        };
        for (key, value) in fields.clone() {
            if self.is_merge(key) {
                self.merge(value, into, level)?;
                continue;
            }
            let name = self.value(key, level + 1)?;
            let name = scalar::key(name).map_err(|error| self.wrong(key, error))?;
            let value = self.value(value, level + 1)?;
            into.insert(name, value);
        }
        Ok(())
    }

    fn is_merge(&self, key: usize) -> bool {
        match self.nodes.get(key) {
            Some(Node::Scalar { value, plain, tag }) => value == "<<" && (*plain || tag.as_deref() == Some("tag:yaml.org,2002:merge")),
            _ => false,
        }
    }

    fn merge(&mut self, from: usize, into: &mut Map<String, Value>, level: usize) -> Result<()> {
        self.take()?;
        match self.nodes.get(from) {
            Some(Node::Alias(target)) => {
                let target = *target;
                self.expand(from, target, |graph| graph.fields(target, into, level + 1))
            }
            // The first of several has precedence, so that it comes last.
            Some(Node::Sequence(items)) => items.clone().into_iter().rev().try_for_each(|item| match self.nodes.get(item) {
                Some(Node::Alias(target)) => {
                    let target = *target;
                    self.expand(item, target, |graph| graph.fields(target, into, level + 1))
                }
                _ => self.fields(item, into, level + 1),
            }),
            _ => self.fields(from, into, level + 1),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn merge_keys_are_merged_in_the_order_of_the_text() {
        for (text, value) in [
            (
                "a: &a {x: 1, z: 2}\nb: {<<: *a, z: 3}\n",
                json!({"a": {"x": 1, "z": 2}, "b": {"x": 1, "z": 3}}),
            ),
            ("a: &a {x: 1}\nb: {x: 3, <<: *a}\n", json!({"a": {"x": 1}, "b": {"x": 1}})),
            ("b: {<<: [{x: 1}, {x: 2, z: 3}]}\n", json!({"b": {"x": 1, "z": 3}})),
            ("'<<': {x: 1}\n", json!({"<<": {"x": 1}})),
            ("{yes: 1, 0x10: 2, a: 3, a: 4}\n", json!({"true": 1, "16": 2, "a": 4})),
            ("# nothing\n", json!(null)),
        ] {
            assert_eq!(document(text, 0).unwrap(), value, "{text}");
        }
    }

    #[test]
    fn an_error_names_the_line() {
        for (text, says) in [
            ("a: 1\nb: &b [*b]\n", "not valid YAML: line 2: an anchor contains its own alias"),
            ("a: *b\n", "not valid YAML: line 1: unknown anchor \"b\""),
            (
                "a:\n  <<: 5\n",
                "not valid YAML: line 2: a merge key (<<) needs a mapping, or a sequence of mappings",
            ),
            ("a: .inf\n", "not valid YAML: line 1: .inf is not a number in JSON"),
            (
                "a: 1\r---\nb: 2\n",
                "line 2: a second document without a line --- before it, which kubectl ignores",
            ),
            ("? [a]\n: 1\n", "not valid YAML: line 1: a key is a list or an object"),
        ] {
            assert_eq!(format!("{:#}", document(text, 0).unwrap_err()), says, "{text}");
        }
    }

    #[test]
    fn an_error_names_the_line_of_the_file() {
        for (text, says) in [
            ("a: *b\n", "not valid YAML: line 8: unknown anchor \"b\""),
            ("a: 1\n\nb: [\n", "at line 11 column 1"),
        ] {
            let error = document(text, 7).unwrap_err().to_string();
            assert!(error.contains(says), "{error}");
        }
        assert_eq!(shifted("line ends at line 1, lines", 2), "line ends at line 3, lines");
    }

    #[test]
    fn a_syntax_error_names_the_fix_where_its_cause_is_plain() {
        for (text, words) in [
            ("a:\n\tb: 1\n", Some("begins with a tab, and YAML is indented with spaces")),
            ("a:\n  \tb: 1\n  c: [\n", None),
            ("{{ if .Values.x }}\na: 1\n{{ end }}\n", Some("a template is rendered first")),
            ("a: [b\n", None),
        ] {
            let error = document(text, 0).unwrap_err().to_string();
            assert!(error.starts_with("not valid YAML: "), "{error}");
            match words {
                Some(words) => assert!(error.contains(words), "{error}"),
                None => assert!(!error.contains("rendered first"), "{error}"),
            }
        }
    }
}
