//! The slots of `punctual::schedule`, checked against recorded answers of others and brute force.
//!
//! | file | checked against |
//! |---|---|
//! | `accept` | 2,196 recorded decisions to accept or refuse (`tests/cron/cron-accept.tsv`) |
//! | `admission` | the CEL rules of the CRD and the parser: they must agree on jitter |
//! | `calendar` | jiff's calendar, each day from 1970 to 2100: `L`, `W` and `#` |
//! | `daylight` | a scan of every minute (`oracle`), and cases by hand: Z1 to Z4 of the acceptance list |
//! | `bounds` | cases by hand: phase, impossible dates, windows, years of downtime (D5, S5, M1, M2) |
//! | `definitions` | brute force, second by second: unions, exclusions, life; jitter |
//! | `properties` | proptest: next, latest, previous and count agree; no input panics |
//! | `rare` | a scan of each day from 1970 to 2100: unions and exclusions with rare slots |
//! | `refusals` | definitions by hand: messages, unions, exclusions, life, `H` and jitter (S5) |
//!
//! The recorded answers of robfig/cron are checked in `src/schedule/golden_tests.rs`.

#[path = "schedule/accept.rs"]
mod accept;
#[path = "schedule/admission.rs"]
mod admission;
#[path = "schedule/bounds.rs"]
mod bounds;
#[path = "schedule/calendar.rs"]
mod calendar;
#[path = "schedule/daylight.rs"]
mod daylight;
#[path = "schedule/definitions.rs"]
mod definitions;
#[path = "schedule/oracle.rs"]
mod oracle;
#[path = "schedule/properties.rs"]
mod properties;
#[path = "schedule/rare.rs"]
mod rare;
#[path = "schedule/refusals.rs"]
mod refusals;

use jiff::Timestamp;
use punctual::schedule::{DaylightSaving, Gap, Overlap, Schedule};

/// What CronJob does: it follows the plain wall clock.
const CRON_JOB: DaylightSaving = DaylightSaving {
    gap: Gap::Skip,
    overlap: Overlap::Both,
};

/// A schedule with the default policy.
fn schedule(expression: &str, zone: &str) -> Schedule {
    Schedule::parse(expression, zone, DaylightSaving::default()).unwrap()
}

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}
