//! Parses one field of a crontab: a list of items.
//!
//! The result is the set of values, and how it was written where that matters (star flag, wildcard). The grammar is that of
//! robfig/cron v3.0.1 `ParseStandard`, which CronJob uses, without its accidents (`1,,2`, `+5`, `*-foo`) and with `H`
//! ([`super::jenkins_hash`]). A field knows nothing of the other fields.

use super::error::{Excerpt, Fault};
use super::field::{Field, FieldKind};
use super::hash::Seed;
use super::jenkins_hash;

/// Parses a list of items `*`, `?`, `N`, `N-M`, `H`, `H(N-M)`, each with an optional `/step`.
///
/// # Errors
/// The first item that is wrong.
pub(super) fn parse(kind: &FieldKind, text: &str, seed: Seed) -> Result<Field, Fault> {
    parse_with(kind, text, seed, |_| Ok(false))
}

/// Like [`parse`], but skips the items for which `takes` returns true.
pub(super) fn parse_with(
    kind: &FieldKind,
    text: &str,
    seed: Seed,
    mut takes: impl FnMut(&str) -> Result<bool, Fault>,
) -> Result<Field, Fault> {
    let mut field = Field::default();
    for item in text.split(',') {
        if item.is_empty() {
            let reason = format!("{} {} has an empty item", kind.name, Excerpt(text));
            return Err(Fault::new(reason, "remove the extra comma"));
        }
        if takes(item)? {
            continue;
        }
        let found = parse_item(kind, item, seed)?;
        field.set |= found.set;
        field.star |= found.star;
        field.wildcard |= found.wildcard;
    }
    field.wildcard |= field.set == kind.all();
    Ok(field)
}

fn parse_item(kind: &FieldKind, item: &str, seed: Seed) -> Result<Field, Fault> {
    let (range, step) = match item.split_once('/') {
        None => (item, None),
        Some((range, step)) => (range, Some(parse_step(kind, item, step)?)),
    };
    if let Some(within) = range.strip_prefix(['H', 'h']) {
        return jenkins_hash::parse(kind, item, within, step, seed);
    }
    let every = matches!(range, "*" | "?");
    let (from, to) = match range.split_once('-') {
        _ if every => (kind.min, kind.max),
        None => {
            let value = kind.value(item, range)?;
            (value, if step.is_some() { kind.max.max(value) } else { value })
        }
        Some(_) => kind.range(item, range)?,
    };
    let open = every || (step.is_some() && !range.contains('-'));
    let step = step.unwrap_or(1);
    Ok(Field {
        set: kind.set(from..=to, step),
        star: every && step == 1,
        wildcard: open,
    })
}

/// Parses a step: digits, at least 1. One larger than the field leaves the first value.
fn parse_step(kind: &FieldKind, item: &str, text: &str) -> Result<usize, Fault> {
    let digits = !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    // As Go's int on 64 bits, so that the same numbers are accepted as by CronJob.
    match text.parse::<i64>() {
        Ok(step) if digits && step >= 1 => Ok(usize::try_from(step).unwrap_or(usize::MAX)),
        _ => Err(Fault::new(
            format!("{} {} has an invalid step {}", kind.name, Excerpt(item), Excerpt(text)),
            "use a whole number of at least 1",
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::super::field::{DAY_OF_MONTH, DAY_OF_WEEK, HOUR, MINUTE, MONTH};
    use super::*;

    fn seed() -> Seed {
        Seed::of("default/backup")
    }

    fn values(kind: &FieldKind, text: &str) -> Vec<u32> {
        let set = parse(kind, text, seed()).unwrap().set;
        (0..64).filter(|n| set >> n & 1 == 1).collect()
    }

    fn reason(kind: &FieldKind, text: &str) -> String {
        parse(kind, text, seed()).unwrap_err().reason
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
            assert!(parse(&DAY_OF_MONTH, text, seed()).unwrap().star, "{text}");
        }
        for text in ["*/2", "1-31", "1", "1/1", "?/3"] {
            assert!(!parse(&DAY_OF_MONTH, text, seed()).unwrap().star, "{text}");
        }
    }

    #[test]
    fn stars_open_steps_and_whole_ranges_are_wildcards() {
        for text in ["*", "?", "*/2", "0/2", "5,*/12", "0-23", "0-11,12-23"] {
            assert!(parse(&HOUR, text, seed()).unwrap().wildcard, "{text}");
        }
        for text in ["2", "0-22", "8-17/2", "1,2,3"] {
            assert!(!parse(&HOUR, text, seed()).unwrap().wildcard, "{text}");
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
        let fault = parse(&DAY_OF_WEEK, "Monday", seed()).unwrap_err();
        assert_eq!(fault.suggestion, "use the three-letter name mon");
    }
}
