//! `punctual preview`: prints the next slots of manifests or expressions, without a cluster.
//!
//! The slots come from the controller's code, and errors are those of admission. The exit code is 1 if any document was invalid.

use super::argument;
use super::duration;
use super::input::{self, Document};
use super::manifest::{self, Kind};
use super::moment::Moment;
use super::output::{self, Out};
use crate::api::{self, Gap, Overlap, ScheduledTaskSpec, printable};
use crate::plan::Spec;
use crate::schedule::Schedule;
use anyhow::{Result, anyhow, bail};
use jiff::tz::TimeZone;
use jiff::{Timestamp, Zoned};
use serde::Serialize;
use serde_json::{Value, json};
use std::io;
use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::process::ExitCode;

#[derive(clap::Args, Debug)]
pub struct Args {
    /// Manifests to read, YAML or JSON, ScheduledTask or CronJob, or directories of them; `-` reads standard input
    #[arg(value_name = "FILE", conflicts_with = "schedule", required_unless_present_any = ["schedule", "filename"])]
    files: Vec<PathBuf>,
    /// The same as a flag, as in kubectl; can be given several times
    #[arg(short, long, value_name = "FILE", conflicts_with = "schedule")]
    filename: Vec<PathBuf>,
    /// A schedule to show instead of a manifest; can be given several times
    #[arg(long, value_name = "EXPR", allow_hyphen_values = true)]
    schedule: Vec<String>,
    /// Time zone of --schedule. Default: UTC
    #[arg(long, value_name = "ZONE", allow_hyphen_values = true, conflicts_with_all = ["filename", "files"])]
    time_zone: Option<String>,
    /// Name of the task of --schedule, from which H is hashed
    #[arg(long, value_name = "[NAMESPACE/]NAME", conflicts_with_all = ["filename", "files"])]
    name: Option<String>,
    /// What happens to a slot of --schedule at a local time that clocks skip: RunAfter or Skip
    #[arg(long, value_name = "POLICY", conflicts_with_all = ["filename", "files"], default_value = "RunAfter", value_parser = ["RunAfter", "Skip"])]
    gap: String,
    /// What happens to a slot of --schedule at a local time that clocks repeat: First or Both
    #[arg(long, value_name = "POLICY", conflicts_with_all = ["filename", "files"], default_value = "First", value_parser = ["First", "Both"])]
    overlap: String,
    /// Show slots after this time: a date or local time in the task's zone, or RFC 3339. Default: now
    #[arg(long, value_name = "TIME")]
    from: Option<Moment>,
    /// Show slots up to this time, inclusive; a date means its beginning
    #[arg(long, value_name = "TIME")]
    until: Option<Moment>,
    /// Maximum number of slots to show. Default: 10, or all up to --until
    #[arg(long, value_name = "N", value_parser = count)]
    count: Option<NonZeroUsize>,
    /// Output format; json prints one line for each document
    #[arg(short, long, value_enum, default_value_t)]
    output: Output,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
enum Output {
    #[default]
    Table,
    Json,
}

fn count(text: &str) -> Result<NonZeroUsize, String> {
    text.parse().map_err(|_| "use a number of at least 1".to_owned())
}

/// A task to show: its name, and its schedule or what is wrong with it.
struct Task {
    name: String,
    scheduled: Result<(Spec, Schedule)>,
}

/// A slot as `-o json` writes it.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Slot {
    slot: Timestamp,
    local: String,
    starts_at: Timestamp,
}

pub fn run(args: &Args) -> Result<ExitCode> {
    let now = crate::clock::Clock::System.now();
    let Period { from, until } = period(args, now, &TimeZone::UTC);
    if let Some(until) = until.filter(|until| *until <= from) {
        let message = format!("--until {until} is not after --from {from}\n");
        clap::Error::raw(clap::error::ErrorKind::ValueValidation, message).exit();
    }
    let tasks = tasks(args)?;
    let mut failed = false;
    let mut out = Out::open();
    let mut written = Ok(());
    for (number, Task { name, scheduled }) in tasks.iter().enumerate() {
        failed |= scheduled.is_err();
        written = match (args.output, scheduled) {
            (Output::Json, Ok((spec, schedule))) => json_line(&mut out, name, spec, schedule, slots(schedule, now, args)),
            (Output::Json, Err(error)) => json_error(&mut out, name, error),
            (Output::Table, Ok((spec, schedule))) => table(&mut out, number, name, spec, schedule, slots(schedule, now, args)),
            (Output::Table, Err(error)) => out.flush().map(|()| output::print_error(&format!("error: {name}: {error:#}"))),
        };
        if written.is_err() {
            break;
        }
    }
    output::ignore_closed_pipe(written.and_then(|()| out.flush()))?;
    Ok(if failed { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

fn tasks(args: &Args) -> Result<Vec<Task>> {
    let expressions = args.schedule.iter().map(|expression| Task {
        name: expression.clone(),
        scheduled: of_expression(expression, args).map_err(|error| {
            let text = format!("{error:#}");
            let hint = if argument::is_file(expression) {
                ": for a file, leave --schedule out"
            } else {
                ""
            };
            anyhow!(
                "{}{hint}",
                text.trim_start_matches("spec.schedule: ").trim_start_matches("spec.timeZone: ")
            )
        }),
    });
    let mut tasks: Vec<Task> = expressions.collect();
    for file in input::files(&[&args.files[..], &args.filename[..]].concat())? {
        tasks.extend(
            input::documents(&file, "preview")?
                .into_iter()
                .map(|Document { place, value, .. }| {
                    let name = value.as_ref().ok().and_then(manifest::name).map(str::to_owned);
                    Task {
                        name: name.unwrap_or(place),
                        scheduled: value.and_then(of_manifest),
                    }
                }),
        );
    }
    Ok(tasks)
}

fn of_expression(expression: &str, args: &Args) -> Result<(Spec, Schedule)> {
    let spec = json!({
        "schedule": expression,
        "timeZone": args.time_zone,
        "daylightSaving": {"gap": args.gap, "overlap": args.overlap},
        "jobTemplate": {"spec": {"template": {"spec": {"restartPolicy": "Never", "containers": [{"name": "none"}]}}}},
    });
    let fields = manifest::spec(&json!({"spec": spec})).map_err(|errors| anyhow!(errors.join("; ")))?;
    let name = args.name.as_deref().unwrap_or_default();
    let key = if name.is_empty() || name.contains('/') {
        name.to_owned()
    } else {
        format!("default/{name}")
    };
    manifest::scheduled(fields, &key).map_err(|error| anyhow!(error))
}

fn of_manifest(mut manifest: Value) -> Result<(Spec, Schedule)> {
    let kind = manifest::kind(&manifest)?;
    let mut unknown = Vec::new();
    match kind {
        Kind::Task => {}
        Kind::CronJob => {
            manifest.as_object_mut().map(|fields| fields.remove("status"));
            unknown = manifest::unknown_cron_job_fields(&manifest);
        }
        Kind::Other => bail!(
            "kind {:?} has no schedule: expected ScheduledTask or CronJob",
            manifest.get("kind").and_then(Value::as_str).unwrap_or_default()
        ),
    }
    let mut fields = match manifest::spec(&manifest) {
        Ok(fields) if unknown.is_empty() => fields,
        Ok(_) => bail!("{}", unknown.join("; ")),
        Err(errors) => bail!("{}", [errors, unknown].concat().join("; ")),
    };
    if kind == Kind::CronJob {
        // CronJob's behaviour when clocks change, so that the preview is right about it.
        fields.daylight_saving = Some(api::DaylightSaving {
            gap: Gap::Skip,
            overlap: Overlap::Both,
        });
    }
    manifest::scheduled(fields, &manifest::key(&manifest)).map_err(|error| anyhow!(error))
}

/// What is shown of a schedule.
struct Period {
    from: Timestamp,
    until: Option<Timestamp>,
}

/// The period of the flags in this zone.
fn period(args: &Args, now: Timestamp, zone: &TimeZone) -> Period {
    Period {
        from: args.from.as_ref().map_or(now, |from| from.in_zone(zone)),
        until: args.until.as_ref().map(|until| until.in_zone(zone)),
    }
}

fn slots<'a>(schedule: &'a Schedule, now: Timestamp, args: &Args) -> impl Iterator<Item = Zoned> + use<'a> {
    let Period { from, until } = period(args, now, schedule.time_zone());
    let all = if until.is_some() { usize::MAX } else { 10 };
    let count = args.count.map_or(all, NonZeroUsize::get);
    let until = until.unwrap_or(Timestamp::MAX);
    let slots = schedule.slots(from).take_while(move |slot| *slot <= until).take(count);
    slots.map(|slot| slot.to_zoned(schedule.time_zone().clone()))
}

/// Writes slot by slot: a year of seconds does not fit into memory comfortably.
fn json_line(out: &mut Out, name: &str, spec: &Spec, schedule: &Schedule, slots: impl Iterator<Item = Zoned>) -> io::Result<()> {
    out.write("{\"name\":")?;
    out.json(&name)?;
    out.write(",\"timeZone\":")?;
    out.json(&spec.fields.zone())?;
    out.write(",\"slots\":[")?;
    for (number, local) in slots.enumerate() {
        let slot = local.timestamp();
        let slot = Slot {
            slot,
            local: local.to_string(),
            starts_at: schedule.starts_at(slot),
        };
        out.write(if number > 0 { "," } else { "" })?;
        out.json(&slot)?;
    }
    out.write("]}\n")
}

fn json_error(out: &mut Out, name: &str, error: &anyhow::Error) -> io::Result<()> {
    out.write("{\"name\":")?;
    out.json(&name)?;
    out.write(",\"error\":")?;
    out.json(&format!("{error:#}"))?;
    out.write("}\n")
}

fn table(out: &mut Out, number: usize, name: &str, spec: &Spec, schedule: &Schedule, slots: impl Iterator<Item = Zoned>) -> io::Result<()> {
    if number > 0 {
        out.write("\n")?;
    }
    let suspended = if spec.fields.suspend { " (suspended)" } else { "" };
    let head = format!("{name}: {} in {}{suspended}", spec.fields.schedule_text(), spec.fields.zone());
    out.write(&format!("{}\n", printable(&head)))?;
    for line in bounds(&spec.fields) {
        out.write(&format!("  {}\n", printable(&line)))?;
    }
    let mut slots = slots.peekable();
    if slots.peek().is_none() {
        return out.write("no slots in this period\n");
    }
    let jitter = spec.fields.jitter.is_some();
    let starts = |text: &str| if jitter { format!("{text:<22}") } else { String::new() };
    out.write(&format!("{:<22}{}{:<38}NOTE\n", "SLOT", starts("STARTS"), "LOCAL"))?;
    for local in slots {
        let slot = local.timestamp();
        let starts = starts(&schedule.starts_at(slot).to_string());
        let shown = local.strftime("%a %Y-%m-%d %H:%M:%S %:z %Z").to_string();
        let line = format!("{:<22}{starts}{shown:<38}{}", slot.to_string(), note(&local));
        out.write(&format!("{}\n", line.trim_end()))?;
    }
    Ok(())
}

/// The other fields that decide about slots, a line each.
fn bounds(fields: &ScheduledTaskSpec) -> Vec<String> {
    let mut lines = Vec::new();
    if let Some(at) = &fields.start_at {
        lines.push(format!("startAt: {}", at.0));
    }
    if let Some(at) = &fields.end_at {
        lines.push(format!("endAt: {}", at.0));
    }
    for exclusion in &fields.exclude {
        let text = |part: &Option<String>| part.clone().unwrap_or_default();
        lines.push(match &exclusion.schedule {
            Some(schedule) => format!("exclude: {}", schedule.trim()),
            None => format!("exclude: {} until {}", text(&exclusion.from), text(&exclusion.until)),
        });
    }
    if let Some(jitter) = fields.jitter {
        lines.push(format!("jitter: up to {}", duration::exact(jitter.into())));
    }
    lines
}

/// Whether clocks change on this day.
fn note(local: &Zoned) -> &'static str {
    let (Ok(start), Ok(end)) = (local.start_of_day(), local.tomorrow().and_then(|day| day.start_of_day())) else {
        return "";
    };
    match start.offset().cmp(&end.offset()) {
        std::cmp::Ordering::Less => "clocks go forward on this day",
        std::cmp::Ordering::Greater => "clocks go back on this day",
        std::cmp::Ordering::Equal => "",
    }
}
