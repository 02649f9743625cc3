//! When: the slots of `punctual::schedule`, judged by recorded answers of others and by brute force.
//!
//! | file | judge |
//! |---|---|
//! | `golden` | 2,350 recorded answers of robfig/cron, CronJob's parser (`tests/cron/cron-golden.tsv`) |
//! | `accept` | 2,196 recorded decisions to take or refuse (`tests/cron/cron-accept.tsv`) |
//! | `admission` | the CEL rules of the CRD, against the parser: jitter |
//! | `calendar` | jiff's calendar, each day from 1970 to 2100: `L`, `W` and `#` |
//! | `daylight` | Z1 to Z4 of the acceptance list: a scan of every minute (`oracle`), and cases by hand |
//! | `bounds` | D5, S5, M1, M2: phase, impossible dates, windows, years of downtime |
//! | `definitions` | brute force, second by second: unions, exclusions, life; jitter |
//! | `properties` | proptest: next, latest, previous and count agree; no input panics |
//! | `rare` | a scan of each day from 1970 to 2100: unions and exclusions whose slots lie far apart |
//! | `refusals` | definitions by hand: messages, S5, the rules of unions, exclusions, life, `H` and jitter |

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
#[path = "schedule/golden.rs"]
mod golden;
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

/// What CronJob does: the plain wall clock.
const CRON_JOB: DaylightSaving = DaylightSaving {
    gap: Gap::Skip,
    overlap: Overlap::Both,
};

/// A schedule under the default policy.
fn schedule(expression: &str, zone: &str) -> Schedule {
    Schedule::parse(expression, zone, DaylightSaving::default()).unwrap()
}

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}
