//! Each policy on a real control plane, alone: `scenarios/pairs.rs` in the plan tells what happens when they meet.
//!
//! Takes a task and a clock, gives what stands in Jobs, status and events. Never a wait for time to pass: the operator's clock is
//! set, and what must not happen is asked for when the operator rests.

mod backfill;
mod cleaning;
mod concurrency;
mod crashes;
mod limits;
mod pauses;
mod pending;
mod queue;
mod requests;
mod retries;
mod schedules;

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use punctual::api::{RunRecord, ScheduledTaskStatus};

/// This second by the real clock, which is the API server's: it tells when Jobs began, pods ended and deletions were asked for.
fn now() -> Timestamp {
    Timestamp::from_second(punctual::clock::Clock::System.now().as_second()).expect("a moment")
}

/// The next full minute but one. Where a policy counts from what the API server tells, the operator's clock begins near it.
fn soon() -> Timestamp {
    let now = now().as_second();
    Timestamp::from_second(now - now % 60 + 120).expect("a moment")
}

fn minutes(minutes: i64) -> SignedDuration {
    SignedDuration::from_mins(minutes)
}

fn seconds(seconds: i64) -> SignedDuration {
    SignedDuration::from_secs(seconds)
}

/// A schedule that names this moment, and then the same one of each day.
fn daily_at(slot: Timestamp) -> String {
    slot.to_zoned(TimeZone::UTC).strftime("%-M %-H * * *").to_string()
}

/// A schedule that names this moment, and then the same one of each hour.
fn hourly_at(slot: Timestamp) -> String {
    slot.to_zoned(TimeZone::UTC).strftime("%-M * * * *").to_string()
}

/// Outcome and reason of an entry, such as "Failed RunTimeout".
fn what(run: &RunRecord) -> String {
    format!("{} {}", run.outcome, run.reason)
}

/// The same of the newest entry; nothing if there is none.
fn newest(status: &ScheduledTaskStatus) -> String {
    status.recent_runs.first().map(what).unwrap_or_default()
}

/// Status and reason of a condition, such as "True TooManyFailures".
fn condition(status: &ScheduledTaskStatus, kind: &str) -> String {
    let known = status.condition(kind);
    known.map(|known| format!("{} {}", known.status, known.reason)).unwrap_or_default()
}
