//! Parses the text of a schedule.
//!
//! The result is either a fixed interval (`@every`) or a crontab. The grammar is that of robfig/cron v3.0.1 `ParseStandard`,
//! which CronJob uses, with an optional leading seconds field, 7 for Sunday, and blanks around the whole. Parsing knows no time
//! zone and no instant.

use super::crontab::{Crontab, Dates, Times, Years};
use super::day_rule::{self, DayRule};
use super::error::{Excerpt, Fault};
use super::every::Every;
use super::field::{DAY_OF_MONTH, DAY_OF_WEEK, Field, FieldKind, HOUR, MINUTE, MONTH, SECOND};
use super::field_list;
use super::hash::Seed;

/// A parsed expression, before time zone and daylight saving.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Expression {
    Every(Every),
    Crontab(Crontab),
}

impl Expression {
    /// Parses an expression. `text` must be trimmed; `H` is hashed from `seed`.
    ///
    /// # Errors
    /// The part that is wrong, and what to write instead.
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
    let known = "use @hourly, @daily, @midnight, @weekly, @monthly, @yearly, @annually or @every <duration>";
    let reason = format!("unknown descriptor {}", Excerpt(text));
    Fault::new(reason, known)
}

fn crontab(text: &str, seed: Seed) -> Result<Crontab, Fault> {
    reject_common_mistakes(text)?;
    let fields: Vec<&str> = text.split_whitespace().take(8).collect();
    let (second, fields) = match *fields.as_slice() {
        [minute, hour, day, month, weekday] => (Field::only(0), [minute, hour, day, month, weekday]),
        [second, minute, hour, day, month, weekday] => (field_list::parse(&SECOND, second, seed)?, [minute, hour, day, month, weekday]),
        _ => return Err(wrong_number_of_fields(fields.len())),
    };
    let [minute, hour, day, month, weekday] = fields;
    let minute = field_list::parse(&MINUTE, minute, seed)?;
    let hour = field_list::parse(&HOUR, hour, seed)?;
    let day = Days::parse(&DAY_OF_MONTH, day, seed, day_rule::day_of_month)?;
    let month = field_list::parse(&MONTH, month, seed)?;
    let weekday = Days::parse(&DAY_OF_WEEK, weekday, seed, day_rule::day_of_week)?;
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

/// Day of month or day of week: plain values, and rules such as `L`.
struct Days {
    plain: Field,
    rules: Vec<DayRule>,
}

impl Days {
    fn parse(kind: &FieldKind, text: &str, seed: Seed, read: fn(&str) -> Result<Option<DayRule>, Fault>) -> Result<Days, Fault> {
        let mut rules = Vec::new();
        let plain = field_list::parse_with(kind, text, seed, |item| {
            let found = read(item)?;
            rules.extend(found.filter(|found| !rules.contains(found)));
            Ok(found.is_some())
        })?;
        Ok(Days { plain, rules })
    }

    /// The dates of the rules in `months`, with `plain` (the dates of the plain values) if there are any.
    fn dates(&self, months: u64, plain: Dates) -> Vec<Dates> {
        let mut dates = Vec::new();
        if self.plain.set != 0 {
            dates.push(plain);
        }
        // With the star flag all days match anyway.
        if !self.plain.star {
            dates.extend(self.rules.iter().flat_map(|rule| rule.dates(months)));
        }
        dates
    }
}

/// Combines day of month and day of week: a date must match both if one of them has the star flag, else either (the rule of
/// robfig/cron and Vixie cron). A star matches all days, so "both" means the other field alone.
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

/// Merges entries that differ only in days or only in months. However long a list of `L`, `W` and `#` is, a few dozen remain.
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

fn reject_common_mistakes(text: &str) -> Result<(), Fault> {
    let whole = |reason: &str, suggestion: &str| Err(Fault::new(reason, suggestion));
    if text.is_empty() {
        return whole("is empty", "use five fields, for example 0 3 * * *");
    }
    let starts_with = |prefix: &str| {
        let head = text.get(..prefix.len());
        head.is_some_and(|head| head.eq_ignore_ascii_case(prefix))
    };
    if starts_with("TZ=") || starts_with("CRON_TZ=") {
        return whole("contains a time zone", "use timeZone");
    }
    if text.starts_with(['"', '\'']) {
        return whole("contains quotes", "remove the inner quotes");
    }
    Ok(())
}

fn wrong_number_of_fields(n: usize) -> Fault {
    let number = match n {
        1 => "1 field".to_owned(),
        8.. => "more than 7 fields".to_owned(),
        n => format!("{n} fields"),
    };
    let suggestion = "use five (minute, hour, day of month, month, day of week), or six with seconds first";
    Fault::new(format!("has {number}"), suggestion)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(text: &str) -> Crontab {
        match Expression::parse(text, Seed::of("")).unwrap() {
            Expression::Crontab(crontab) => crontab,
            Expression::Every(_) => panic!("{text} is not a crontab"),
        }
    }

    #[test]
    fn seconds_are_an_optional_first_field() {
        assert_eq!(parsed("30 0 3 * * *").times.seconds, 1 << 30);
        assert_eq!(parsed("0 3 * * *").times.seconds, 1);
        assert_eq!(parsed("0 0 3 * * *"), parsed("0 3 * * *"));
    }

    #[test]
    fn day_fields_are_a_union_unless_one_has_a_star() {
        assert_eq!(parsed("0 0 1 * 1").dates.len(), 2);
        assert_eq!(parsed("0 0 */2 * 1").dates.len(), 2);
        assert_eq!(parsed("0 0 * * 1").dates.len(), 1);
        assert_eq!(parsed("0 0 1,* * 1").dates.len(), 1);
        assert_eq!(parsed("0 0 1 * ?").dates[0].days, 0b10);
    }

    #[test]
    fn descriptors_equal_their_crontabs() {
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
    fn common_mistakes_have_their_own_message() {
        for (text, reason) in [
            ("", "is empty"),
            ("* * * *", "has 4 fields"),
            ("*", "has 1 field"),
            ("* * * * * * *", "has 7 fields"),
            ("* * * * * * * * * *", "has more than 7 fields"),
            ("TZ=UTC 0 3 * * *", "contains a time zone"),
            ("CRON_TZ=UTC", "contains a time zone"),
            ("'* * * * *'", "contains quotes"),
            ("@reboot", "unknown descriptor \"@reboot\""),
            ("@Daily", "unknown descriptor \"@Daily\""),
            ("@everyday", "unknown descriptor \"@everyday\""),
        ] {
            assert_eq!(Expression::parse(text, Seed::of("")).unwrap_err().reason, reason);
        }
    }
}
