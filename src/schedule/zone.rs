//! Time zones, as stretches of constant offset from UTC.
//!
//! Takes an IANA name; gives, for an instant, the stretch it lies in. The data is the one bundled with jiff, so that the
//! answer does not depend on the machine. Never reads the system's zone or its files.
//!
//! Instants are Unix seconds.

use jiff::Timestamp;
use jiff::tz::{TimeZone, TimeZoneDatabase};

use super::error::ScheduleError;

/// How far a suggested name may be from what was written, in edits.
const NEAR: usize = 2;

/// A zone.
#[derive(Clone, Debug)]
pub(super) struct Zone {
    tz: TimeZone,
}

/// A time during which the zone's offset does not change: all instants in `start..end`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Stretch {
    pub(super) start: i64,
    pub(super) end: i64,
    /// What to add to an instant to get the wall-clock time, in seconds.
    pub(super) offset: i64,
    /// The same just before `start`.
    pub(super) offset_before: i64,
}

impl Zone {
    /// Finds a zone by its IANA name, in any case.
    ///
    /// # Errors
    /// A name that the database does not have; empty; `Local`, which would depend on the machine.
    pub(super) fn named(name: &str) -> Result<Zone, ScheduleError> {
        let refuse = |reason: &str, way_out: String| {
            Err(ScheduleError::TimeZone {
                value: name.to_owned(),
                reason: reason.to_owned(),
                way_out,
            })
        };
        if name.trim().is_empty() {
            return refuse("is empty", "leave it out for UTC".to_owned());
        }
        if name.eq_ignore_ascii_case("local") {
            let way_out = "write its IANA name, such as Europe/Paris, or leave it out for UTC";
            return refuse("depends on the machine", way_out.to_owned());
        }
        let database = TimeZoneDatabase::bundled();
        match database.get(name) {
            Ok(tz) if !tz.is_unknown() => Ok(Zone { tz }),
            _ => refuse("is not known", way_out(&database, name)),
        }
    }

    pub(super) fn given(tz: TimeZone) -> Zone {
        Zone { tz }
    }

    pub(super) fn tz(&self) -> &TimeZone {
        &self.tz
    }

    /// The stretch in which `instant` lies. It ends with time itself if the zone never changes again.
    pub(super) fn stretch(&self, instant: i64) -> Stretch {
        let at = timestamp(instant);
        let start = self.start(at);
        let end = self.tz.following(at).next().map(|t| t.timestamp());
        let offset = self.offset(at);
        Stretch {
            start: start.unwrap_or(Timestamp::MIN).as_second(),
            end: end.map_or(Timestamp::MAX.as_second() + 1, Timestamp::as_second),
            offset,
            offset_before: start.map_or(offset, |t| self.offset(timestamp(t.as_second() - 1))),
        }
    }

    /// The last transition at or before an instant.
    ///
    /// jiff 0.2.46's `preceding` is wrong between the last transition of a zone's table and the first one that its rule
    /// makes: it applies the rule to the time of the table, and names a transition that never was (41 cases from 1970 to
    /// 2100, such as Europe/London 1996-01-01). It is never later than the true one, and `following` is right, so that going
    /// forward from it arrives.
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

/// The nearest timestamp that there is.
pub(super) fn timestamp(instant: i64) -> Timestamp {
    let (min, max) = (Timestamp::MIN.as_second(), Timestamp::MAX.as_second());
    Timestamp::from_second(instant.clamp(min, max)).unwrap_or(Timestamp::MAX)
}

fn way_out(database: &TimeZoneDatabase, name: &str) -> String {
    let wanted = name.trim().replace(' ', "_").to_ascii_lowercase();
    // A longer one is near to no name, and not worth the comparison.
    let near = if wanted.len() > 40 { Vec::new() } else { near(database, &wanted) };
    match near.as_slice() {
        [] => "write an IANA name, such as Europe/Paris or America/New_York".to_owned(),
        names => format!("did you mean {}?", names.join(" or ")),
    }
}

/// Up to three names that are nearest to what was written, as a whole or in their last part (`paris`, `New York`).
fn near(database: &TimeZoneDatabase, wanted: &str) -> Vec<String> {
    let mut found: Vec<(usize, String)> = database
        .available()
        .filter_map(|name| {
            let lower = name.as_str().to_ascii_lowercase();
            let city = lower.rsplit('/').next().unwrap_or(&lower);
            let distance = edits(&lower, wanted).min(edits(city, wanted));
            let near = distance <= NEAR && distance * 3 <= wanted.len();
            near.then(|| (distance, name.as_str().to_owned()))
        })
        .collect();
    found.sort();
    let best = found.first().map_or(0, |(distance, _)| *distance);
    let best = found.into_iter().filter(|(distance, _)| *distance == best);
    best.take(3).map(|(_, name)| name).collect()
}

/// Insertions, deletions and replacements of bytes from one text to another (Levenshtein).
fn edits(from: &str, to: &str) -> usize {
    // From what was read of `from` to each beginning of `to`, but the empty one.
    let mut row: Vec<usize> = (1..=to.len()).collect();
    for (i, a) in from.bytes().enumerate() {
        let (mut diagonal, mut left) = (i, i + 1);
        for (cell, b) in row.iter_mut().zip(to.bytes()) {
            let replaced = diagonal + usize::from(a != b);
            diagonal = *cell;
            left = replaced.min(diagonal + 1).min(left + 1);
            *cell = left;
        }
    }
    row.last().copied().unwrap_or(from.len())
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
    fn what_is_no_name_is_refused_with_the_way_out() {
        assert_eq!(refusal(""), "time zone \"\": is empty; leave it out for UTC");
        assert!(refusal("Local").contains("depends on the machine"));
        assert!(refusal("local").contains("depends on the machine"));
        for name in ["Etc/Unknown", "Nowhere/Bad", "UTC ", "+02:00", "../etc/passwd", "\0"] {
            assert!(refusal(name).contains("is not known"), "{name}");
        }
        assert!(refusal(&"x".repeat(100_000)).len() < 300);
    }

    #[test]
    fn a_near_name_is_offered() {
        assert!(refusal("Europe/Pariss").ends_with("did you mean Europe/Paris?"));
        assert!(refusal("New York").contains("America/New_York"));
        assert!(refusal("UTC ").contains("did you mean") && refusal("UTC ").contains("UTC"));
    }

    #[test]
    fn edits_are_those_of_levenshtein() {
        for (from, to, number) in [
            ("kitten", "sitting", 3),
            ("", "abc", 3),
            ("abc", "", 3),
            ("", "", 0),
            ("utc", "utc", 0),
            ("flaw", "lawn", 2),
        ] {
            assert_eq!(edits(from, to), number, "{from} {to}");
        }
    }

    #[test]
    fn a_stretch_begins_and_ends_where_the_clock_changes() {
        let zone = Zone::named("Europe/Berlin").unwrap();
        // 2026-03-29T01:00:00Z and 2026-10-25T01:00:00Z.
        let (spring, autumn) = (1_774_746_000, 1_792_890_000);
        let summer = Stretch {
            start: spring,
            end: autumn,
            offset: 7200,
            offset_before: 3600,
        };
        assert_eq!(zone.stretch(spring), summer);
        assert_eq!(zone.stretch(autumn - 1), summer);
        assert_eq!(zone.stretch(spring - 1).end, spring);
        assert_eq!(zone.stretch(autumn).start, autumn);
    }

    #[test]
    fn a_zone_without_changes_is_one_stretch() {
        let stretch = Zone::named("UTC").unwrap().stretch(0);
        assert!(stretch.start < -300_000_000_000 && stretch.end > 250_000_000_000);
        assert_eq!((stretch.offset, stretch.offset_before), (0, 0));
    }

    #[test]
    fn stretches_follow_each_other_without_gap_in_every_zone() {
        for name in TimeZoneDatabase::bundled().available() {
            let Ok(zone) = Zone::named(name.as_str()) else { continue };
            let mut stretch = zone.stretch(0);
            while stretch.end < 4_200_000_000 {
                let next = zone.stretch(stretch.end);
                assert_eq!((next.start, next.offset_before), (stretch.end, stretch.offset), "{name}");
                assert_eq!(zone.stretch(next.start - 1), stretch, "{name}");
                assert_eq!(zone.stretch(next.start + 1), next, "{name}");
                assert_eq!(zone.stretch((next.end - 1).min(i64::from(u32::MAX))), next, "{name}");
                stretch = next;
            }
        }
    }

    #[test]
    fn no_zone_changes_its_clock_twice_in_two_days() {
        // `daylight` looks at one change at a time: the stretch before must be longer than any gap or overlap.
        for name in TimeZoneDatabase::bundled().available() {
            let Ok(zone) = Zone::named(name.as_str()) else { continue };
            let mut stretch = zone.stretch(-86_400);
            while stretch.end < 4_200_000_000 {
                assert!(stretch.end - stretch.start > 2 * 86_400, "{name}: {stretch:?}");
                stretch = zone.stretch(stretch.end);
            }
        }
    }
}
