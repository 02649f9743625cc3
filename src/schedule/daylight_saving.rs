//! The daylight saving policy: what happens to wall-clock times that a change of the clock skips or repeats.
//!
//! For a period of constant offset it says which wall-clock times count in it, and which skipped ones are made up for at its
//! start. It does no matching.
//!
//! The rule is that of Debian's cron (`cron(8)`: "those jobs which would have run in the time that was skipped will be run soon
//! after the change", "those jobs that fall into the repeated time will not be re-run", "only jobs that run at a particular
//! time (not specified as @hourly, nor with '*' in the hour or minute specifier) are affected"):
//!
//! - A **wildcard** schedule has an item `*`, `?`, `*/n`, `?/n` or `N/n` (`N-max/n` in robfig/cron) in minute or hour, or items
//!   that cover one of these fields (`0-59`, `0-23`); so `@hourly` is one. Seconds do not matter, nor what the step selects
//!   (`0 */24 * * *` is a wildcard). It follows the wall clock whatever the policy: nothing is made up for and nothing is held
//!   back, so there is no hole and no burst. `@every` does not depend on the wall clock.
//! - Every other schedule is **fixed**, and the policy applies to it.
//! - All times of one schedule skipped by one gap become one slot at the first instant after the gap. If that instant is a slot
//!   anyway, it stays one slot.
//! - Debian's cron treats changes of three hours and more as corrections of a wrong clock. Here a change comes from the zone's
//!   data, so it is never that: a whole day that a zone skipped (Apia, 2011-12-30) is a gap like any other.

use std::ops::Range;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::zone::OffsetPeriod;

/// A local time that a spring night leaves out.
#[derive(Serialize, Deserialize, JsonSchema, Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Gap {
    /// The slot moves to the first instant after the gap.
    #[default]
    RunAfter,
    /// There is no slot on that day, as with CronJob.
    Skip,
}

/// A local time that an autumn night repeats.
#[derive(Serialize, Deserialize, JsonSchema, Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Overlap {
    /// Only the first occurrence is a slot.
    #[default]
    First,
    /// Both occurrences are slots, as with CronJob.
    Both,
}

/// What happens to fixed times of day when clocks change.
#[derive(Serialize, Deserialize, JsonSchema, Clone, Copy, Debug, Default, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub struct DaylightSaving {
    /// A time that does not exist on that day: RunAfter (default) runs right after the change, Skip does not run.
    #[serde(default)]
    pub gap: Gap,
    /// A time that comes twice on that day: First (default) or Both.
    #[serde(default)]
    pub overlap: Overlap,
}

/// An [`OffsetPeriod`] as a schedule sees it. All times are local seconds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct OffsetView {
    /// The wall-clock times that count. Empty if the start is not before the end.
    pub(super) valid: Range<i64>,
    /// The wall-clock times skipped just before; if one of them matches, the start of the period is a slot.
    pub(super) skipped: Range<i64>,
}

impl DaylightSaving {
    /// How a fixed schedule sees a period.
    pub(super) fn view(self, period: &OffsetPeriod) -> OffsetView {
        let (start, end) = (period.start + period.offset, period.end + period.offset);
        let shown_until = period.start + period.offset_before;
        OffsetView {
            valid: match self.overlap {
                Overlap::First => start.max(shown_until)..end,
                Overlap::Both => start..end,
            },
            skipped: match self.gap {
                Gap::RunAfter => shown_until.min(start)..start,
                Gap::Skip => start..start,
            },
        }
    }

    /// The plain wall clock, as CronJob follows it: nothing is corrected.
    pub(super) const NONE: DaylightSaving = DaylightSaving {
        gap: Gap::Skip,
        overlap: Overlap::Both,
    };
}

#[cfg(test)]
mod tests {
    use super::*;

    fn offset_period(offset_before: i64, offset: i64) -> OffsetPeriod {
        OffsetPeriod {
            start: 100_000,
            end: 200_000,
            offset,
            offset_before,
        }
    }

    #[test]
    fn by_default_a_gap_is_made_up_for_and_an_overlap_counts_once() {
        let policy = DaylightSaving::default();
        let spring = policy.view(&offset_period(3600, 7200));
        assert_eq!(spring.skipped, 103_600..107_200);
        assert_eq!(spring.valid, 107_200..207_200);
        let autumn = policy.view(&offset_period(7200, 3600));
        assert!(autumn.skipped.is_empty());
        assert_eq!(autumn.valid, 107_200..203_600);
    }

    #[test]
    fn without_correction_every_wall_clock_time_counts() {
        let spring = DaylightSaving::NONE.view(&offset_period(3600, 7200));
        assert!(spring.skipped.is_empty());
        assert_eq!(spring.valid, 107_200..207_200);
        let autumn = DaylightSaving::NONE.view(&offset_period(7200, 3600));
        assert_eq!(autumn.valid, 103_600..203_600);
    }
}
