//! Logging: one line per event on standard error, as text or JSON.
//!
//! Sets up `tracing` for a format; `RUST_LOG` selects the level (default: `info`). Every event is one printable line, whatever its
//! fields contain: names and termination messages come from tenants and must not forge log lines.

use crate::api::{json_escaped, printable, printable_coloured};
use std::borrow::Cow;
use std::io::{self, IsTerminal, Write};
use tracing::Subscriber;
use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::util::SubscriberInitExt;

/// Format of log lines.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum LogFormat {
    #[default]
    /// Lines for people.
    Text,
    /// A JSON object a line, for machines.
    Json,
}

/// Initializes logging for the process. Does nothing if it is initialized already.
pub fn init(format: LogFormat) {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("info,kube_client=warn,kube_runtime=error"));
    let _ = subscriber(format, filter, io::stderr().is_terminal(), io::stderr).try_init();
}

fn subscriber<W>(format: LogFormat, filter: EnvFilter, colour: bool, out: W) -> Box<dyn Subscriber + Send + Sync>
where
    W: for<'a> MakeWriter<'a> + Send + Sync + 'static,
{
    let clean = match format {
        LogFormat::Json => json_escaped,
        LogFormat::Text if colour => printable_coloured,
        LogFormat::Text => printable,
    };
    let builder = tracing_subscriber::fmt().with_env_filter(filter).with_writer(Lines { out, clean });
    match format {
        LogFormat::Text => Box::new(builder.with_ansi(colour).finish()),
        LogFormat::Json => Box::new(builder.json().flatten_event(true).finish()),
    }
}

/// Turns the text of an event into one printable line.
type Clean = fn(&str) -> Cow<'_, str>;

/// Wraps the writer of the log. Each event arrives in one write.
struct Lines<W> {
    out: W,
    clean: Clean,
}

/// The writer of one event.
struct Line<W> {
    out: W,
    clean: Clean,
}

impl<'a, W: MakeWriter<'a>> MakeWriter<'a> for Lines<W> {
    type Writer = Line<W::Writer>;

    fn make_writer(&'a self) -> Self::Writer {
        Line {
            out: self.out.make_writer(),
            clean: self.clean,
        }
    }
}

impl<W: Write> Write for Line<W> {
    fn write(&mut self, event: &[u8]) -> io::Result<usize> {
        let text = String::from_utf8_lossy(event);
        let line = (self.clean)(text.strip_suffix('\n').unwrap_or(&text));
        self.out.write_all(format!("{line}\n").as_bytes())?;
        Ok(event.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::is_unprintable;
    use std::sync::{Arc, Mutex};

    #[derive(Clone, Default)]
    struct Buffer(Arc<Mutex<Vec<u8>>>);

    impl Write for Buffer {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().write(bytes)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    /// Tries to end the line, write another one, clear the screen, reverse the text that follows, and end a JSON string.
    const HOSTILE: &str =
        "x\n2026-11-23T12:00:00Z ERROR forged\r\x1b[2J\x1b]0;t\x07\u{9b}2J\u{202e}\u{2028}\u{e0041}\",\"level\":\"ERROR\",\"";

    /// The log of three events that contain it: as a message, as a field, as an error.
    fn logged(format: LogFormat, colour: bool) -> String {
        let buffer = Buffer::default();
        let out = buffer.clone();
        let subscriber = subscriber(format, EnvFilter::new("info"), colour, move || out.clone());
        tracing::subscriber::with_default(subscriber, || {
            let error = io::Error::other(HOSTILE);
            tracing::info!("{HOSTILE}");
            tracing::warn!(task = HOSTILE, debug = ?HOSTILE, display = %HOSTILE, "message");
            let _span = tracing::info_span!("span", name = %HOSTILE).entered();
            tracing::error!(error = &error as &dyn std::error::Error, "message");
        });
        let bytes = buffer.0.lock().unwrap().clone();
        String::from_utf8(bytes).unwrap()
    }

    /// A17
    #[test]
    fn an_event_is_one_printable_line_of_text_whatever_it_holds() {
        let text = logged(LogFormat::Text, false);
        assert_eq!(text.lines().count(), 3, "{text:?}");
        for line in text.lines() {
            assert!(!line.contains(is_unprintable), "{line:?}");
            assert!(line.contains("forged"), "{line:?}");
        }
    }

    #[test]
    fn on_a_terminal_nothing_but_the_colours_of_the_log_is_left() {
        let text = logged(LogFormat::Text, true);
        assert!(text.contains("\x1b["), "{text:?}");
        assert_eq!(text.matches('\n').count(), 3, "{text:?}");
        for line in text.lines() {
            let sequences = line.split("\x1b[").skip(1);
            for sequence in sequences {
                let rest = sequence.trim_start_matches(|c: char| c.is_ascii_digit() || c == ';');
                assert!(rest.starts_with('m'), "{line:?}");
                assert!(!rest.contains(is_unprintable), "{line:?}");
            }
        }
    }

    /// A17
    #[test]
    fn an_event_is_one_line_of_json_which_holds_the_same_text() {
        let text = logged(LogFormat::Json, false);
        assert_eq!(text.lines().count(), 3, "{text:?}");
        for line in text.lines() {
            assert!(!line.contains(is_unprintable), "{line:?}");
            let event: serde_json::Value = serde_json::from_str(line).unwrap();
            assert!(["INFO", "WARN", "ERROR"].contains(&event["level"].as_str().unwrap()), "{line:?}");
        }
        let event: serde_json::Value = serde_json::from_str(text.lines().nth(1).unwrap()).unwrap();
        assert_eq!(event["task"], HOSTILE);
    }
}
