//! Parses `H` items: a value picked by hash, so that tasks with the same schedule do not all start at once.
//!
//! `H`, `H(0-29)`, `H/15` and `H(0-29)/10` mean what they mean in Jenkins, with one difference: `H/1` is every value, where Jenkins
//! ignores a step of 1. The value depends only on the seed and the field, never on chance: see [`super::hash`].

use super::error::{Excerpt, Fault};
use super::field::{Field, FieldKind};
use super::hash::Seed;

/// One value of the field or of the range `(N-M)`; with a step, every step-th value from a hashed first one. `within` is the
/// text between the letter and the step.
///
/// # Errors
/// The range is wrong, or the step is larger than the range.
pub(super) fn parse(kind: &FieldKind, item: &str, within: &str, step: Option<usize>, seed: Seed) -> Result<Field, Fault> {
    let (from, to) = match within.strip_prefix('(').and_then(|rest| rest.strip_suffix(')')) {
        Some(range) if range.contains('-') => kind.range(item, range)?,
        None if within.is_empty() => (kind.min, kind.hash_max),
        _ => {
            let reason = format!("{} {} is not a value", kind.name, Excerpt(item));
            let (min, max) = (kind.min, kind.hash_max);
            return Err(Fault::new(reason, format!("use H, H({min}-{max}), H/2 or H({min}-{max})/2")));
        }
    };
    let width = to - from + 1;
    let choices = match step.map(u32::try_from) {
        None => width,
        Some(Ok(step)) if step <= width => step,
        Some(_) => {
            let reason = format!("{} {} has a step larger than the range {from}-{to}", kind.name, Excerpt(item));
            return Err(Fault::new(reason, format!("use a step of at most {width}")));
        }
    };
    let picked = seed.below(kind.name.as_bytes(), u64::from(choices));
    let first = from + u32::try_from(picked).unwrap_or_default();
    let last = if step.is_some() { to } else { first };
    Ok(Field {
        set: kind.set(first..=last, step.unwrap_or(1)),
        star: false,
        wildcard: step.is_some() && within.is_empty(),
    })
}

#[cfg(test)]
mod tests {
    use super::super::field::{DAY_OF_MONTH, DAY_OF_WEEK, HOUR, MINUTE, MONTH, SECOND};
    use super::super::field_list::parse;
    use super::{FieldKind, Seed};

    fn seed() -> Seed {
        Seed::of("default/backup")
    }

    fn number_of_values(kind: &FieldKind, text: &str) -> u32 {
        parse(kind, text, seed()).unwrap().set.count_ones()
    }

    fn reason(kind: &FieldKind, text: &str) -> String {
        parse(kind, text, seed()).unwrap_err().reason
    }

    #[test]
    fn h_is_one_value_of_its_range() {
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
            let field = parse(kind, text, seed()).unwrap();
            assert_eq!(field.set.count_ones(), 1, "{text}");
            assert!((from..=to).contains(&field.set.trailing_zeros()), "{text}");
            assert!(!field.star && !field.wildcard, "{text}");
        }
    }

    #[test]
    fn h_with_a_step_starts_at_a_hashed_value() {
        for n in 0..100 {
            let field = parse(&MINUTE, "H/15", Seed::of(&n.to_string())).unwrap();
            let first = field.set.trailing_zeros();
            assert!(first < 15 && field.wildcard && !field.star);
            assert_eq!(field.set, (0..4).fold(0, |set, n| set | 1 << (first + 15 * n)));
            let field = parse(&MINUTE, "H(0-29)/10,45", Seed::of(&n.to_string())).unwrap();
            assert_eq!(field.set.count_ones(), 4);
            assert!(field.set.trailing_zeros() < 10 && field.set >> 30 == 1 << 15 && !field.wildcard);
        }
        assert_eq!(number_of_values(&DAY_OF_MONTH, "H/14"), 2);
        assert_eq!(number_of_values(&HOUR, "H/1"), 24);
    }

    #[test]
    fn a_malformed_h_is_refused() {
        assert_eq!(reason(&MINUTE, "H(9-1)"), "minute range \"H(9-1)\" runs backwards");
        assert_eq!(reason(&MINUTE, "H/61"), "minute \"H/61\" has a step larger than the range 0-59");
        assert_eq!(reason(&HOUR, "H(0-24)"), "hour 24 is out of range 0-23");
        assert_eq!(reason(&MINUTE, "H/0"), "minute \"H/0\" has an invalid step \"0\"");
        for text in ["H5", "H(5)", "H()", "H(", "H(0-5", "H-5", "HH", "H(0-5)x", "H(0-5)(0-5)"] {
            assert!(reason(&MINUTE, text).contains("is not a value"), "{text}");
        }
        assert!(reason(&MINUTE, "5-H").contains("is not a value"));
    }
}
