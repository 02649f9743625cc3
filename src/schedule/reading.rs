//! From a definition to its slots.
//!
//! Takes a definition; gives the union of its expressions, or the first thing that is wrong, with the field it stands in:
//! first what is written wrongly, then what names no slot. Never looks further than the bounded questions of
//! [`super::union`], so that the answer comes at once.

use std::ops::Range;

use jiff::Timestamp;

use super::budget;
use super::definition::{Definition, Expressions};
use super::error::ScheduleError;
use super::exclude::{Excluded, ceiling};
use super::expression::Expression;
use super::hash::Seed;
use super::union::Union;
use super::zone::Zone;

/// Before and after all timestamps, in Unix seconds.
pub(super) const ALWAYS: Range<i64> = i64::MIN / 4..i64::MAX / 4;

/// The slots of a definition, in the zone it names or in one given as such.
///
/// # Errors
/// See [`super::Schedule::new`].
pub(super) fn read(definition: &Definition, given: Option<Zone>, seed: Seed) -> Result<Union, ScheduleError> {
    let expressions = expressions(definition, seed)?;
    let zone = given.map_or_else(|| Zone::named(&definition.time_zone), Ok)?;
    let excluded = Excluded::read(&definition.exclude, &zone, seed)?;
    let life = life(definition)?;
    name_dates(definition, &expressions)?;
    budget::size(definition)?;
    let policy = definition.daylight_saving;
    let union = |excluded: &Excluded| {
        let union = Union::of(&expressions, policy, zone.clone(), excluded, life.clone());
        union.map_err(|excess| excess.of(definition))
    };
    let found = union(&excluded)?;
    if !found.is_empty() {
        return Ok(found);
    }
    Err(if union(&Excluded::default())?.is_empty() {
        never(definition, &outlived(definition), "mend startAt or endAt")
    } else {
        never(definition, "exclude leaves none of its slots", "exclude less")
    })
}

/// The expression as the user wrote it, without blanks around it; several with `; ` between them.
pub(super) fn text(expressions: &Expressions) -> String {
    match expressions {
        Expressions::One(expression) => expression.trim().to_owned(),
        Expressions::Several(expressions) => {
            let trimmed: Vec<&str> = expressions.iter().map(|expression| expression.trim()).collect();
            trimmed.join("; ")
        }
    }
}

/// Each expression and the field it stands in.
fn fields(expressions: &Expressions) -> Vec<(String, &str)> {
    match expressions {
        Expressions::One(expression) => vec![("schedule".to_owned(), expression)],
        Expressions::Several(expressions) => {
            let field = |(n, expression)| (format!("schedules[{n}]"), String::as_str(expression));
            expressions.iter().enumerate().map(field).collect()
        }
    }
}

fn expressions(definition: &Definition, seed: Seed) -> Result<Vec<Expression>, ScheduleError> {
    let fields = fields(&definition.expressions);
    if fields.is_empty() {
        return Err(ScheduleError::Empty);
    }
    let parse = |(field, text): &(String, &str)| Expression::parse(text.trim(), seed).map_err(|fault| fault.of(field, text));
    fields.iter().map(parse).collect()
}

/// An expression that names no date is a mistake, also beside others that do.
fn name_dates(definition: &Definition, expressions: &[Expression]) -> Result<(), ScheduleError> {
    let fields = fields(&definition.expressions);
    let mut read = expressions.iter().zip(fields);
    let never = read.find(|(expression, _)| expression.crontab().is_some_and(|crontab| !crontab.ever()));
    never.map_or(Ok(()), |(_, (field, text))| {
        Err(ScheduleError::Never {
            field,
            expression: text.to_owned(),
            reason: "no month it names has a day it names".to_owned(),
            way_out: "mend day of month or month".to_owned(),
        })
    })
}

fn life(definition: &Definition) -> Result<Range<i64>, ScheduleError> {
    let (start, end) = (definition.start_at, definition.end_at);
    if let (Some(start), Some(end)) = (start, end)
        && end <= start
    {
        return Err(ScheduleError::Setting {
            field: "endAt".to_owned(),
            value: end.to_string(),
            reason: format!("is not after startAt ({start})"),
            way_out: "write a later endAt, or leave it out".to_owned(),
        });
    }
    Ok(start.map_or(ALWAYS.start, ceiling)..end.map_or(ALWAYS.end, ceiling))
}

fn outlived(definition: &Definition) -> String {
    let instant = |instant: Option<Timestamp>| instant.map(|instant| instant.to_string());
    match (instant(definition.start_at), instant(definition.end_at)) {
        (Some(start), Some(end)) => format!("it names no instant from startAt ({start}) to endAt ({end})"),
        (Some(start), None) => format!("it names no instant from startAt ({start}) to the end of 2100"),
        (None, Some(end)) => format!("it names no instant before endAt ({end})"),
        (None, None) => "it names no instant from 1970 to 2100".to_owned(),
    }
}

fn never(definition: &Definition, reason: &str, way_out: &str) -> ScheduleError {
    let field = match &definition.expressions {
        Expressions::One(_) => "schedule",
        Expressions::Several(_) => "schedules",
    };
    ScheduleError::Never {
        field: field.to_owned(),
        expression: text(&definition.expressions),
        reason: reason.to_owned(),
        way_out: way_out.to_owned(),
    }
}
