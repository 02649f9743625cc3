//! Daylight saving: what becomes of wall-clock times that a change of the clock skips or repeats.
//!
//! Takes a stretch of constant offset and the policy; gives the wall-clock times that count in it, and the lost ones that
//! are made up for at its start. Never matches anything itself.
//!
//! The rule is that of Debian's cron (`cron(8)`, `crontab(5)`; goal and wording there: "those jobs which would have run in
//! the time that was skipped will be run soon after the change", "those jobs that fall into the repeated time will not be
//! re-run", "only jobs that run at a particular time (not specified as @hourly, nor with '*' in the hour or minute
//! specifier) are affected"):
//!
//! - **Wildcard** is a schedule with an item `*`, `?`, `*/n`, `?/n` or `N/n` (robfig's `N-max/n`) anywhere in minute or
//!   hour, or with items that cover one of these fields (`0-59`, `0-23`); so `@hourly`, too. Seconds do not count, and
//!   neither does what the step leaves over (`0 */24 * * *` is a wildcard). It follows the wall clock whatever the policy:
//!   nothing is made up for, nothing is held back, so there is no hole, no burst and no loop. `@every` knows no wall clock.
//! - **Fixed** is every other schedule. The policy is for these.
//! - All times of one schedule lost in one gap are made up for by one slot, the first instant after the gap; if that is a
//!   slot anyway, it stays one slot.
//! - Debian takes changes of three hours and more for corrections of a wrong clock and lets them pass. A change in the
//!   zone's data is never that: a whole day that a zone left out (Apia, 2011-12-30) is a gap like any other.

use std::ops::Range;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::zone::Stretch;

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

/// A stretch as a schedule sees it. All times are local seconds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Passage {
    /// The wall-clock times that count. Empty if the start is not before the end.
    pub(super) counts: Range<i64>,
    /// The wall-clock times lost just before; if one of them matches, the start of the stretch is a slot.
    pub(super) made_up: Range<i64>,
}

impl DaylightSaving {
    /// What a fixed schedule sees of a stretch.
    pub(super) fn passage(&self, stretch: &Stretch) -> Passage {
        let (start, end) = (stretch.start + stretch.offset, stretch.end + stretch.offset);
        let shown_until = stretch.start + stretch.offset_before;
        Passage {
            counts: match self.overlap {
                Overlap::First => start.max(shown_until)..end,
                Overlap::Both => start..end,
            },
            made_up: match self.gap {
                Gap::RunAfter => shown_until.min(start)..start,
                Gap::Skip => start..start,
            },
        }
    }

    /// The policy under which nothing is corrected: the plain wall clock.
    pub(super) const NONE: DaylightSaving = DaylightSaving {
        gap: Gap::Skip,
        overlap: Overlap::Both,
    };
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stretch(offset_before: i64, offset: i64) -> Stretch {
        Stretch {
            start: 100_000,
            end: 200_000,
            offset,
            offset_before,
        }
    }

    #[test]
    fn by_default_the_gap_is_made_up_for_and_the_overlap_counts_once() {
        let policy = DaylightSaving::default();
        let spring = policy.passage(&stretch(3600, 7200));
        assert_eq!(spring.made_up, 103_600..107_200);
        assert_eq!(spring.counts, 107_200..207_200);
        let autumn = policy.passage(&stretch(7200, 3600));
        assert!(autumn.made_up.is_empty());
        assert_eq!(autumn.counts, 107_200..203_600);
    }

    #[test]
    fn without_correction_every_wall_clock_time_counts() {
        let spring = DaylightSaving::NONE.passage(&stretch(3600, 7200));
        assert!(spring.made_up.is_empty());
        assert_eq!(spring.counts, 107_200..207_200);
        let autumn = DaylightSaving::NONE.passage(&stretch(7200, 3600));
        assert_eq!(autumn.counts, 103_600..203_600);
    }
}
