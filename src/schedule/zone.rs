//! Time zones as periods of constant offset from UTC.
//!
//! A zone is found by its IANA name in the database bundled with jiff, so the answer does not depend on the machine. For an
//! instant it returns the period around it. Never reads the system's zone or files.
//!
//! Instants are Unix seconds.

use jiff::Timestamp;
use jiff::tz::{TimeZone, TimeZoneDatabase};

use super::error::{Excerpt, ScheduleError};
use super::zone_name;

/// A time zone.
#[derive(Clone, Debug)]
pub(super) struct Zone {
    tz: TimeZone,
}

/// A time during which the zone's offset does not change: all instants in `start..end`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct OffsetPeriod {
    pub(super) start: i64,
    pub(super) end: i64,
    /// Seconds to add to an instant to get the wall-clock time.
    pub(super) offset: i64,
    /// The offset just before `start`.
    pub(super) offset_before: i64,
}

impl Zone {
    /// Finds a zone by its IANA name, in any case.
    ///
    /// # Errors
    /// The name is empty, unknown, or `Local`, which would depend on the machine.
    pub(super) fn named(name: &str) -> Result<Zone, ScheduleError> {
        let refuse = |reason: String, suggestion: String| {
            Err(ScheduleError::TimeZone {
                value: name.to_owned(),
                reason,
                suggestion,
            })
        };
        if name.trim().is_empty() {
            return refuse("time zone is empty".to_owned(), "omit it for UTC".to_owned());
        }
        if name.eq_ignore_ascii_case("local") {
            let reason = format!("time zone {} depends on the machine", Excerpt(name));
            return refuse(reason, "use an IANA name, for example Europe/Paris, or omit it for UTC".to_owned());
        }
        let database = TimeZoneDatabase::bundled();
        match database.get(name) {
            Ok(tz) if !tz.is_unknown() => Ok(Zone { tz }),
            _ => refuse(
                format!("unknown time zone {}", Excerpt(name)),
                zone_name::suggestion(&database, name),
            ),
        }
    }

    /// A zone whose rules are not those of the bundled database.
    #[cfg(test)]
    pub(super) fn given(tz: TimeZone) -> Zone {
        Zone { tz }
    }

    pub(super) fn tz(&self) -> &TimeZone {
        &self.tz
    }

    /// The period in which `instant` lies. It ends with time itself if the zone never changes again.
    pub(super) fn offset_period(&self, instant: i64) -> OffsetPeriod {
        let at = timestamp(instant);
        let start = self.start(at);
        let end = self.tz.following(at).next().map(|t| t.timestamp());
        let offset = self.offset(at);
        OffsetPeriod {
            start: start.unwrap_or(Timestamp::MIN).as_second(),
            end: end.map_or(Timestamp::MAX.as_second() + 1, Timestamp::as_second),
            offset,
            offset_before: start.map_or(offset, |t| self.offset(timestamp(t.as_second() - 1))),
        }
    }

    /// The last transition at or before an instant.
    ///
    /// `preceding` of jiff 0.2.46 is wrong between the last transition of a zone's table and the first one of its rule: it applies
    /// the rule to the time of the table, and returns a transition that never happened (41 cases from 1970 to 2100, for example
    /// Europe/London 1996-01-01). It is never later than the true one, and `following` is right, so following it forward from
    /// there finds the true one.
    fn start(&self, at: Timestamp) -> Option<Timestamp> {
        let guess = self.tz.preceding(timestamp(at.as_second().saturating_add(1))).next()?;
        let guess = guess.timestamp();
        let later = self.tz.following(guess).map(|transition| transition.timestamp());
        later.take_while(|transition| *transition <= at).last().or(Some(guess))
    }

    fn offset(&self, at: Timestamp) -> i64 {
        i64::from(self.tz.to_offset(at).seconds())
    }
}

/// What to write instead of a name that is not a zone, for the person who wrote it.
#[must_use]
pub fn suggestion(name: &str) -> String {
    zone_name::suggestion(&TimeZoneDatabase::bundled(), name)
}

/// The timestamp of a Unix second; beyond the range of timestamps, the nearest one.
pub(super) fn timestamp(instant: i64) -> Timestamp {
    let (min, max) = (Timestamp::MIN.as_second(), Timestamp::MAX.as_second());
    Timestamp::from_second(instant.clamp(min, max)).unwrap_or(Timestamp::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(name: &str) -> String {
        Zone::named(name).unwrap_err().to_string()
    }

    #[test]
    fn names_are_found_in_any_case() {
        for name in ["UTC", "Europe/Paris", "europe/paris", "EST5EDT", "Etc/GMT-14"] {
            assert!(Zone::named(name).is_ok(), "{name}");
        }
    }

    #[test]
    fn an_unknown_name_is_refused_with_a_fix() {
        assert_eq!(refusal(""), "time zone is empty: omit it for UTC");
        assert!(refusal("Local").contains("depends on the machine"));
        assert!(refusal("local").contains("depends on the machine"));
        for name in ["Etc/Unknown", "Nowhere/Bad", "UTC ", "+02:00", "../etc/passwd", "\0"] {
            assert!(refusal(name).starts_with("unknown time zone"), "{name}");
        }
        assert!(refusal(&"x".repeat(100_000)).len() < 300);
    }

    #[test]
    fn a_similar_name_is_suggested() {
        assert!(refusal("Europe/Pariss").ends_with("did you mean Europe/Paris?"));
        assert!(refusal("New York").contains("America/New_York"));
        assert!(refusal("UTC ").ends_with("use UTC"));
    }

    #[test]
    fn a_period_starts_and_ends_at_changes_of_the_clock() {
        let zone = Zone::named("Europe/Berlin").unwrap();
        // 2026-03-29T01:00:00Z and 2026-10-25T01:00:00Z.
        let (spring, autumn) = (1_774_746_000, 1_792_890_000);
        let summer = OffsetPeriod {
            start: spring,
            end: autumn,
            offset: 7200,
            offset_before: 3600,
        };
        assert_eq!(zone.offset_period(spring), summer);
        assert_eq!(zone.offset_period(autumn - 1), summer);
        assert_eq!(zone.offset_period(spring - 1).end, spring);
        assert_eq!(zone.offset_period(autumn).start, autumn);
    }

    #[test]
    fn a_zone_without_changes_is_one_period() {
        let period = Zone::named("UTC").unwrap().offset_period(0);
        assert!(period.start < -300_000_000_000 && period.end > 250_000_000_000);
        assert_eq!((period.offset, period.offset_before), (0, 0));
    }

    #[test]
    fn periods_are_contiguous_in_every_zone() {
        for name in TimeZoneDatabase::bundled().available() {
            let Ok(zone) = Zone::named(name.as_str()) else { continue };
            let mut period = zone.offset_period(0);
            while period.end < 4_200_000_000 {
                let next = zone.offset_period(period.end);
                assert_eq!((next.start, next.offset_before), (period.end, period.offset), "{name}");
                assert_eq!(zone.offset_period(next.start - 1), period, "{name}");
                assert_eq!(zone.offset_period(next.start + 1), next, "{name}");
                assert_eq!(zone.offset_period((next.end - 1).min(i64::from(u32::MAX))), next, "{name}");
                period = next;
            }
        }
    }

    #[test]
    fn no_zone_changes_its_clock_twice_in_two_days() {
        // `daylight` looks at one change at a time: the period before must be longer than any gap or overlap.
        for name in TimeZoneDatabase::bundled().available() {
            let Ok(zone) = Zone::named(name.as_str()) else { continue };
            let mut period = zone.offset_period(-86_400);
            while period.end < 4_200_000_000 {
                assert!(period.end - period.start > 2 * 86_400, "{name}: {period:?}");
                period = zone.offset_period(period.end);
            }
        }
    }
}
