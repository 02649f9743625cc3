//! Compiles a definition into its slots.
//!
//! Checks the fields in a fixed order: first what is malformed, then what has no slot. It returns the slots or the first error,
//! with the field that it is about. Its cost is bounded by [`super::budget`].

use std::ops::Range;

use jiff::Timestamp;

use super::budget;
use super::definition::{Definition, Expressions};
use super::error::ScheduleError;
use super::exclude::{Exclusions, ceiling, no_date};
use super::expression::Expression;
use super::hash::Seed;
use super::slot_set::SlotSet;
use super::zone::Zone;

/// From before to after all timestamps, in Unix seconds, with room for arithmetic.
pub(super) const ALL_TIME: Range<i64> = i64::MIN / 4..i64::MAX / 4;

/// The slots of a definition. `zone` is found by the definition's time zone, once the expressions are known to be well-formed.
///
/// # Errors
/// See [`super::Schedule::new`].
pub(super) fn compile(
    definition: &Definition,
    seed: Seed,
    zone: impl FnOnce(&str) -> Result<Zone, ScheduleError>,
) -> Result<SlotSet, ScheduleError> {
    let fields = fields(&definition.expressions);
    if fields.is_empty() {
        return Err(ScheduleError::Empty);
    }
    let parse = |(field, text): &(String, &str)| Expression::parse(text.trim(), seed).map_err(|fault| fault.at(field, text));
    let expressions = fields.iter().map(parse).collect::<Result<Vec<_>, _>>()?;
    let zone = zone(&definition.time_zone)?;
    let exclusions = Exclusions::parse(&definition.exclude, &zone, seed)?;
    let life = life(definition)?;
    check_dates(&expressions, fields)?;
    budget::size(definition)?;
    let slots = |exclusions: &Exclusions| {
        let slots = SlotSet::of(&expressions, definition.daylight_saving, zone.clone(), exclusions, life.clone());
        slots.map_err(|over| over.error(definition))
    };
    let found = slots(&exclusions)?;
    if !found.is_empty() {
        return Ok(found);
    }
    let (reason, suggestion) = if slots(&Exclusions::default())?.is_empty() {
        (no_slot_in_life(definition), "fix startAt or endAt")
    } else {
        ("never runs because all its slots are excluded".to_owned(), "exclude less")
    };
    Err(ScheduleError::Never {
        field: definition.expressions.field().to_owned(),
        expression: definition.expressions.text(),
        reason,
        suggestion: suggestion.to_owned(),
    })
}

/// Each expression with the path of its field.
fn fields(expressions: &Expressions) -> Vec<(String, &str)> {
    match expressions {
        Expressions::One(expression) => vec![("schedule".to_owned(), expression)],
        Expressions::Several(expressions) => {
            let field = |(n, expression)| (format!("schedules[{n}]"), String::as_str(expression));
            expressions.iter().enumerate().map(field).collect()
        }
    }
}

/// An expression that matches no date is a mistake, even beside others that do.
fn check_dates(expressions: &[Expression], fields: Vec<(String, &str)>) -> Result<(), ScheduleError> {
    let mut parsed = expressions.iter().zip(fields);
    let never = parsed.find(|(expression, _)| expression.crontab().is_some_and(|crontab| !crontab.matches_any_date()));
    never.map_or(Ok(()), |(_, (field, text))| {
        let fault = no_date();
        Err(ScheduleError::Never {
            field,
            expression: text.to_owned(),
            reason: fault.reason,
            suggestion: fault.suggestion,
        })
    })
}

/// The instants from `startAt` to `endAt`, in Unix seconds.
fn life(definition: &Definition) -> Result<Range<i64>, ScheduleError> {
    let (start, end) = (definition.start_at, definition.end_at);
    if let (Some(start), Some(end)) = (start, end)
        && end <= start
    {
        return Err(ScheduleError::Setting {
            field: "endAt".to_owned(),
            value: end.to_string(),
            reason: format!("must be after startAt ({start})"),
            suggestion: "use a later endAt, or omit it".to_owned(),
        });
    }
    Ok(start.map_or(ALL_TIME.start, ceiling)..end.map_or(ALL_TIME.end, ceiling))
}

fn no_slot_in_life(definition: &Definition) -> String {
    let instant = |instant: Option<Timestamp>| instant.map(|instant| instant.to_string());
    let when = match (instant(definition.start_at), instant(definition.end_at)) {
        (Some(start), Some(end)) => format!("from startAt ({start}) to endAt ({end})"),
        (Some(start), None) => format!("from startAt ({start}) to the end of 2100"),
        (None, Some(end)) => format!("before endAt ({end})"),
        (None, None) => "from 1970 to 2100".to_owned(),
    };
    format!("never runs because it has no slot {when}")
}
