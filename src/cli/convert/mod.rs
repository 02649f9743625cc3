//! `punctual convert`: replaces each CronJob in a stream of manifests by a ScheduledTask, and explains the differences.
//!
//! Documents of other kinds pass through unchanged, as in kustomize. Where `apiVersion` and `kind` are all that has to change, the rest of
//! the text stays as it is, byte for byte. A comment `# punctual: …` above the document names each difference that matters to the task.

mod differences;
mod edit;
mod task;

pub use task::task;

use super::input::{self, Document};
use super::manifest::{self, Kind};
use super::output::{self, Format};
use crate::api::printable_lines;
use crate::clock::Clock;
use anyhow::Result;
use jiff::Timestamp;
use serde_json::Value;
use std::borrow::Cow;
use std::path::PathBuf;
use std::process::ExitCode;

#[derive(clap::Args, Debug)]
pub struct Args {
    /// Manifests to read, YAML or JSON, or directories of them. Default: `-`, standard input
    #[arg(value_name = "FILE")]
    files: Vec<PathBuf>,
    /// The same as a flag, as in kubectl; can be given several times
    #[arg(short, long, value_name = "FILE")]
    filename: Vec<PathBuf>,
    /// Output format; JSON has no comments
    #[arg(short, long, value_enum, default_value = "yaml")]
    output: Format,
}

pub fn run(args: &Args) -> Result<ExitCode> {
    let now = Clock::System.now();
    let mut files = [&args.files[..], &args.filename[..]].concat();
    if files.is_empty() {
        files.push(PathBuf::from("-"));
    }
    let files = input::files(&files)?;
    let (mut texts, mut objects, mut failed, mut cron_jobs) = (Vec::new(), Vec::new(), false, 0);
    for file in &files {
        for document in input::documents(file, "convert")? {
            match convert(document, now) {
                Ok(converted) => {
                    cron_jobs += usize::from(converted.is_cron_job);
                    for error in &converted.errors {
                        failed = true;
                        output::print_error(&format!("error: {}: {}", converted.subject, output::one_line(error)));
                    }
                    if converted.comments_lost && args.output == Format::Yaml {
                        let subject = &converted.subject;
                        output::print_error(&format!(
                            "warning: {subject}: comments are lost: more than apiVersion and kind had to change"
                        ));
                    }
                    texts.push(converted.yaml);
                    objects.push(converted.object);
                }
                Err(error) => {
                    failed = true;
                    output::print_error(&format!("error: {error}"));
                }
            }
        }
    }
    if cron_jobs == 0 && !failed {
        let names: Vec<String> = files.iter().map(|file| input::display_name(file)).collect();
        output::print_error(&format!("warning: no CronJob in {}: nothing was converted", names.join(", ")));
    }
    match args.output {
        Format::Yaml => output::print(&texts.join("---\n"))?,
        Format::Json if objects.is_empty() => {}
        Format::Json => output::print(&output::format(&output::one_or_list(objects), Format::Json)?)?,
    }
    Ok(if failed { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

/// A document of the output.
struct Converted {
    /// The document and the name of its object, for messages.
    subject: String,
    yaml: String,
    object: Value,
    is_cron_job: bool,
    comments_lost: bool,
    /// Why the API server or the controller would reject the task.
    errors: Vec<String>,
}

fn convert(document: Document, now: Timestamp) -> Result<Converted, String> {
    let Document { place, value, source, .. } = document;
    let value = value.map_err(|error| format!("{place}: {error:#}"))?;
    // YAML has escapes for unprintable characters in quotes only: text with others is serialized again.
    let source = source.filter(|text| matches!(printable_lines(text), Cow::Borrowed(_)));
    let subject = match manifest::name(&value) {
        Some(name) => format!("{place} ({name})"),
        None => place,
    };
    if !matches!(manifest::kind(&value), Ok(Kind::CronJob)) {
        return Ok(Converted {
            subject,
            yaml: match source {
                Some(text) => text.trim_start_matches('\n').to_owned(),
                None => to_yaml(&value)?,
            },
            object: value,
            is_cron_job: false,
            comments_lost: false,
            errors: Vec::new(),
        });
    }
    let task = task(&value);
    let mut errors = manifest::unknown_cron_job_fields(&value);
    match manifest::spec(&task) {
        Ok(fields) => errors.extend(manifest::scheduled(fields, &manifest::key(&task)).err()),
        Err(invalid) => errors.extend(invalid),
    }
    let notes = differences::of(&value, &task, now);
    let notes = errors.iter().map(|error| format!("fix before applying: {error}")).chain(notes);
    let comments: String = notes.map(|note| format!("# punctual: {}\n", output::one_line(&note))).collect();
    let edited = source.as_deref().and_then(edit::replace_type);
    let edited = edited.filter(|text| input::reads_as(text, &task));
    let comments_lost = edited.is_none() && source.as_deref().is_some_and(has_comments);
    let body = match edited {
        Some(text) => text.trim_start_matches('\n').to_owned(),
        None => to_yaml(&task)?,
    };
    Ok(Converted {
        subject,
        yaml: comments + &body,
        object: task,
        is_cron_job: true,
        comments_lost,
        errors,
    })
}

fn to_yaml(value: &Value) -> Result<String, String> {
    output::yaml::to_string(value).map_err(|error| error.to_string())
}

/// Whether a line is a comment or ends with one. A `#` in a string counts, too: a needless warning does no harm.
fn has_comments(text: &str) -> bool {
    text.lines().any(|line| line.trim_start().starts_with('#') || line.contains(" #"))
}
