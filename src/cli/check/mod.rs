//! `punctual check`: validates manifests and prints warnings, without a cluster; with `--server` it also asks the API server.
//!
//! Errors are those of admission and of the controller, and set the exit code; warnings do not. A CronJob is checked as the
//! ScheduledTask that it would become. Other kinds are ignored. What only a cluster knows is never called ok silently: a note says so.

mod load_spread;
mod server;
mod warnings;

use super::cluster::{self, Target};
use super::manifest::{self, Kind};
use super::moment::Moment;
use super::output::{self, Format};
use super::{admission, convert, input};
use crate::api::{ScheduledTaskSpec, printable};
use crate::clock::Clock;
use crate::schedule::Schedule;
use anyhow::Result;
use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde::Serialize;
use serde_json::Value;
use std::fmt::Write;
use std::path::PathBuf;
use std::process::ExitCode;

#[derive(clap::Args, Debug)]
pub struct Args {
    /// Manifests to read, YAML or JSON, or directories of them; `-` reads standard input
    #[arg(value_name = "FILE", required_unless_present = "filename")]
    files: Vec<PathBuf>,
    /// The same as a flag, as in kubectl; can be given several times
    #[arg(short, long, value_name = "FILE")]
    filename: Vec<PathBuf>,
    /// Also ask the API server about each task and its Job, by dry runs with your rights
    #[arg(long)]
    server: bool,
    /// Warnings and next runs are those after this time: a date or local time in the task's zone, or RFC 3339. Default: now
    #[arg(long, value_name = "TIME")]
    from: Option<Moment>,
    /// Output format. Default: lines of text
    #[arg(short, long, value_enum)]
    output: Option<Format>,
    #[command(flatten)]
    pub target: Target,
}

/// What remains unknown without a cluster.
const UNKNOWN: &str = "note: not known without a cluster: what the API server says to the Job (its validation, quotas, webhooks, policies): ask it with --server";

/// How many next runs are listed, as in the status.
const NEXT_RUNS: usize = 5;

/// The result for one document.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Checked {
    /// Name of the task, if the document has one.
    name: Option<String>,
    /// Such as `tasks.yaml, document 2`.
    document: String,
    errors: Vec<String>,
    warnings: Vec<String>,
    /// When runs will start, in UTC.
    next_runs: Vec<String>,
    /// The task, if it is valid.
    #[serde(skip)]
    task: Option<Value>,
}

pub fn run(args: &Args) -> Result<ExitCode> {
    let from = |zone: &TimeZone| args.from.as_ref().map_or_else(|| Clock::System.now(), |from| from.in_zone(zone));
    let mut checked = Vec::new();
    for file in &input::files(&[&args.files[..], &args.filename[..]].concat())? {
        match input::documents(file, "check") {
            Ok(documents) => {
                let before = checked.len();
                let documents = documents.into_iter();
                checked.extend(documents.filter_map(|document| check(document.place, document.value, &from)));
                if checked.len() == before {
                    let error = "contains no ScheduledTask and no CronJob".to_owned();
                    checked.push(Checked::invalid(None, input::display_name(file), vec![error]));
                }
            }
            Err(error) => {
                let name = input::display_name(file);
                // The line begins with the name of the file.
                let error = error.root_cause().to_string();
                let error = error.strip_prefix(&name).map_or(error.as_str(), str::trim_start).to_owned();
                checked.push(Checked::invalid(None, name, vec![error]));
            }
        }
    }
    if args.server {
        ask_server(&mut checked, &args.target)?;
    }
    match args.output {
        Some(format) => output::print(&output::format(&checked, format)?)?,
        None => output::print(&lines(&checked))?,
    }
    if !args.server && args.output.is_none() && checked.iter().any(|checked| checked.errors.is_empty()) {
        output::print_error(UNKNOWN);
    }
    let failed = checked.iter().any(|checked| !checked.errors.is_empty());
    Ok(if failed { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

/// Adds what the API server says to the tasks that are valid so far.
fn ask_server(checked: &mut [Checked], target: &Target) -> Result<()> {
    cluster::block_on(async {
        let cluster = target.connect().await?;
        for checked in checked {
            if let Some(task) = &checked.task {
                checked.errors = server::errors(&cluster, task).await?;
            }
        }
        Ok(())
    })
}

impl Checked {
    fn invalid(name: Option<String>, document: String, errors: Vec<String>) -> Self {
        Self {
            name,
            document,
            errors,
            warnings: Vec::new(),
            next_runs: Vec::new(),
            task: None,
        }
    }
}

/// Checks a document; `None` if it is of another kind.
fn check(place: String, value: Result<Value>, from: &dyn Fn(&TimeZone) -> Timestamp) -> Option<Checked> {
    let mut manifest = match value {
        Ok(manifest) => manifest,
        Err(error) => return Some(Checked::invalid(None, place, vec![format!("{error:#}")])),
    };
    let name = manifest::name(&manifest).map(str::to_owned);
    let mut unknown = Vec::new();
    match manifest::kind(&manifest) {
        Ok(Kind::Task) => {}
        Ok(Kind::CronJob) => {
            unknown = manifest::unknown_cron_job_fields(&manifest);
            manifest = convert::task(&manifest);
        }
        Ok(Kind::Other) => return None,
        Err(error) => return Some(Checked::invalid(name, place, vec![format!("{error:#}")])),
    }
    let key = manifest::key(&manifest);
    match validate(&manifest, &key, unknown) {
        Err(errors) => Some(Checked::invalid(name, place, errors)),
        Ok((fields, schedule)) => {
            let now = from(schedule.time_zone());
            let starts = schedule.slots(schedule.started_by(now)).map(|slot| schedule.starts_at(slot));
            Some(Checked {
                name,
                document: place,
                errors: Vec::new(),
                warnings: warnings::warnings(&fields, &key, now),
                next_runs: starts.take(NEXT_RUNS).map(|start| start.to_string()).collect(),
                task: Some(manifest),
            })
        }
    }
}

/// The spec and its schedule, or all errors; `unknown` are those about unknown fields of a CronJob.
fn validate(manifest: &Value, key: &str, unknown: Vec<String>) -> Result<(ScheduledTaskSpec, Schedule), Vec<String>> {
    let mut errors: Vec<String> = admission::validate_name(manifest).into_iter().collect();
    let read = manifest::spec(manifest).map_err(|invalid| errors.extend(invalid)).ok();
    errors.extend(unknown);
    let Some(fields) = read.filter(|_| errors.is_empty()) else {
        return Err(errors);
    };
    match manifest::scheduled(fields, key) {
        Ok((spec, schedule)) => Ok((spec.fields, schedule)),
        Err(error) => Err(vec![error]),
    }
}

/// A line for each error and warning, and one for each document without errors.
fn lines(checked: &[Checked]) -> String {
    let mut text = String::new();
    for Checked {
        name,
        document,
        errors,
        warnings,
        next_runs,
        ..
    } in checked
    {
        let subject = match name {
            Some(name) => format!("{document} ({name})"),
            None => document.clone(),
        };
        let subject = printable(&subject);
        for (level, messages) in [("error", errors), ("warning", warnings)] {
            for message in messages {
                let _ = writeln!(text, "{level}: {subject}: {}", output::one_line(message));
            }
        }
        if errors.is_empty() {
            let next = next_runs.first().map_or("no further run".into(), |next| format!("next run {next}"));
            let _ = writeln!(text, "ok: {subject}: {next}");
        }
    }
    text
}
