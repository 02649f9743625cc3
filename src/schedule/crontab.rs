//! A crontab line as sets of values: the types that parsing produces and that matching and counting use.
//!
//! Pure data. It knows no text, no time zone and no instant.

/// Times of day on certain dates, on the wall clock.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Crontab {
    pub(super) times: Times,
    /// A date matches if it matches any of these. Everything that the dialect says about dates becomes such a union; `L` and
    /// `15W` add a few entries. Empty: no date matches.
    pub(super) dates: Vec<Dates>,
    /// No wildcard in minute or hour, so the daylight saving policy applies: see [`super::daylight_saving`].
    pub(super) fixed: bool,
}

/// Times of day: every combination of these hours, minutes and seconds. Bit n is value n.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Times {
    pub(super) hours: u64,
    pub(super) minutes: u64,
    pub(super) seconds: u64,
}

/// Dates that match all of these. Bit n is value n; Sunday is weekday 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Dates {
    pub(super) months: u64,
    pub(super) days: u64,
    pub(super) weekdays: u64,
    pub(super) years: Years,
}

/// Years by the length of their February.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Years {
    All,
    Leap,
    Common,
}

impl Times {
    pub(super) const ALL_SECONDS: u64 = u64::MAX >> 4;
    pub(super) const ALL_MINUTES: u64 = u64::MAX >> 4;
    pub(super) const ALL_HOURS: u64 = u64::MAX >> 40;

    /// Every second of the day.
    pub(super) fn is_whole_day(&self) -> bool {
        (self.hours, self.minutes, self.seconds) == (Times::ALL_HOURS, Times::ALL_MINUTES, Times::ALL_SECONDS)
    }
}

impl Dates {
    pub(super) const ALL_MONTHS: u64 = 0b1_1111_1111_1110;
    pub(super) const ALL_DAYS: u64 = 0xffff_fffe;
    pub(super) const ALL_WEEKDAYS: u64 = 0b111_1111;
}

impl Years {
    /// Whether years of this kind include leap years (`leap`) or common years.
    pub(super) fn include(self, leap: bool) -> bool {
        match self {
            Years::All => true,
            Years::Leap => leap,
            Years::Common => !leap,
        }
    }
}
