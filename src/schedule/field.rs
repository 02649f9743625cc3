//! The fields of a crontab: which values each allows, and the parsing of a single value or range.
//!
//! The grammar is that of robfig/cron v3.0.1 `ParseStandard`, which CronJob uses, with 7 for Sunday. [`super::field_list`] parses
//! whole fields.

use std::ops::RangeInclusive;

use super::error::{Excerpt, Fault};

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

    /// The set of every `step`-th of some values.
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
    pub(super) fn all(&self) -> u64 {
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
