//! `punctual preview`: see it before it runs, from the same code as the controller, without a cluster.
//!
//! Takes manifests or expressions, gives the slots as a table or as lines of JSON. Exit 1 if any document was wrong.

use crate::api::{Gap, Overlap, ScheduledTaskSpec};
use crate::plan::Spec;
use crate::schedule::Schedule;
use anyhow::{Context, Result, bail};
use jiff::{Timestamp, Zoned};
use serde::Deserialize;
use serde_json::{Value, json};
use std::io::Read;
use std::path::PathBuf;
use std::process::ExitCode;

#[derive(clap::Args, Debug)]
pub struct Args {
    /// Manifests to read, YAML or JSON, ScheduledTask or CronJob; `-` reads standard input
    #[arg(short, long, value_name = "FILE", conflicts_with = "schedule", required_unless_present = "schedule")]
    filename: Option<PathBuf>,
    /// A cron expression to show instead of a manifest; can be given several times
    #[arg(long, value_name = "EXPR")]
    schedule: Vec<String>,
    /// Zone of --schedule
    #[arg(long, value_name = "ZONE", conflicts_with = "filename")]
    time_zone: Option<String>,
    /// What --schedule does with a time that the clock skips: RunAfter or Skip
    #[arg(long, value_name = "POLICY", conflicts_with = "filename", default_value = "RunAfter", value_parser = ["RunAfter", "Skip"])]
    gap: String,
    /// What --schedule does with a time that comes twice: First or Both
    #[arg(long, value_name = "POLICY", conflicts_with = "filename", default_value = "First", value_parser = ["First", "Both"])]
    overlap: String,
    /// Show slots after this moment, RFC 3339, exclusive. Default: now
    #[arg(long, value_name = "TIME")]
    from: Option<Timestamp>,
    /// Show slots up to this moment, RFC 3339, inclusive
    #[arg(long, value_name = "TIME")]
    until: Option<Timestamp>,
    /// How many slots to show at most. Default: 10, or all up to --until
    #[arg(long, value_name = "N")]
    count: Option<usize>,
    /// table, or json: one line for each document
    #[arg(short, long, value_enum, default_value_t)]
    output: Output,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
enum Output {
    #[default]
    Table,
    Json,
}

/// One document: its name, and its spec or what is wrong with it.
struct Document {
    name: String,
    spec: Result<Spec>,
}

/// One line of the answer.
struct Slot {
    at: Timestamp,
    local: Zoned,
}

pub fn run(args: &Args) -> Result<ExitCode> {
    let from = args.from.unwrap_or_else(|| crate::clock::Clock::System.now());
    let mut wrong = false;
    for (number, document) in documents(args)?.into_iter().enumerate() {
        let name = document.name;
        let shown = document.spec.and_then(|spec| Ok((spec.fields.suspend, slots(&schedule(&spec)?, from, args), spec)));
        wrong |= shown.is_err();
        match (args.output, shown) {
            (Output::Json, Ok((_, slots, spec))) => println!("{}", json_line(&name, &spec, &slots)),
            (Output::Json, Err(error)) => println!("{}", json!({"name": name, "error": format!("{error:#}")})),
            (Output::Table, Ok((suspended, slots, spec))) => {
                if number > 0 {
                    println!();
                }
                print_table(&name, &spec, &slots, suspended);
            }
            (Output::Table, Err(error)) => eprintln!("error: {name}: {error:#}"),
        }
    }
    Ok(if wrong { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

fn documents(args: &Args) -> Result<Vec<Document>> {
    let Some(file) = &args.filename else {
        return Ok(args.schedule.iter().map(|expression| Document { name: expression.clone(), spec: spec_of(expression, args) }).collect());
    };
    let mut text = String::new();
    if file.as_os_str() == "-" {
        std::io::stdin().read_to_string(&mut text).context("cannot read standard input")?;
    } else {
        text = std::fs::read_to_string(file).with_context(|| format!("cannot read {}", file.display()))?;
    }
    let mut documents = Vec::new();
    for document in serde_yaml::Deserializer::from_str(&text) {
        match Value::deserialize(document) {
            Ok(Value::Null) => {}
            Ok(value) => documents.extend(each(value)),
            Err(error) => {
                // YAML that does not parse ends the stream: what comes after it cannot be told apart.
                documents.push(Document { name: file.display().to_string(), spec: Err(anyhow::anyhow!("not valid YAML: {error}")) });
                break;
            }
        }
    }
    if documents.is_empty() {
        bail!("{} holds no document", file.display());
    }
    Ok(documents)
}

/// A document, or those inside a `List`.
fn each(value: Value) -> Vec<Document> {
    if value.get("kind").and_then(Value::as_str).is_some_and(|kind| kind.ends_with("List"))
        && let Some(items) = value.get("items").and_then(Value::as_array)
    {
        return items.iter().cloned().flat_map(each).collect();
    }
    let name = value.pointer("/metadata/name").and_then(Value::as_str).unwrap_or("(no name)").to_owned();
    vec![Document { spec: read(value), name }]
}

fn read(mut value: Value) -> Result<Spec> {
    let kind = value.get("kind").and_then(Value::as_str).unwrap_or_default().to_owned();
    let cron_job = match kind.as_str() {
        "ScheduledTask" => false,
        "CronJob" => true,
        "" => bail!("kind is missing: expected ScheduledTask or CronJob"),
        other => bail!("kind {other:?} has no schedule: expected ScheduledTask or CronJob"),
    };
    let spec = value.get_mut("spec").map(Value::take).context("spec is missing")?;
    let mut fields: ScheduledTaskSpec = serde_json::from_value(spec).context("spec cannot be read")?;
    if cron_job {
        // What CronJob does on the two nights a year, so that the preview tells the truth about it.
        fields.daylight_saving = Some(crate::api::DaylightSaving { gap: Gap::Skip, overlap: Overlap::Both });
    }
    Ok(Spec::new(fields))
}

fn spec_of(expression: &str, args: &Args) -> Result<Spec> {
    let spec = json!({
        "schedule": expression,
        "timeZone": args.time_zone,
        "daylightSaving": {"gap": args.gap, "overlap": args.overlap},
        "jobTemplate": {},
    });
    Ok(Spec::new(serde_json::from_value(spec)?))
}

fn schedule(spec: &Spec) -> Result<Schedule> {
    spec.schedule.clone().map_err(|error| anyhow::anyhow!("{error}"))
}

fn slots(schedule: &Schedule, from: Timestamp, args: &Args) -> Vec<Slot> {
    let count = args.count.unwrap_or(if args.until.is_some() { usize::MAX } else { 10 });
    let until = args.until.unwrap_or(Timestamp::MAX);
    let slots = schedule.slots(from).take_while(|slot| *slot <= until).take(count);
    slots.map(|at| Slot { at, local: at.to_zoned(schedule.time_zone().clone()) }).collect()
}

fn json_line(name: &str, spec: &Spec, slots: &[Slot]) -> Value {
    let slots: Vec<Value> = slots
        .iter()
        .map(|slot| json!({"slot": slot.at.to_string(), "local": slot.local.to_string(), "startsAt": slot.at.to_string()}))
        .collect();
    json!({"name": name, "timeZone": spec.fields.zone(), "slots": slots})
}

fn print_table(name: &str, spec: &Spec, slots: &[Slot], suspended: bool) {
    println!("{name}: {} in {}{}", spec.fields.schedule.trim(), spec.fields.zone(), if suspended { " (suspended: nothing starts)" } else { "" });
    if slots.is_empty() {
        println!("no slot in this stretch of time");
        return;
    }
    println!("{:<22}{:<38}NOTE", "SLOT", "LOCAL");
    for slot in slots {
        let local = slot.local.strftime("%a %Y-%m-%d %H:%M:%S %:z %Z").to_string();
        println!("{:<22}{local:<38}{}", slot.at.to_string(), note(&slot.local));
    }
}

/// What is special about the day: its clock changes.
fn note(local: &Zoned) -> &'static str {
    let (Ok(start), Ok(end)) = (local.start_of_day(), local.tomorrow().and_then(|day| day.start_of_day())) else { return "" };
    match start.offset().cmp(&end.offset()) {
        std::cmp::Ordering::Less => "clocks go forward this day",
        std::cmp::Ordering::Greater => "clocks go back this day",
        std::cmp::Ordering::Equal => "",
    }
}
