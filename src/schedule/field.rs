//! Parses one field of a crontab.
//!
//! The result is the set of values, and how it was written where that matters (star flag, wildcard). The grammar is that of
//! robfig/cron v3.0.1 `ParseStandard`, which CronJob uses, without its accidents (`1,,2`, `+5`, `*-foo`), with 7 for Sunday and
//! with `H` ([`super::jenkins_hash`]). A field knows nothing of the other fields.

use std::ops::RangeInclusive;

use super::error::{Excerpt, Fault};
use super::hash::Seed;

/// Which values a field allows.
pub(super) struct FieldKind {
    /// The field's name in messages; it also separates the hashes of `H`. Changing it would move every `H`.
    pub(super) name: &'static str,
    pub(super) min: u32,
    /// The greatest value of `*` and of `N/step`.
    pub(super) max: u32,
    /// The greatest number accepted: 7 for day of week, else `max`.
    accepted: u32,
    /// The greatest value of `H`: 28 for day of month, so that every month has the day, else `max`.
    pub(super) hash_max: u32,
    /// Names of the values from `min` on.
    names: &'static [&'static str],
}

const fn numbers(name: &'static str, min: u32, max: u32) -> FieldKind {
    FieldKind {
        name,
        min,
        max,
        accepted: max,
        hash_max: max,
        names: &[],
    }
}

pub(super) const SECOND: FieldKind = numbers("second", 0, 59);
pub(super) const MINUTE: FieldKind = numbers("minute", 0, 59);
pub(super) const HOUR: FieldKind = numbers("hour", 0, 23);
pub(super) const DAY_OF_MONTH: FieldKind = FieldKind {
    hash_max: 28,
    ..numbers("day of month", 1, 31)
};
pub(super) const MONTH: FieldKind = FieldKind {
    names: &["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"],
    ..numbers("month", 1, 12)
};
pub(super) const DAY_OF_WEEK: FieldKind = FieldKind {
    accepted: 7,
    names: &["sun", "mon", "tue", "wed", "thu", "fri", "sat"],
    ..numbers("day of week", 0, 6)
};

/// The values of a field.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Field {
    /// Bit n is value n.
    pub(super) set: u64,
    /// The star flag of robfig/cron: some item is `*`, `?`, `*/1` or `?/1`. It decides whether a date must match both day of
    /// month and day of week, or either.
    pub(super) star: bool,
    /// A wildcard in the sense of [`super::daylight_saving`]: some item is `*`, `?` or open-ended (`*/15`, `0/15`, `H/15`), or the
    /// items cover the whole field (`0-23`).
    pub(super) wildcard: bool,
}

impl Field {
    /// A single value.
    pub(super) const fn only(value: u32) -> Field {
        Field {
            set: 1 << value,
            star: false,
            wildcard: false,
        }
    }
}

impl FieldKind {
    /// Parses a list of items `*`, `?`, `N`, `N-M`, `H`, `H(N-M)`, each with an optional `/step`.
    ///
    /// # Errors
    /// The first item that is wrong.
    pub(super) fn parse(&self, text: &str, seed: Seed) -> Result<Field, Fault> {
        self.parse_with(text, seed, |_| Ok(false))
    }

    /// Like [`FieldKind::parse`], but skips the items for which `takes` returns true.
    pub(super) fn parse_with(&self, text: &str, seed: Seed, mut takes: impl FnMut(&str) -> Result<bool, Fault>) -> Result<Field, Fault> {
        let mut field = Field::default();
        for item in text.split(',') {
            if item.is_empty() {
                let reason = format!("{} {} has an empty item", self.name, Excerpt(text));
                return Err(Fault::new(reason, "remove the extra comma"));
            }
            if takes(item)? {
                continue;
            }
            let found = self.item(item, seed)?;
            field.set |= found.set;
            field.star |= found.star;
            field.wildcard |= found.wildcard;
        }
        field.wildcard |= field.set == self.all();
        Ok(field)
    }

    fn item(&self, item: &str, seed: Seed) -> Result<Field, Fault> {
        let (range, step) = match item.split_once('/') {
            None => (item, None),
            Some((range, step)) => (range, Some(self.step(item, step)?)),
        };
        if let Some(within) = range.strip_prefix(['H', 'h']) {
            return self.hashed(item, within, step, seed);
        }
        let every = matches!(range, "*" | "?");
        let (from, to) = match range.split_once('-') {
            _ if every => (self.min, self.max),
            None => {
                let value = self.value(item, range)?;
                (value, if step.is_some() { self.max.max(value) } else { value })
            }
            Some(_) => self.range(item, range)?,
        };
        let open = every || (step.is_some() && !range.contains('-'));
        let step = step.unwrap_or(1);
        Ok(Field {
            set: self.set(from..=to, step),
            star: every && step == 1,
            wildcard: open,
        })
    }

    /// Parses `N-M`.
    pub(super) fn range(&self, item: &str, text: &str) -> Result<(u32, u32), Fault> {
        let (from, to) = text.split_once('-').unwrap_or((text, text));
        let (from, to) = (self.value(item, from)?, self.value(item, to)?);
        if from > to {
            let reason = format!("{} range {} runs backwards", self.name, Excerpt(item));
            let suggestion = format!("use two items, {from}-{} and {}-{to}", self.max, self.min);
            return Err(Fault::new(reason, suggestion));
        }
        Ok((from, to))
    }

    pub(super) fn set(&self, values: RangeInclusive<u32>, step: usize) -> u64 {
        values.step_by(step).fold(0, |set, value| set | 1 << self.folded(value))
    }

    /// Parses a number or a name. Messages quote `item`.
    pub(super) fn value(&self, item: &str, text: &str) -> Result<u32, Fault> {
        if let Some(at) = self.names.iter().position(|name| name.eq_ignore_ascii_case(text)) {
            return Ok(self.min + u32::try_from(at).unwrap_or_default());
        }
        if text.is_empty() || !text.bytes().all(|b| b.is_ascii_digit()) {
            return Err(self.not_a_value(item, text));
        }
        match text.parse::<u32>() {
            Ok(value) if (self.min..=self.accepted).contains(&value) => Ok(value),
            _ => Err(Fault::new(
                format!("{} {} is out of range {}-{}", self.name, shown(text), self.min, self.accepted),
                "",
            )),
        }
    }

    /// Parses a step: digits, at least 1. One larger than the field leaves the first value.
    fn step(&self, item: &str, text: &str) -> Result<usize, Fault> {
        let digits = !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
        // As Go's int on 64 bits, so that the same numbers are accepted as by CronJob.
        match text.parse::<i64>() {
            Ok(step) if digits && step >= 1 => Ok(usize::try_from(step).unwrap_or(usize::MAX)),
            _ => Err(Fault::new(
                format!("{} {} has an invalid step {}", self.name, Excerpt(item), Excerpt(text)),
                "use a whole number of at least 1",
            )),
        }
    }

    fn not_a_value(&self, item: &str, text: &str) -> Fault {
        let lower = text.to_ascii_lowercase();
        let long = self.names.iter().find(|name| lower.starts_with(*name));
        let suggestion = match (long, self.names) {
            (Some(name), _) => format!("use the three-letter name {name}"),
            (None, [first, .., last]) => format!(
                "use numbers {}-{}, names {first}-{last}, lists, ranges, steps or *",
                self.min, self.max
            ),
            (None, _) => format!("use numbers {}-{}, lists, ranges, steps or *", self.min, self.max),
        };
        let reason = if text == item {
            format!("{} {} is not a value", self.name, Excerpt(item))
        } else {
            let wrong = Excerpt(text);
            format!("{} {}: {wrong} is not a value", self.name, Excerpt(item))
        };
        Fault::new(reason, suggestion)
    }

    /// 7 is Sunday, like 0.
    fn folded(&self, value: u32) -> u32 {
        if value > self.max { self.min } else { value }
    }

    /// The set of all values.
    fn all(&self) -> u64 {
        (self.min..=self.max).fold(0, |set, value| set | 1 << value)
    }
}

/// A number as written, quoted and cut off if it is very long.
fn shown(digits: &str) -> String {
    if digits.len() <= 20 {
        digits.to_owned()
    } else {
        Excerpt(digits).to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seed() -> Seed {
        Seed::of("default/backup")
    }

    fn values(kind: &FieldKind, text: &str) -> Vec<u32> {
        let set = kind.parse(text, seed()).unwrap().set;
        (0..64).filter(|n| set >> n & 1 == 1).collect()
    }

    fn reason(kind: &FieldKind, text: &str) -> String {
        kind.parse(text, seed()).unwrap_err().reason
    }

    #[test]
    fn lists_ranges_and_steps_are_parsed() {
        assert_eq!(values(&MINUTE, "5,1-3,50/4"), [1, 2, 3, 5, 50, 54, 58]);
        assert_eq!(values(&HOUR, "*/9"), [0, 9, 18]);
        assert_eq!(values(&HOUR, "8-17/4"), [8, 12, 16]);
        assert_eq!(values(&MONTH, "Jan,jUL-9"), [1, 7, 8, 9]);
    }

    #[test]
    fn a_large_step_leaves_the_first_value() {
        assert_eq!(values(&MINUTE, "*/9999999999"), [0]);
        assert_eq!(values(&DAY_OF_MONTH, "4/100"), [4]);
    }

    #[test]
    fn seven_is_sunday() {
        assert_eq!(values(&DAY_OF_WEEK, "7"), [0]);
        assert_eq!(values(&DAY_OF_WEEK, "fri-7"), [0, 5, 6]);
        assert_eq!(values(&DAY_OF_WEEK, "7/2"), [0]);
        assert_eq!(values(&DAY_OF_WEEK, "1/2"), [1, 3, 5]);
        assert_eq!(values(&DAY_OF_WEEK, "*"), [0, 1, 2, 3, 4, 5, 6]);
    }

    #[test]
    fn only_a_star_without_a_step_sets_the_star_flag() {
        for text in ["*", "?", "*/1", "3,*", "1-2,?"] {
            assert!(DAY_OF_MONTH.parse(text, seed()).unwrap().star, "{text}");
        }
        for text in ["*/2", "1-31", "1", "1/1", "?/3"] {
            assert!(!DAY_OF_MONTH.parse(text, seed()).unwrap().star, "{text}");
        }
    }

    #[test]
    fn stars_open_steps_and_whole_ranges_are_wildcards() {
        for text in ["*", "?", "*/2", "0/2", "5,*/12", "0-23", "0-11,12-23"] {
            assert!(HOUR.parse(text, seed()).unwrap().wildcard, "{text}");
        }
        for text in ["2", "0-22", "8-17/2", "1,2,3"] {
            assert!(!HOUR.parse(text, seed()).unwrap().wildcard, "{text}");
        }
    }

    #[test]
    fn an_error_names_field_and_value() {
        assert_eq!(reason(&MINUTE, "60"), "minute 60 is out of range 0-59");
        assert_eq!(reason(&HOUR, "5-1"), "hour range \"5-1\" runs backwards");
        assert_eq!(reason(&MINUTE, "1,,2"), "minute \"1,,2\" has an empty item");
        assert_eq!(reason(&MINUTE, "*/0"), "minute \"*/0\" has an invalid step \"0\"");
        assert_eq!(reason(&MINUTE, "+5"), "minute \"+5\" is not a value");
        assert_eq!(reason(&MINUTE, "5-x"), "minute \"5-x\": \"x\" is not a value");
        let fault = DAY_OF_WEEK.parse("Monday", seed()).unwrap_err();
        assert_eq!(fault.suggestion, "use the three-letter name mon");
    }
}
