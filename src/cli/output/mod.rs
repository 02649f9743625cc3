//! Writes the output of the commands: text, JSON or YAML to standard output, errors and warnings to standard error.
//!
//! No other file of `cli` writes. Everything is made printable first, because names, annotations and files may be untrusted. A closed
//! pipe (`… | head`) is not an error.

pub mod yaml;

use crate::api::{json_escaped, printable, printable_coloured, printable_lines};
use anyhow::{Context, Result};
use serde::Serialize;
use serde_json::{Value, json};
use std::io::{self, IsTerminal, Write};

/// A structured output format.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Format {
    Json,
    Yaml,
}

/// Writes whole lines of text.
///
/// # Errors
/// When standard output cannot be written, unless it is a closed pipe.
pub fn print(text: &str) -> Result<()> {
    ignore_closed_pipe(write(&mut io::stdout().lock(), text))
}

/// Writes whole lines of text that may contain colours.
///
/// # Errors
/// As [`print`].
pub fn print_coloured(text: &str) -> Result<()> {
    let lines: String = text.lines().map(|line| printable_coloured(line).into_owned() + "\n").collect();
    ignore_closed_pipe(io::stdout().lock().write_all(lines.as_bytes()))
}

/// Writes one line to standard error. A failure to do so is ignored.
pub fn print_error(line: &str) {
    let _ = writeln!(io::stderr().lock(), "{}", printable(line));
}

/// Standard output, for text that is written in pieces.
pub struct Out(io::BufWriter<io::StdoutLock<'static>>);

impl Out {
    /// Locks standard output.
    pub fn open() -> Self {
        Self(io::BufWriter::new(io::stdout().lock()))
    }

    /// Writes text that may contain line feeds.
    pub fn write(&mut self, text: &str) -> io::Result<()> {
        self.0.write_all(printable_lines(text).as_bytes())
    }

    /// Writes a value as JSON.
    pub fn json(&mut self, value: &impl Serialize) -> io::Result<()> {
        self.write(&json_escaped(&serde_json::to_string(value)?))
    }

    /// Writes a line that a container wrote. On a terminal it keeps its colours and no other escape sequence; elsewhere it is written
    /// byte for byte, as its reader expects.
    pub fn log_line(line: &[u8]) -> io::Result<()> {
        let mut out = io::stdout().lock();
        if out.is_terminal() {
            let text = String::from_utf8_lossy(line);
            let text = text.trim_end_matches(['\r', '\n']);
            let tabs: Vec<_> = text.split('\t').map(printable_coloured).collect();
            return writeln!(out, "{}", tabs.join("\t"));
        }
        out.write_all(line)
    }

    /// Flushes the buffer.
    pub fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

fn write(out: &mut impl Write, text: &str) -> io::Result<()> {
    out.write_all(printable_lines(text).as_bytes()).and_then(|()| out.flush())
}

/// Turns a closed pipe into success.
///
/// # Errors
/// Any other error of writing.
pub fn ignore_closed_pipe(written: io::Result<()>) -> Result<()> {
    match written {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(error).context("cannot write"),
        _ => Ok(()),
    }
}

/// Formats a value, with a line feed at the end.
///
/// # Errors
/// When the value cannot be represented in JSON.
pub fn format(value: &impl Serialize, format: Format) -> Result<String> {
    Ok(match format {
        Format::Json => json_escaped(&serde_json::to_string_pretty(value)?).into_owned() + "\n",
        Format::Yaml => yaml::to_string(&serde_json::to_value(value)?)?,
    })
}

/// The only object, or a `List`.
pub fn one_or_list(objects: Vec<Value>) -> Value {
    match <[Value; 1]>::try_from(objects) {
        Ok([object]) => object,
        Err(objects) => list(objects),
    }
}

/// A `List` as kubectl prints it.
pub fn list(objects: Vec<Value>) -> Value {
    json!({"apiVersion": "v1", "kind": "List", "metadata": {"resourceVersion": ""}, "items": objects})
}

/// The text as one printable line with single spaces: a termination message may have several lines.
pub fn one_line(text: &str) -> String {
    printable(text).split_whitespace().collect::<Vec<_>>().join(" ")
}
