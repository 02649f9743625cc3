//! `punctual convert`: CronJobs become ScheduledTasks, and what is different about them is said.
//!
//! Takes a stream of manifests, gives the same stream with each CronJob converted. As kustomize does it, documents of other kinds pass
//! through as they are. YAML keeps the author's comments and order where only lines need to be changed, and has a line
//! `# punctual: …` for each difference that matters for this very task; JSON has neither.

mod differences;
mod edit;

use super::manifest::{self, Kind};
use super::output::{self, Format};
use super::stream::{self, Document};
use super::yaml;
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
    /// Format of what is written; JSON has no comments
    #[arg(short, long, value_enum, default_value = "yaml")]
    output: Format,
}

/// What a cluster writes into metadata.
const OF_THE_CLUSTER: [&str; 8] = [
    "uid",
    "resourceVersion",
    "creationTimestamp",
    "generation",
    "managedFields",
    "selfLink",
    "deletionTimestamp",
    "deletionGracePeriodSeconds",
];

/// What client-side `kubectl apply` keeps on the side.
const LAST_APPLIED: &str = "kubectl.kubernetes.io/last-applied-configuration";

pub fn run(args: &Args) -> Result<ExitCode> {
    let now = Clock::System.now();
    let stdin = [PathBuf::from("-")];
    let files = if args.filename.is_empty() { &stdin[..] } else { &args.filename[..] };
    let (mut texts, mut objects, mut wrong, mut converted) = (Vec::new(), Vec::new(), false, 0);
    for file in files {
        for document in stream::documents(file)? {
            match written(document, now) {
                Ok(written) => {
                    converted += usize::from(written.converted);
                    for fault in &written.faults {
                        wrong = true;
                        output::complain(&format!("error: {}: {}", written.subject, output::one_line(fault)));
                    }
                    texts.push(written.yaml);
                    objects.push(written.object);
                }
                Err(says) => {
                    wrong = true;
                    output::complain(&format!("error: {says}"));
                }
            }
        }
    }
    if converted == 0 && !wrong {
        let shown: Vec<String> = files.iter().map(|file| stream::shown(Path::new(file))).collect();
        output::complain(&format!("warning: no CronJob in {}: nothing was converted", shown.join(", ")));
    }
    match args.output {
        Format::Yaml => output::print(&texts.join("---\n"))?,
        Format::Json if objects.is_empty() => {}
        Format::Json => output::print(&output::format(&output::one_or_list(objects), Format::Json)?)?,
    }
    Ok(if wrong { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

/// A document as it leaves.
struct Written {
    subject: String,
    yaml: String,
    object: Value,
    converted: bool,
    /// Why it would be refused as it is.
    faults: Vec<String>,
}

fn written(document: Document, now: Timestamp) -> Result<Written, String> {
    let Document { place, value, source, .. } = document;
    let value = value.map_err(|error| format!("{place}: {error:#}"))?;
    // YAML has an escape for whatever a terminal must not see, but only in quotes: such a text is written anew.
    let source = source.filter(|text| matches!(printable_lines(text), Cow::Borrowed(_)));
    let subject = match manifest::name(&value) {
        Some(name) => format!("{place} ({name})"),
        None => place,
    };
    if !matches!(manifest::kind(&value), Ok(Kind::CronJob)) {
        return Ok(Written {
            subject,
            yaml: match source {
                Some(text) => text.trim_start_matches('\n').to_owned(),
                None => as_yaml(&value)?,
            },
            object: value,
            converted: false,
            faults: Vec::new(),
        });
    }
    let task = task(&value);
    let mut faults = manifest::not_of_a_cron_job(&value);
    match manifest::spec(&task) {
        Ok(fields) => faults.extend(manifest::planned(fields, &manifest::key(&task)).err()),
        Err(refusals) => faults.extend(refusals),
    }
    let notes = differences::of(&value, &task, now);
    let notes = faults.iter().map(|fault| format!("to be mended: {fault}")).chain(notes);
    let comments: String = notes.map(|note| format!("# punctual: {}\n", output::one_line(&note))).collect();
    let body = match source.and_then(|text| edit::converted(&text, &task)) {
        Some(text) => text,
        None => as_yaml(&task)?,
    };
    Ok(Written {
        subject,
        yaml: comments + &body,
        object: task,
        converted: true,
        faults,
    })
}

fn as_yaml(value: &Value) -> Result<String, String> {
    yaml::text(value).map_err(|error| error.to_string())
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
        OF_THE_CLUSTER.iter().for_each(|field| drop(metadata.remove(*field)));
        let annotations = metadata.get_mut("annotations").and_then(Value::as_object_mut);
        if annotations.is_some_and(|annotations| annotations.remove(LAST_APPLIED).is_some() && annotations.is_empty()) {
            metadata.remove("annotations");
        }
    }
    // What `kubectl create --dry-run` writes, and says nothing.
    for path in ["/spec/jobTemplate/metadata", "/spec/jobTemplate/spec/template/metadata"] {
        if let Some(metadata) = task.pointer_mut(path).and_then(Value::as_object_mut)
            && metadata.get("creationTimestamp").is_some_and(Value::is_null)
        {
            metadata.remove("creationTimestamp");
        }
    }
    zone_of_its_own(&mut task);
    task
}

/// `TZ=Europe/Paris 0 3 * * *`, as older clusters took it.
fn zone_of_its_own(task: &mut Value) -> Option<()> {
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

/// The zone that stands in a schedule, and the schedule without it.
fn zone_in(schedule: &str) -> Option<(&str, &str)> {
    let schedule = schedule.trim();
    let named = schedule.strip_prefix("CRON_TZ=").or_else(|| schedule.strip_prefix("TZ="))?;
    named.split_once(char::is_whitespace).map(|(zone, rest)| (zone, rest.trim()))
}
