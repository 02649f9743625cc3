//! `punctual check`: what is wrong with a manifest, and what is worth a thought, before it is applied and without a cluster.
//!
//! Takes manifests, gives a line for each error and each hint. Errors are what admission and the controller say; hints never change
//! the exit code. A CronJob is checked as the ScheduledTask that it would become; other kinds are passed over.

mod herd;
mod hints;

use super::manifest::{self, Kind};
use super::output::{self, Format};
use super::{convert, stream};
use crate::api::{self, ScheduledTaskSpec, printable};
use crate::clock::Clock;
use crate::schedule::Schedule;
use anyhow::Result;
use jiff::Timestamp;
use serde::Serialize;
use serde_json::Value;
use std::fmt::Write;
use std::path::PathBuf;
use std::process::ExitCode;

#[derive(clap::Args, Debug)]
pub struct Args {
    /// Manifests to read, YAML or JSON; `-` reads standard input; can be given several times
    #[arg(short, long, value_name = "FILE", required = true)]
    filename: Vec<PathBuf>,
    /// Hints and next runs are those after this moment, RFC 3339. Default: now
    #[arg(long, value_name = "TIME")]
    from: Option<Timestamp>,
    /// A list for machines instead of lines
    #[arg(short, long, value_enum)]
    output: Option<Format>,
}

/// How many next runs are listed, as in status.
const NEXT_RUNS: usize = 5;

/// What is said of one document.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Checked {
    /// Name of the task, if the document has one.
    name: Option<String>,
    /// Such as `tasks.yaml, document 2`.
    document: String,
    errors: Vec<String>,
    hints: Vec<String>,
    /// When runs will start, in UTC.
    next_runs: Vec<String>,
}

pub fn run(args: &Args) -> Result<ExitCode> {
    let now = args.from.unwrap_or_else(|| Clock::System.now());
    let mut checked = Vec::new();
    for file in &args.filename {
        match stream::documents(file) {
            Ok(documents) => {
                let before = checked.len();
                let all = documents.into_iter();
                checked.extend(all.filter_map(|document| check(document.place, document.value, now)));
                if checked.len() == before {
                    let nothing = "holds no ScheduledTask and no CronJob".to_owned();
                    checked.push(Checked::wrong(None, stream::shown(file), vec![nothing]));
                }
            }
            Err(error) => {
                let shown = stream::shown(file);
                // The line begins with the file.
                let says = error.root_cause().to_string();
                let says = says.strip_prefix(&shown).map_or(says.as_str(), str::trim_start).to_owned();
                checked.push(Checked::wrong(None, shown, vec![says]));
            }
        }
    }
    match args.output {
        Some(format) => output::print(&output::format(&checked, format)?)?,
        None => output::print(&lines(&checked))?,
    }
    let wrong = checked.iter().any(|checked| !checked.errors.is_empty());
    Ok(if wrong { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

impl Checked {
    fn wrong(name: Option<String>, document: String, errors: Vec<String>) -> Self {
        Self {
            name,
            document,
            errors,
            hints: Vec::new(),
            next_runs: Vec::new(),
        }
    }
}

/// What is said of a document; `None` if it is of a kind that is not ours.
fn check(place: String, value: Result<Value>, now: Timestamp) -> Option<Checked> {
    let mut manifest = match value {
        Ok(manifest) => manifest,
        Err(error) => return Some(Checked::wrong(None, place, vec![format!("{error:#}")])),
    };
    let name = manifest::name(&manifest).map(str::to_owned);
    let mut foreign = Vec::new();
    match manifest::kind(&manifest) {
        Ok(Kind::Task) => {}
        Ok(Kind::CronJob) => {
            foreign = manifest::not_of_a_cron_job(&manifest);
            manifest = convert::task(&manifest);
        }
        Ok(Kind::Other) => return None,
        Err(error) => return Some(Checked::wrong(name, place, vec![format!("{error:#}")])),
    }
    let key = manifest::key(&manifest);
    match read(&manifest, &key, foreign) {
        Err(errors) => Some(Checked::wrong(name, place, errors)),
        Ok((fields, schedule)) => {
            let starts = schedule.slots(schedule.started_by(now)).map(|slot| schedule.starts_at(slot));
            Some(Checked {
                name,
                document: place,
                errors: Vec::new(),
                hints: hints::hints(&fields, &key, now),
                next_runs: starts.take(NEXT_RUNS).map(|start| start.to_string()).collect(),
            })
        }
    }
}

fn read(manifest: &Value, key: &str, foreign: Vec<String>) -> Result<(ScheduledTaskSpec, Schedule), Vec<String>> {
    let mut errors: Vec<String> = api::name_refusal(manifest).into_iter().collect();
    let read = manifest::spec(manifest).map_err(|refusals| errors.extend(refusals)).ok();
    errors.extend(foreign);
    let Some(fields) = read.filter(|_| errors.is_empty()) else {
        return Err(errors);
    };
    match manifest::planned(fields, key) {
        Ok((spec, schedule)) => Ok((spec.fields, schedule)),
        Err(error) => Err(vec![error]),
    }
}

/// A line for each error and hint, and one for each document that has no error.
fn lines(checked: &[Checked]) -> String {
    let mut text = String::new();
    for Checked {
        name,
        document,
        errors,
        hints,
        next_runs,
    } in checked
    {
        let subject = match name {
            Some(name) => format!("{document} ({name})"),
            None => document.clone(),
        };
        let subject = printable(&subject);
        for (word, says) in [("error", errors), ("hint", hints)] {
            for says in says {
                let _ = writeln!(text, "{word}: {subject}: {}", output::one_line(says));
            }
        }
        if errors.is_empty() {
            let next = next_runs.first().map_or("no run is left".into(), |next| format!("next run {next}"));
            let _ = writeln!(text, "ok: {subject}: {next}");
        }
    }
    text
}
