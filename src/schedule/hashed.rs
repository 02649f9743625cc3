//! `H`: a value that the seed picks, so that tasks written alike do not start at once.
//!
//! Takes an item such as `H`, `H(0-29)`, `H/15` or `H(0-29)/10` and a seed; gives its values. The meaning is Jenkins', but that
//! a step of 1 is a step, and not left out: `H/1` is each value. Never picks at random: see [`super::hash`].

use super::error::{Excerpt, Fault, Part};
use super::field::{Field, Kind};
use super::hash::Seed;

impl Kind {
    /// Jenkins' `H`: one value of the field or of `(N-M)`, picked by the seed; with a step, every so many from a first one
    /// that the seed picks. `within` is what follows the letter.
    pub(super) fn hashed(&self, item: &str, within: &str, step: Option<usize>, seed: Seed) -> Result<Field, Fault> {
        let (from, to) = match within.strip_prefix('(').and_then(|rest| rest.strip_suffix(')')) {
            Some(range) if range.contains('-') => self.range(item, range)?,
            None if within.is_empty() => (self.min, self.hashed),
            _ => {
                let reason = format!("{} {} is not a value", self.part, Excerpt(item));
                let (min, max) = (self.min, self.hashed);
                return Err(self.fault(reason, format!("write H, H({min}-{max}), H/2 or H({min}-{max})/2")));
            }
        };
        let width = to - from + 1;
        let choices = match step.map(u32::try_from) {
            None => width,
            Some(Ok(step)) if step <= width => step,
            Some(_) => {
                let reason = format!("{} {} has a step that is longer than {from}-{to}", self.part, Excerpt(item));
                return Err(self.fault(reason, format!("write a step of at most {width}")));
            }
        };
        let picked = seed.below(self.purpose(), u64::from(choices));
        let first = from + u32::try_from(picked).unwrap_or_default();
        let last = if step.is_some() { to } else { first };
        Ok(Field {
            set: self.set(first..=last, step.unwrap_or(1)),
            star: false,
            wildcard: step.is_some() && within.is_empty(),
        })
    }

    /// What sets the hash of a field apart from those of the others. Never change these: every `H` would move.
    fn purpose(&self) -> &'static [u8] {
        match self.part {
            Part::Second => b"second",
            Part::Minute => b"minute",
            Part::Hour => b"hour",
            Part::DayOfMonth => b"day of month",
            Part::Month => b"month",
            Part::DayOfWeek => b"day of week",
            Part::Whole | Part::Every => b"",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::field::{DAY_OF_MONTH, DAY_OF_WEEK, HOUR, MINUTE, MONTH, SECOND};
    use super::*;

    fn seed() -> Seed {
        Seed::of("default/backup")
    }

    fn number_of_values(kind: &Kind, text: &str) -> u32 {
        kind.parse(text, seed()).unwrap().set.count_ones()
    }

    fn refusal(kind: &Kind, text: &str) -> String {
        kind.parse(text, seed()).unwrap_err().reason
    }

    #[test]
    fn h_is_one_value_of_the_field_or_of_its_range() {
        for (kind, text, from, to) in [
            (&SECOND, "H", 0, 59),
            (&MINUTE, "h", 0, 59),
            (&MINUTE, "H(10-19)", 10, 19),
            (&HOUR, "H(3-3)", 3, 3),
            (&DAY_OF_MONTH, "H", 1, 28),
            (&DAY_OF_MONTH, "H(29-31)", 29, 31),
            (&MONTH, "H(jun-aug)", 6, 8),
            (&DAY_OF_WEEK, "H(mon-5)", 1, 5),
        ] {
            let field = kind.parse(text, seed()).unwrap();
            assert_eq!(field.set.count_ones(), 1, "{text}");
            assert!((from..=to).contains(&field.set.trailing_zeros()), "{text}");
            assert!(!field.star && !field.wildcard, "{text}");
        }
    }

    #[test]
    fn h_with_a_step_begins_where_the_seed_says_and_stays_in_its_range() {
        for n in 0..100 {
            let field = MINUTE.parse("H/15", Seed::of(&n.to_string())).unwrap();
            let first = field.set.trailing_zeros();
            assert!(first < 15 && field.wildcard && !field.star);
            assert_eq!(field.set, (0..4).fold(0, |set, n| set | 1 << (first + 15 * n)));
            let field = MINUTE.parse("H(0-29)/10,45", Seed::of(&n.to_string())).unwrap();
            assert_eq!(field.set.count_ones(), 4);
            assert!(field.set.trailing_zeros() < 10 && field.set >> 30 == 1 << 15 && !field.wildcard);
        }
        assert_eq!(number_of_values(&DAY_OF_MONTH, "H/14"), 2);
        assert_eq!(number_of_values(&HOUR, "H/1"), 24);
    }

    #[test]
    fn h_that_is_none_is_refused() {
        assert_eq!(refusal(&MINUTE, "H(9-1)"), "minute range \"H(9-1)\" runs backwards");
        assert_eq!(refusal(&MINUTE, "H/61"), "minute \"H/61\" has a step that is longer than 0-59");
        assert_eq!(refusal(&HOUR, "H(0-24)"), "hour 24 is out of range 0-23");
        assert_eq!(refusal(&MINUTE, "H/0"), "minute \"H/0\" has the step \"0\"");
        for text in ["H5", "H(5)", "H()", "H(", "H(0-5", "H-5", "HH", "H(0-5)x", "H(0-5)(0-5)"] {
            assert!(refusal(&MINUTE, text).contains("is not a value"), "{text}");
        }
        assert!(refusal(&MINUTE, "5-H").contains("is not a value"));
    }
}
