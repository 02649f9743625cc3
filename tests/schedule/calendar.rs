//! `L`, `W` and `#` on each day from 1970 to 2100, against an independent implementation over jiff's calendar.

use jiff::civil::{Date, Weekday, date};
use jiff::{SignedDuration, Timestamp};
use punctual::schedule::{DaylightSaving, Schedule, ScheduleError};

use super::{at, schedule};

/// Whether an item of day of month or day of week matches a date.
fn names(item: &str, day: Date) -> bool {
    let item = item.to_ascii_uppercase();
    let length = day.days_in_month();
    if let Some((weekday, nth)) = item.split_once('#') {
        return day.weekday() == weekday_of(weekday) && (day.day() - 1) / 7 + 1 == number(nth);
    }
    match (
        item.as_str(),
        item.strip_suffix('W'),
        item.strip_prefix("L-"),
        item.strip_suffix('L'),
    ) {
        ("L", ..) => day.day() == length,
        ("LW", ..) => is_workday(day) && days_of(day).filter(|other| *other > day).all(|later| !is_workday(later)),
        (_, Some(wanted), ..) => nearest_workday(number(wanted), day) == Some(day),
        (_, _, Some(before), _) => day.day() == length - number(before),
        (_, _, _, Some(weekday)) => day.weekday() == weekday_of(weekday) && day.day() + 7 > length,
        _ => day.day() == number(&item),
    }
}

fn number(text: &str) -> i8 {
    text.parse().unwrap()
}

fn weekday_of(text: &str) -> Weekday {
    let names = ["SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"];
    let at = names
        .iter()
        .position(|name| *name == text)
        .map_or_else(|| number(text), |at| at as i8);
    Weekday::from_sunday_zero_offset(at % 7).unwrap()
}

fn is_workday(day: Date) -> bool {
    !matches!(day.weekday(), Weekday::Saturday | Weekday::Sunday)
}

/// All days of a date's month.
fn days_of(day: Date) -> impl Iterator<Item = Date> {
    (1..=day.days_in_month()).map(move |n| date(day.year(), day.month(), n))
}

fn nearest_workday(wanted: i8, day: Date) -> Option<Date> {
    let workdays = days_of(day).filter(|day| is_workday(*day));
    let nearest = workdays.min_by_key(|day| (day.day() - wanted).abs());
    nearest.filter(|_| wanted <= day.days_in_month())
}

fn midnight(day: Date) -> Timestamp {
    day.to_zoned(jiff::tz::TimeZone::UTC).unwrap().timestamp()
}

/// Asserts that the slots of a schedule of midnights are the dates for which `wanted` is true: forward, backward and counted.
fn agree(expression: &str, wanted: impl Fn(Date) -> bool) {
    let schedule = schedule(expression, "UTC");
    let all = std::iter::successors(Some(date(1970, 1, 1)), |day| day.tomorrow().ok());
    let expected: Vec<Timestamp> = all
        .take_while(|day| day.year() <= 2100)
        .filter(|day| wanted(*day))
        .map(midnight)
        .collect();
    let forward: Vec<Timestamp> = schedule.slots(at("1969-01-01T00:00:00Z")).collect();
    assert_eq!(forward, expected, "{expression}");
    let last = schedule.previous(at("2102-01-01T00:00:00Z"));
    let mut backward: Vec<Timestamp> = std::iter::successors(last, |slot| schedule.previous(*slot)).collect();
    backward.reverse();
    assert_eq!(backward, expected, "{expression}");
    for pair in expected.windows(13).step_by(5) {
        assert_eq!(schedule.count(pair[0], pair[12]), 12, "{expression}");
        assert_eq!(schedule.count(pair[0], pair[12] - SignedDuration::from_secs(1)), 11, "{expression}");
        // Backward from the middle between two slots.
        let middle = pair[0] + pair[1].duration_since(pair[0]) / 2;
        assert_eq!(schedule.previous(middle), Some(pair[0]), "{expression}");
    }
    assert_eq!(
        schedule.count(Timestamp::MIN, Timestamp::MAX),
        expected.len() as u64,
        "{expression}"
    );
}

#[test]
fn day_of_month_rules_match_the_calendar() {
    for item in [
        "L", "l-1", "L-3", "L-28", "L-29", "L-30", "LW", "1W", "2w", "15W", "27W", "28W", "29W", "30W", "31W",
    ] {
        agree(&format!("0 0 {item} * *"), |day| names(item, day));
    }
}

#[test]
fn day_of_week_rules_match_the_calendar() {
    for item in ["FRI#1", "5#2", "mon#4", "SUN#5", "7#5", "5L", "FRIL", "0L", "7l", "wedL"] {
        agree(&format!("0 0 * * {item}"), |day| names(item, day));
    }
}

#[test]
fn rules_combine_with_lists_months_and_the_other_field() {
    agree("0 0 1,15W,L * *", |day| ["1", "15W", "L"].iter().any(|item| names(item, day)));
    agree("0 0 L 2 *", |day| day.month() == 2 && names("L", day));
    agree("0 0 29W 2,3 ?", |day| [2, 3].contains(&day.month()) && names("29W", day));
    agree("0 0 L-30 1-4 *", |day| day.month() <= 4 && names("L-30", day));
    agree("0 0 LW * FRI#2", |day| names("LW", day) || names("FRI#2", day));
    agree("0 0 13 * 5L", |day| day.day() == 13 || names("5L", day));
    agree("0 0 L * 1,5#3", |day| {
        names("L", day) || day.weekday() == Weekday::Monday || names("5#3", day)
    });
    agree("0 0 *,L 2 mon#1", |day| day.month() == 2 && names("MON#1", day));
    agree("0 0 L 6 *,mon#1", |day| day.month() == 6 && names("L", day));
}

#[test]
fn a_rule_that_matches_no_date_is_refused() {
    for expression in ["0 0 L-30 2 *", "0 0 31W 4,6 *", "0 0 30W 2 ?", "0 0 L-29 2 *"] {
        let refused = Schedule::parse(expression, "UTC", DaylightSaving::default()).unwrap_err();
        assert!(matches!(refused, ScheduleError::Never { .. }), "{refused}");
        assert!(refused.to_string().contains("never matches a date"), "{refused}");
    }
}

#[test]
fn errors_about_rules_name_a_fix() {
    for (expression, message) in [
        (
            "0 0 L/2 * *",
            r#"schedule "0 0 L/2 * *": day of month "L/2" combines L or W with something else: use L, L-3, 15W or LW, alone or in a list"#,
        ),
        ("0 0 32W * *", r#"schedule "0 0 32W * *": day of month 32 is out of range 1-31"#),
        (
            "0 0 * * L",
            r#"schedule "0 0 * * L": day of week "L" does not name a day: use FRIL or 5L for the last Friday, SAT for every Saturday"#,
        ),
        (
            "0 0 * * FRI#6",
            r#"schedule "0 0 * * FRI#6": day of week "FRI#6": no month has this week: use #1 to #5, or L for the last: FRI#2, FRIL"#,
        ),
        ("0 0 * * 8#1", r#"schedule "0 0 * * 8#1": day of week 8 is out of range 0-7"#),
    ] {
        let refused = Schedule::parse(expression, "UTC", DaylightSaving::default());
        assert_eq!(refused.unwrap_err().to_string(), message);
    }
}
