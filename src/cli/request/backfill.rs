//! `punctual backfill`: requests runs for the slots of an interval in the past.
//!
//! A request that the operator would refuse is not made.

use super::annotate::{annotate, exit_code, print_line, print_objects};
use crate::api::BACKFILL;
use crate::cli::argument;
use crate::cli::cluster::{self, Target};
use crate::cli::output::Format;
use crate::cli::task::Task;
use crate::clock::Clock;
use crate::{plan, schedule};
use anyhow::{Result, anyhow, bail};
use jiff::{SignedDuration, Timestamp};
use std::process::ExitCode;

#[derive(clap::Args, Debug)]
pub struct Backfill {
    /// Name of the task
    #[arg(value_name = "NAME", value_parser = argument::task_name)]
    name: String,
    /// The interval, without its end: two dates, local times in the task's zone or RFC 3339 times, one of which may be a
    /// duration such as P7D
    #[arg(value_name = "FROM/UNTIL")]
    interval: String,
    /// Print the object
    #[arg(short, long, value_enum)]
    output: Option<Format>,
    #[command(flatten)]
    pub target: Target,
}

pub fn backfill(args: &Backfill) -> Result<ExitCode> {
    cluster::block_on(async {
        let cluster = args.target.connect().await?;
        let name = cluster::bare_name(&args.name);
        let object = cluster.tasks().get(name).await.map_err(|error| cluster.error(error))?;
        let task = Task::of(cluster::as_kubectl_shows(object)?);
        let (value, description) = request(&task, &args.interval, Clock::System.now()).map_err(|error| anyhow!("{name}: {error}"))?;
        let object = annotate(&cluster, name, BACKFILL, &value).await?;
        print_line(
            args.output,
            &format!("{} backfill requested: {description}", cluster::full_name(name)),
        )?;
        print_objects(args.output, vec![object])?;
        Ok(exit_code(false))
    })
}

/// The value of the annotation, and a description of the request.
fn request(task: &Task, interval: &str, now: Timestamp) -> Result<(String, String)> {
    let interval = interval.trim();
    let Some(fields) = &task.fields else {
        bail!("the spec is invalid: fix it first");
    };
    if task.status.is_none() {
        bail!(
            "no Punctual operator has processed this task yet, and it ignores requests that are older than its first reconciliation: try again in a moment"
        );
    }
    let schedule = plan::schedule_of(&fields.observed_schedule(), &task.key())?;
    let (from, until) = schedule::interval(interval, schedule.time_zone()).map_err(|error| anyhow!(error))?;
    if until > now {
        bail!("the interval ends at {until}, in the future: end it at or before now");
    }
    let before = |at: Timestamp| at.checked_sub(SignedDuration::from_nanos(1)).unwrap_or(at);
    let slots = schedule.count(before(from), before(until));
    let most = fields.longest_backfill();
    if slots == 0 {
        bail!("the schedule has no slots from {from} to {until}");
    }
    if slots > most {
        bail!("the interval has {slots} slots, but backfillLimit is {most}: request a shorter interval, or raise the limit");
    }
    let noun = if slots == 1 { "slot" } else { "slots" };
    let description = format!("{slots} {noun} from {from} to {until}");
    let known = task.annotation(BACKFILL).unwrap_or_default();
    if known.trim() != interval {
        return Ok((interval.to_owned(), description));
    }
    let handled = task.status.as_ref().and_then(|status| status.last_handled_backfill.as_deref());
    let in_progress = task.status.as_ref().is_some_and(|status| status.backfill.is_some());
    if in_progress || handled != Some(known) {
        bail!("this backfill is already in progress");
    }
    // Only a different value is a new request; a space does not change the interval.
    let again = if known == interval {
        format!("{interval} ")
    } else {
        interval.to_owned()
    };
    Ok((again, description))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::task::tests::task;
    use serde_json::{Value, json};

    const WEEK: &str = "2026-11-01/2026-11-08";

    fn ask(interval: &str, annotation: Option<&str>, status: Value) -> Result<(String, String), String> {
        let mut task = task("x", json!({"backfillLimit": 7}), status);
        if let Some(annotation) = annotation {
            task.object["metadata"]["annotations"] = json!({BACKFILL: annotation});
        }
        let now = "2026-11-23T12:00:00Z".parse().unwrap();
        request(&task, interval, now).map_err(|error| error.to_string())
    }

    #[test]
    fn a_request_describes_its_slots_in_the_zone_of_the_task() {
        let description = "7 slots from 2026-10-31T23:00:00Z to 2026-11-07T23:00:00Z".to_owned();
        assert_eq!(ask(WEEK, None, json!({})), Ok((WEEK.into(), description.clone())));
        assert_eq!(ask(WEEK, Some("2026-10-01/P1D"), json!({})), Ok((WEEK.into(), description.clone())));
        // The same interval again, after it is done.
        let done = json!({"lastHandledBackfill": WEEK});
        assert_eq!(ask(WEEK, Some(WEEK), done), Ok((format!("{WEEK} "), description.clone())));
        let done = json!({"lastHandledBackfill": format!("{WEEK} ")});
        assert_eq!(ask(WEEK, Some(&format!("{WEEK} ")), done), Ok((WEEK.into(), description)));
    }

    #[test]
    fn what_the_operator_would_refuse_is_not_requested() {
        for (interval, says) in [
            ("yesterday", "invalid interval \"yesterday\": use <from>/<until>"),
            (
                "2026-11-22/2026-11-24",
                "the interval ends at 2026-11-23T23:00:00Z, in the future: end it at or before now",
            ),
            (
                "2026-11-01/PT1H",
                "the schedule has no slots from 2026-10-31T23:00:00Z to 2026-11-01T00:00:00Z",
            ),
            (
                "2026-11-01/2026-11-09",
                "the interval has 8 slots, but backfillLimit is 7: request a shorter interval, or raise the limit",
            ),
        ] {
            let said = ask(interval, None, json!({})).unwrap_err();
            assert!(said.starts_with(says), "{interval}: {said}");
        }
        assert!(
            ask(WEEK, None, Value::Null)
                .unwrap_err()
                .starts_with("no Punctual operator has processed this task yet")
        );
        let in_progress = json!({"lastHandledBackfill": WEEK, "backfill": {"from": "2026-11-02T00:00:00Z", "until": "2026-11-08T00:00:00Z", "remaining": 6}});
        assert_eq!(
            ask(WEEK, Some(WEEK), in_progress).unwrap_err(),
            "this backfill is already in progress"
        );
        assert_eq!(
            ask(WEEK, Some(WEEK), json!({})).unwrap_err(),
            "this backfill is already in progress"
        );
    }
}
