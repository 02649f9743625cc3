//! The text of a schedule.
//!
//! Takes what the user wrote; gives what it means: either a fixed distance, or times of the day on certain dates. Follows
//! robfig/cron v3.0.1 `ParseStandard`, which CronJob uses; beyond it an optional leading seconds field, 7 for Sunday and
//! blanks around the whole. Never knows a zone or an instant.

use super::calendar::{self, Moving};
use super::error::{Excerpt, Fault, Part};
use super::every::Every;
use super::field::{DAY_OF_MONTH, DAY_OF_WEEK, Field, HOUR, Kind, MINUTE, MONTH, SECOND};
use super::hash::Seed;

/// What a schedule says, before zone and daylight saving.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Expression {
    Every(Every),
    Crontab(Crontab),
}

/// Times of the day on certain dates, on the wall clock.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Crontab {
    pub(super) times: Times,
    /// A date counts if it matches any of these. Everything the dialect can say about dates becomes such a union: `L` and
    /// `15W` are a few more of them. Empty: no date counts.
    pub(super) dates: Vec<Dates>,
    /// No wildcard in minute or hour: daylight saving is corrected for, see [`super::daylight`].
    pub(super) fixed: bool,
}

/// Times of the day: every combination of these hours, minutes and seconds. Bit n is value n.
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
    const ALL_MINUTES: u64 = u64::MAX >> 4;
    const ALL_HOURS: u64 = u64::MAX >> 40;

    /// Every second of the day.
    pub(super) fn is_whole(&self) -> bool {
        (self.hours, self.minutes, self.seconds) == (Times::ALL_HOURS, Times::ALL_MINUTES, Times::ALL_SECONDS)
    }
}

impl Dates {
    pub(super) const ALL_MONTHS: u64 = 0b1_1111_1111_1110;
    pub(super) const ALL_DAYS: u64 = 0xffff_fffe;
    pub(super) const ALL_WEEKDAYS: u64 = 0b111_1111;
}

impl Expression {
    /// Reads an expression. `text` is trimmed; `seed` is what `H` is hashed from.
    ///
    /// # Errors
    /// Names the part that is wrong, and the way out.
    pub(super) fn parse(text: &str, seed: Seed) -> Result<Expression, Fault> {
        if let Some(word) = text.strip_prefix('@') {
            return descriptor(text, word, seed);
        }
        crontab(text, seed).map(Expression::Crontab)
    }

    pub(super) fn crontab(&self) -> Option<&Crontab> {
        match self {
            Expression::Crontab(crontab) => Some(crontab),
            Expression::Every(_) => None,
        }
    }

    pub(super) fn every(&self) -> Option<Every> {
        match self {
            Expression::Crontab(_) => None,
            Expression::Every(every) => Some(*every),
        }
    }
}

fn descriptor(text: &str, word: &str, seed: Seed) -> Result<Expression, Fault> {
    let line = match word {
        "yearly" | "annually" => "0 0 1 1 *",
        "monthly" => "0 0 1 * *",
        "weekly" => "0 0 * * 0",
        "daily" | "midnight" => "0 0 * * *",
        "hourly" => "0 * * * *",
        _ => match word.strip_prefix("every") {
            Some(rest) if rest.is_empty() || rest.starts_with(char::is_whitespace) => {
                return Every::parse(rest.trim_start()).map(Expression::Every);
            }
            _ => return Err(unknown_descriptor(text)),
        },
    };
    crontab(line, seed).map(Expression::Crontab)
}

fn unknown_descriptor(text: &str) -> Fault {
    let known = "known are @hourly, @daily, @midnight, @weekly, @monthly, @yearly, @annually and @every <duration>";
    let reason = format!("{} is not known", Excerpt(text));
    Fault::new(Part::Whole, reason, known)
}

fn crontab(text: &str, seed: Seed) -> Result<Crontab, Fault> {
    refuse_what_is_no_crontab(text)?;
    let fields: Vec<&str> = text.split_whitespace().take(8).collect();
    let (second, fields) = match *fields.as_slice() {
        [minute, hour, day, month, weekday] => (Field::only(0), [minute, hour, day, month, weekday]),
        [second, minute, hour, day, month, weekday] => (SECOND.parse(second, seed)?, [minute, hour, day, month, weekday]),
        _ => return Err(wrong_number_of_fields(fields.len())),
    };
    let [minute, hour, day, month, weekday] = fields;
    let minute = MINUTE.parse(minute, seed)?;
    let hour = HOUR.parse(hour, seed)?;
    let day = Days::parse(&DAY_OF_MONTH, day, seed, calendar::day_of_month)?;
    let month = MONTH.parse(month, seed)?;
    let weekday = Days::parse(&DAY_OF_WEEK, weekday, seed, calendar::day_of_week)?;
    Ok(Crontab {
        times: Times {
            hours: hour.set,
            minutes: minute.set,
            seconds: second.set,
        },
        dates: dates(&day, month.set, &weekday),
        fixed: !minute.wildcard && !hour.wildcard,
    })
}

/// Day of month or day of week: values, and days that the month decides.
struct Days {
    plain: Field,
    moving: Vec<Moving>,
}

impl Days {
    fn parse(kind: &Kind, text: &str, seed: Seed, read: fn(&str) -> Result<Option<Moving>, Fault>) -> Result<Days, Fault> {
        let mut moving = Vec::new();
        let plain = kind.parse_with(text, seed, |item| {
            let found = read(item)?;
            moving.extend(found.filter(|found| !moving.contains(found)));
            Ok(found.is_some())
        })?;
        Ok(Days { plain, moving })
    }

    /// `plain` are the dates of the values, if there are any.
    fn dates(&self, months: u64, plain: Dates) -> Vec<Dates> {
        let mut dates = Vec::new();
        if self.plain.set != 0 {
            dates.push(plain);
        }
        // The star flag means that all days match anyway.
        if !self.plain.star {
            dates.extend(self.moving.iter().flat_map(|moving| moving.dates(months)));
        }
        dates
    }
}

/// Day of month and day of week: both, if one of them has the star flag, else either (robfig's and Vixie cron's rule). A star
/// names all days, so "both" leaves the other field's.
fn dates(day: &Days, months: u64, weekday: &Days) -> Vec<Dates> {
    let of = |days, weekdays| Dates {
        months,
        days,
        weekdays,
        years: Years::All,
    };
    let of_month = day.dates(months, of(day.plain.set, Dates::ALL_WEEKDAYS));
    let of_week = weekday.dates(months, of(Dates::ALL_DAYS, weekday.plain.set));
    merged(match (day.plain.star, weekday.plain.star) {
        (_, true) => of_month,
        (true, false) => of_week,
        (false, false) => [of_month, of_week].concat(),
    })
}

/// The same dates in as few parts as come of joining those that differ in days, or in months, only. However long the list of `L`,
/// `W` and `#` is, this leaves a few dozen.
fn merged(dates: Vec<Dates>) -> Vec<Dates> {
    let mut joined: Vec<Dates> = Vec::new();
    for part in dates {
        let alike = |other: &&mut Dates| (other.months, other.weekdays, other.years) == (part.months, part.weekdays, part.years);
        match joined.iter_mut().find(alike) {
            Some(other) => other.days |= part.days,
            None => joined.push(part),
        }
    }
    let mut merged: Vec<Dates> = Vec::new();
    for part in joined {
        let alike = |other: &&mut Dates| (other.days, other.weekdays, other.years) == (part.days, part.weekdays, part.years);
        match merged.iter_mut().find(alike) {
            Some(other) => other.months |= part.months,
            None => merged.push(part),
        }
    }
    merged
}

fn refuse_what_is_no_crontab(text: &str) -> Result<(), Fault> {
    let whole = |reason: &str, way_out: &str| Err(Fault::new(Part::Whole, reason, way_out));
    if text.is_empty() {
        return whole("is empty", "write five fields, such as 0 3 * * *");
    }
    let starts_with = |prefix: &str| {
        let head = text.get(..prefix.len());
        head.is_some_and(|head| head.eq_ignore_ascii_case(prefix))
    };
    if starts_with("TZ=") || starts_with("CRON_TZ=") {
        return whole("has a time zone in it", "use timeZone");
    }
    if text.starts_with(['"', '\'']) {
        return whole("has quotes inside", "remove the inner quotes");
    }
    Ok(())
}

fn wrong_number_of_fields(n: usize) -> Fault {
    let number = match n {
        1 => "1 field".to_owned(),
        8.. => "more than 7 fields".to_owned(),
        n => format!("{n} fields"),
    };
    let way_out = "write five (minute, hour, day of month, month, day of week), or six with seconds first";
    Fault::new(Part::Whole, format!("has {number}"), way_out)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(text: &str) -> Crontab {
        match Expression::parse(text, Seed::of("")).unwrap() {
            Expression::Crontab(crontab) => crontab,
            Expression::Every(_) => panic!("{text} is no crontab"),
        }
    }

    #[test]
    fn a_sixth_field_comes_first_and_is_seconds() {
        assert_eq!(parsed("30 0 3 * * *").times.seconds, 1 << 30);
        assert_eq!(parsed("0 3 * * *").times.seconds, 1);
        assert_eq!(parsed("0 0 3 * * *"), parsed("0 3 * * *"));
    }

    #[test]
    fn day_of_month_and_day_of_week_are_a_union_unless_one_has_a_star() {
        assert_eq!(parsed("0 0 1 * 1").dates.len(), 2);
        assert_eq!(parsed("0 0 */2 * 1").dates.len(), 2);
        assert_eq!(parsed("0 0 * * 1").dates.len(), 1);
        assert_eq!(parsed("0 0 1,* * 1").dates.len(), 1);
        assert_eq!(parsed("0 0 1 * ?").dates[0].days, 0b10);
    }

    #[test]
    fn words_stand_for_their_lines() {
        assert_eq!(parsed("@daily"), parsed("0 0 * * *"));
        assert_eq!(parsed("@midnight"), parsed("0 0 * * *"));
        assert_eq!(parsed("@yearly"), parsed("@annually"));
        assert_eq!(parsed("@weekly"), parsed("0 0 * * sun"));
        assert!(!parsed("@hourly").fixed);
        assert!(parsed("@daily").fixed);
    }

    #[test]
    fn only_minute_and_hour_decide_whether_a_time_is_fixed() {
        for text in ["0 2 * * *", "* 30 2 * * *", "0,30 1-3 * * *", "*/10 0 0 1 1 *"] {
            assert!(parsed(text).fixed, "{text}");
        }
        for text in ["*/15 2 * * *", "0 */2 * * *", "0 0/2 * * *", "0 0-23 * * *"] {
            assert!(!parsed(text).fixed, "{text}");
        }
    }

    #[test]
    fn a_wrong_whole_is_told_apart() {
        for (text, reason) in [
            ("", "is empty"),
            ("* * * *", "has 4 fields"),
            ("*", "has 1 field"),
            ("* * * * * * *", "has 7 fields"),
            ("* * * * * * * * * *", "has more than 7 fields"),
            ("TZ=UTC 0 3 * * *", "has a time zone in it"),
            ("CRON_TZ=UTC", "has a time zone in it"),
            ("'* * * * *'", "has quotes inside"),
            ("@reboot", "\"@reboot\" is not known"),
            ("@Daily", "\"@Daily\" is not known"),
            ("@everyday", "\"@everyday\" is not known"),
        ] {
            assert_eq!(Expression::parse(text, Seed::of("")).unwrap_err().reason, reason);
        }
    }
}
