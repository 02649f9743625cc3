//! What the commands write: text, JSON or YAML to standard output, errors and warnings to standard error.
//!
//! Takes values, writes them. This file alone writes, and whatever passes is printable: what somebody else has written into a name, an
//! annotation or a file moves no cursor and begins no line. A reader that has seen enough (`… | head`) is no error.

use crate::api::{json_escaped, printable, printable_coloured, printable_lines};
use anyhow::{Context, Result};
use serde::Serialize;
use serde_json::{Value, json};
use std::io::{self, Write};

/// A format for machines.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Format {
    Json,
    Yaml,
}

/// Writes text of whole lines.
///
/// # Errors
/// When standard output cannot take it, and not because its reader has left.
pub fn print(text: &str) -> Result<()> {
    forgiving(write(&mut io::stdout().lock(), text))
}

/// Writes text of whole lines, some of it in colour.
///
/// # Errors
/// As [`print`].
pub fn print_coloured(text: &str) -> Result<()> {
    let lines: String = text.lines().map(|line| printable_coloured(line).into_owned() + "\n").collect();
    forgiving(io::stdout().lock().write_all(lines.as_bytes()))
}

/// Writes one line to standard error. Whoever does not read it misses nothing that can be mended here.
pub fn complain(line: &str) {
    let _ = writeln!(io::stderr().lock(), "{}", printable(line));
}

/// Standard output, for what is written piece by piece.
pub struct Out(io::BufWriter<io::StdoutLock<'static>>);

impl Out {
    /// Takes standard output.
    pub fn open() -> Self {
        Self(io::BufWriter::new(io::stdout().lock()))
    }

    /// Writes a piece, which may hold line feeds of ours.
    pub fn write(&mut self, text: &str) -> io::Result<()> {
        self.0.write_all(printable_lines(text).as_bytes())
    }

    /// Writes a piece of JSON.
    pub fn json(&mut self, value: &impl Serialize) -> io::Result<()> {
        self.write(&json_escaped(&serde_json::to_string(value)?))
    }

    /// Sends on what was written so far.
    pub fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

fn write(out: &mut impl Write, text: &str) -> io::Result<()> {
    out.write_all(printable_lines(text).as_bytes()).and_then(|()| out.flush())
}

/// The same, unless it is only the reader who has left.
///
/// # Errors
/// Any other.
pub fn forgiving(written: io::Result<()>) -> Result<()> {
    match written {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(error).context("cannot write"),
        _ => Ok(()),
    }
}

/// A value in this format, with a line feed at its end.
///
/// # Errors
/// Never for what is made of JSON.
pub fn format(value: &impl Serialize, format: Format) -> Result<String> {
    Ok(match format {
        Format::Json => json_escaped(&serde_json::to_string_pretty(value)?).into_owned() + "\n",
        Format::Yaml => super::yaml::text(&serde_json::to_value(value)?)?,
    })
}

/// The object, or a `List` of several (or none).
pub fn one_or_list(objects: Vec<Value>) -> Value {
    match <[Value; 1]>::try_from(objects) {
        Ok([object]) => object,
        Err(objects) => list(objects),
    }
}

/// A `List`, as kubectl makes one.
pub fn list(objects: Vec<Value>) -> Value {
    json!({"apiVersion": "v1", "kind": "List", "metadata": {"resourceVersion": ""}, "items": objects})
}

/// One printable line without needless blanks: what a container said may be of several.
pub fn one_line(text: &str) -> String {
    printable(text).split_whitespace().collect::<Vec<_>>().join(" ")
}
