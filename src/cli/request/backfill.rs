//! `punctual backfill`: the slots of an interval of the past, run (again).
//!
//! Takes a task and an interval, asks for it, unless it can be known that the operator would refuse. Pure but for two requests.

use super::{annotate, exit, say, show};
use crate::api::BACKFILL;
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
    #[arg(value_name = "NAME")]
    name: String,
    /// The interval, its end not included: two dates, local times in the task's zone or RFC 3339 instants, one of which may be a
    /// duration such as P7D
    #[arg(value_name = "FROM/UNTIL")]
    interval: String,
    /// The object instead of words
    #[arg(short, long, value_enum)]
    output: Option<Format>,
    #[command(flatten)]
    target: Target,
}

pub fn backfill(args: &Backfill) -> Result<ExitCode> {
    cluster::block_on(async {
        let cluster = args.target.connect().await?;
        let name = cluster::bare_name(&args.name);
        let object = cluster.tasks().get(name).await.map_err(|error| cluster.said(error))?;
        let task = Task::of(cluster::as_kubectl_shows(object)?);
        let (value, wanted) = request(&task, &args.interval, Clock::System.now()).map_err(|error| anyhow!("{name}: {error}"))?;
        let object = annotate(&cluster, name, BACKFILL, &value).await?;
        say(args.output, &format!("{} backfill requested: {wanted}", cluster::full_name(name)))?;
        show(args.output, vec![object])?;
        Ok(exit(false))
    })
}

/// The value of the annotation, and what it asks for in words.
fn request(task: &Task, interval: &str, now: Timestamp) -> Result<(String, String)> {
    let interval = interval.trim();
    let Some(fields) = &task.fields else {
        bail!("its spec cannot be read: mend it first");
    };
    if task.status.is_none() {
        bail!("no operator has seen it yet, and its first look forgets older requests; ask again in a moment");
    }
    let schedule = plan::schedule_of(&fields.observed_schedule(), &task.key())?;
    let (from, until) = schedule::interval(interval, schedule.time_zone()).map_err(|error| anyhow!(error))?;
    if until > now {
        bail!("the interval ends at {until}, and only the past can be filled; end it at or before now");
    }
    let before = |at: Timestamp| at.checked_sub(SignedDuration::from_nanos(1)).unwrap_or(at);
    let slots = schedule.count(before(from), before(until));
    let most = fields.longest_backfill();
    if slots == 0 {
        bail!("the schedule names no slot from {from} to {until}");
    }
    if slots > most {
        bail!("the interval has {slots} slots, and backfillLimit is {most}; ask for a shorter one, or raise the limit");
    }
    let noun = if slots == 1 { "slot" } else { "slots" };
    let wanted = format!("{slots} {noun} from {from} to {until}");
    let known = task.annotation(BACKFILL).unwrap_or_default();
    if known.trim() != interval {
        return Ok((interval.to_owned(), wanted));
    }
    let handled = task.status.as_ref().and_then(|status| status.last_handled_backfill.as_deref());
    let going_on = task.status.as_ref().is_some_and(|status| status.backfill.is_some());
    if going_on || handled != Some(known) {
        bail!("this backfill is in progress already");
    }
    // Only another value is another request, and blanks are none of the interval's.
    let again = if known == interval {
        format!("{interval} ")
    } else {
        interval.to_owned()
    };
    Ok((again, wanted))
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
    fn a_request_says_how_many_slots_it_asks_for_in_the_zone_of_the_task() {
        let wanted = "7 slots from 2026-10-31T23:00:00Z to 2026-11-07T23:00:00Z".to_owned();
        assert_eq!(ask(WEEK, None, json!({})), Ok((WEEK.into(), wanted.clone())));
        assert_eq!(ask(WEEK, Some("2026-10-01/P1D"), json!({})), Ok((WEEK.into(), wanted.clone())));
        // The same again, when it is done: another value, the same interval.
        let done = json!({"lastHandledBackfill": WEEK});
        assert_eq!(ask(WEEK, Some(WEEK), done), Ok((format!("{WEEK} "), wanted.clone())));
        let done = json!({"lastHandledBackfill": format!("{WEEK} ")});
        assert_eq!(ask(WEEK, Some(&format!("{WEEK} ")), done), Ok((WEEK.into(), wanted)));
    }

    #[test]
    fn what_the_operator_would_refuse_is_refused_at_once() {
        for (interval, says) in [
            ("yesterday", "invalid interval \"yesterday\": use <from>/<until>"),
            (
                "2026-11-22/2026-11-24",
                "the interval ends at 2026-11-23T23:00:00Z, and only the past can be filled",
            ),
            (
                "2026-11-01/PT1H",
                "the schedule names no slot from 2026-10-31T23:00:00Z to 2026-11-01T00:00:00Z",
            ),
            (
                "2026-11-01/2026-11-09",
                "the interval has 8 slots, and backfillLimit is 7; ask for a shorter one, or raise the limit",
            ),
        ] {
            let said = ask(interval, None, json!({})).unwrap_err();
            assert!(said.starts_with(says), "{interval}: {said}");
        }
        assert!(ask(WEEK, None, Value::Null).unwrap_err().starts_with("no operator has seen it yet"));
        let going_on = json!({"lastHandledBackfill": WEEK, "backfill": {"from": "2026-11-02T00:00:00Z", "until": "2026-11-08T00:00:00Z", "remaining": 6}});
        assert_eq!(ask(WEEK, Some(WEEK), going_on).unwrap_err(), "this backfill is in progress already");
        assert_eq!(
            ask(WEEK, Some(WEEK), json!({})).unwrap_err(),
            "this backfill is in progress already"
        );
    }
}
