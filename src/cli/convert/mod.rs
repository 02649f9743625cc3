//! `punctual convert`: replaces each CronJob in a stream of manifests by a ScheduledTask, and explains the differences.
//!
//! Documents of other kinds pass through unchanged, as in kustomize. Where `apiVersion` and `kind` are all that has to change, the rest of
//! the text stays as it is, byte for byte. A comment `# punctual: …` above the document names each difference that matters to the task.

mod differences;
mod edit;

use super::input::{self, Document};
use super::manifest::{self, Kind};
use super::output::{self, Format};
use crate::api::{self, printable_lines};
use crate::clock::Clock;
use anyhow::Result;
use jiff::Timestamp;
use serde_json::{Value, json};
use std::borrow::Cow;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

#[derive(clap::Args, Debug)]
pub struct Args {
    /// Manifests to read, YAML or JSON; can be given several times. Default: `-`, standard input
    #[arg(short, long, value_name = "FILE")]
    filename: Vec<PathBuf>,
    /// Output format; JSON has no comments
    #[arg(short, long, value_enum, default_value = "yaml")]
    output: Format,
}

/// The fields of metadata that the API server sets.
const SERVER_FIELDS: [&str; 8] = [
    "uid",
    "resourceVersion",
    "creationTimestamp",
    "generation",
    "managedFields",
    "selfLink",
    "deletionTimestamp",
    "deletionGracePeriodSeconds",
];

/// The annotation of client-side `kubectl apply`.
const LAST_APPLIED: &str = "kubectl.kubernetes.io/last-applied-configuration";

pub fn run(args: &Args) -> Result<ExitCode> {
    let now = Clock::System.now();
    let stdin = [PathBuf::from("-")];
    let files = if args.filename.is_empty() { &stdin[..] } else { &args.filename[..] };
    let (mut texts, mut objects, mut failed, mut cron_jobs) = (Vec::new(), Vec::new(), false, 0);
    for file in files {
        for document in input::documents(file)? {
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
        let names: Vec<String> = files.iter().map(|file| input::display_name(Path::new(file))).collect();
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

/// The `ScheduledTask` that a CronJob becomes.
pub fn task(cron_job: &Value) -> Value {
    let mut task = cron_job.clone();
    if let Some(fields) = task.as_object_mut() {
        fields.insert("apiVersion".into(), json!(format!("{}/{}", api::GROUP, api::VERSION)));
        fields.insert("kind".into(), json!(api::KIND));
        fields.remove("status");
    }
    if let Some(metadata) = task.get_mut("metadata").and_then(Value::as_object_mut) {
        SERVER_FIELDS.iter().for_each(|field| drop(metadata.remove(*field)));
        let annotations = metadata.get_mut("annotations").and_then(Value::as_object_mut);
        if annotations.is_some_and(|annotations| annotations.remove(LAST_APPLIED).is_some() && annotations.is_empty()) {
            metadata.remove("annotations");
        }
    }
    // `kubectl create --dry-run` writes it, and it has no meaning.
    for path in ["/spec/jobTemplate/metadata", "/spec/jobTemplate/spec/template/metadata"] {
        if let Some(metadata) = task.pointer_mut(path).and_then(Value::as_object_mut)
            && metadata.get("creationTimestamp").is_some_and(Value::is_null)
        {
            metadata.remove("creationTimestamp");
        }
    }
    move_zone(&mut task);
    task
}

/// Moves the zone out of a schedule such as `TZ=Europe/Paris 0 3 * * *`, which older clusters accepted.
fn move_zone(task: &mut Value) -> Option<()> {
    let spec = task.get_mut("spec")?.as_object_mut()?;
    if spec.get("timeZone").is_some_and(|zone| !zone.is_null()) {
        return None;
    }
    let (zone, rest) = zone_in(spec.get("schedule")?.as_str()?)?;
    let (zone, rest) = (json!(zone), json!(rest));
    spec.insert("timeZone".into(), zone);
    spec.insert("schedule".into(), rest);
    Some(())
}

/// The zone in a schedule, and the schedule without it.
fn zone_in(schedule: &str) -> Option<(&str, &str)> {
    let schedule = schedule.trim();
    let named = schedule.strip_prefix("CRON_TZ=").or_else(|| schedule.strip_prefix("TZ="))?;
    named.split_once(char::is_whitespace).map(|(zone, rest)| (zone, rest.trim()))
}
