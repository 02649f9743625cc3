//! Definitions written by hand: those that are refused, with their messages (field, value, reason, fix), and those that are not.

use jiff::{SignedDuration, Timestamp};
use punctual::schedule::{Definition, Exclusion, Expressions, Schedule, ScheduleError};

use super::at;

fn one(expression: &str) -> Definition {
    Definition {
        expressions: Expressions::One(expression.to_owned()),
        time_zone: "Europe/Berlin".to_owned(),
        ..Definition::default()
    }
}

fn several(expressions: &[&str]) -> Definition {
    Definition {
        expressions: Expressions::Several(expressions.iter().map(|text| (*text).to_owned()).collect()),
        ..one("")
    }
}

fn without(mut definition: Definition, crontabs: &[&str]) -> Definition {
    let crontabs = crontabs.iter().map(|text| Exclusion::Schedule((*text).to_owned()));
    definition.exclude.extend(crontabs);
    definition
}

fn interval(mut definition: Definition, from: &str, until: &str) -> Definition {
    let (from, until) = (from.to_owned(), until.to_owned());
    definition.exclude.push(Exclusion::Interval { from, until });
    definition
}

fn life(definition: Definition, start: &str, end: &str) -> Definition {
    Definition {
        start_at: start.parse().ok(),
        end_at: end.parse().ok(),
        ..definition
    }
}

fn jitter(definition: Definition, jitter: SignedDuration) -> Definition {
    Definition { jitter, ..definition }
}

fn schedule(definition: &Definition) -> Schedule {
    Schedule::new(definition, "default/backup").unwrap()
}

fn slots(definition: &Definition, from: &str, number: usize) -> Vec<String> {
    let schedule = schedule(definition);
    schedule.slots(at(from)).take(number).map(|slot| slot.to_string()).collect()
}

#[test]
fn an_error_names_its_field() {
    let hour = SignedDuration::from_hours(1);
    for (definition, message) in [
        (several(&[]), "schedules is empty: use at least one expression, or schedule"),
        (
            several(&["@daily", "0 24 * * *"]),
            "schedules[1] \"0 24 * * *\": hour 24 is out of range 0-23",
        ),
        (
            several(&["@daily", "0 0 31 2 *"]),
            "schedules[1] \"0 0 31 2 *\": never matches a date",
        ),
        (
            without(one("@daily"), &["* 25 * * *"]),
            "exclude[0].schedule \"* 25 * * *\": hour 25 is out of range 0-23",
        ),
        (
            without(one("@daily"), &["* 5 * * *", "@every 5m"]),
            "exclude[1].schedule \"@every 5m\": @every is not a time of day: use a crontab, for example * 22-23 * * *,",
        ),
        (
            without(one("@daily"), &["* * 30 2 *"]),
            "exclude[0].schedule \"* * 30 2 *\": never matches a date",
        ),
        (
            interval(one("@daily"), "soon", "2027-01-01"),
            "exclude[0].from \"soon\": must be a date, a local time or an RFC 3339 timestamp: for example 2026-12-24,",
        ),
        (
            interval(one("@daily"), "2027-01-02", "2027-01-01"),
            "exclude[0].until \"2027-01-01\": must be after from (2027-01-02)",
        ),
        (
            life(one("@daily"), "2027-01-01T00:00:00Z", "2027-01-01T00:00:00Z"),
            "endAt \"2027-01-01T00:00:00Z\": must be after startAt (2027-01-01T00:00:00Z): use a later endAt, or omit it",
        ),
        (jitter(one("@daily"), -hour), "jitter \"-1h\": must not be negative"),
        (
            jitter(one("@daily"), SignedDuration::from_millis(1500)),
            "jitter \"1.5s\": must be a whole number of seconds",
        ),
        (
            jitter(one("*/30 * * * *"), hour),
            "jitter \"1h\": must not be longer than the 30m between two slots: use at most 30m",
        ),
        (
            jitter(several(&["0 * * * *", "5 2 * * *"]), hour),
            "jitter \"1h\": must not be longer than the 5m between two slots: use at most 5m",
        ),
    ] {
        let refused = Schedule::new(&definition, "default/backup").unwrap_err().to_string();
        assert!(refused.starts_with(message), "{refused}");
    }
}

/// S5
#[test]
fn a_schedule_without_slots_is_refused_with_a_fix() {
    let year = ("2027-01-01T00:00:00Z", "2028-01-01T00:00:00Z");
    for (definition, message) in [
        (
            without(one("30 2 * * *"), &["* 2 * * *"]),
            "schedule \"30 2 * * *\": never runs because all its slots are excluded: exclude less",
        ),
        (
            without(several(&["* * * * * *", "@every 7s"]), &["0-29 * * * * *", "30-59 * * * * *"]),
            "schedules \"* * * * * *; @every 7s\": never",
        ),
        (
            without(one("@every 86399s"), &["@hourly", "* 1-59 * * * *", "* * 1-23 * * *"]),
            "schedule \"@every 86399s\": never",
        ),
        (
            life(one("0 0 29 2 *"), year.0, year.1),
            "schedule \"0 0 29 2 *\": never runs because it has no slot from startAt (2027-01-01T00:00:00Z) to endAt (2028-01-01T00:00:00Z): fix startAt or endAt",
        ),
        (
            life(one("@daily"), "", "1969-01-01T00:00:00Z"),
            "schedule \"@daily\": never runs because it has no slot before endAt (1969-01-01T00:00:00Z)",
        ),
        (
            interval(life(one("0 12 * * *"), year.0, year.1), "2026-12-31", "2028-01-02"),
            "schedule \"0 12 * * *\": never runs because all its slots are excluded: exclude less",
        ),
    ] {
        let refused = Schedule::new(&definition, "default/backup").unwrap_err();
        assert!(matches!(refused, ScheduleError::Never { .. }), "{refused}");
        assert!(refused.to_string().starts_with(message), "{refused}");
    }
}

#[test]
fn a_schedule_that_costs_too_much_is_refused_with_a_fix() {
    let list = |number: usize, text: &dyn Fn(usize) -> String| (0..number).map(text).collect::<Vec<_>>();
    let odd = list(10, &|n| format!("@every {}s", 601 + 2 * n));
    let by_seconds = list(30, &|n| format!("{},{} * 0-22 * * *", 2 * n, 2 * n + 1));
    let dates = list(32, &|n| format!("{n} * {}-{} {} {}", n % 9 + 1, n % 19 + 10, n % 12 + 1, n % 7));
    let members = list(10, &|n| format!("{n} 3 */{} * {}", n + 2, n % 7));
    fn text(list: &[String]) -> Vec<&str> {
        list.iter().map(String::as_str).collect()
    }
    for (definition, message) in [
        (
            several(&["@daily"; 11]),
            "schedules: too complex: 11 entries: use at most 10, or several tasks",
        ),
        (
            without(one("@daily"), &["* 1 * * *"; 33]),
            "exclude: too complex: 33 entries: use at most 32, or several tasks",
        ),
        (
            several(&text(&odd)),
            "schedules: too complex: @every with a period that does not divide a day makes every day different",
        ),
        (
            without(several(&["@every 5m", "* * * * * *"]), &text(&by_seconds)),
            "schedules: too complex: on some days exclude leaves almost nothing of schedules[1] (2 schedules and 30 exclusions): exclude whole",
        ),
        (
            without(several(&text(&members)), &text(&dates)),
            "schedules: too complex: 10 schedules and 32 exclusions make more than 512 different kinds of days: use fewer",
        ),
        (
            without(one("@every 2h"), &["0 * * 1-11 *"]),
            "schedule: too complex: the slots of @every 7200s that exclude leaves take too long to find (1 schedule and 1 exclusion): remove that schedule, or",
        ),
    ] {
        let refused = Schedule::new(&definition, "default/backup").unwrap_err();
        assert!(matches!(refused, ScheduleError::TooComplex { .. }), "{refused}");
        assert!(refused.to_string().starts_with(message), "{refused}");
    }
}

#[test]
fn excluded_schedules_cost_nothing_beside_another() {
    let nine: Vec<String> = (0..9)
        .map(|n| format!("* {n} 0-11 * * *"))
        .chain(["0 7 15 1 1 *".to_owned()])
        .collect();
    let nine: Vec<&str> = nine.iter().map(String::as_str).collect();
    let hostile = jitter(without(several(&nine), &["* 0-11 * * *"; 32]), SignedDuration::from_secs(2));
    assert_eq!(
        slots(&hostile, "2026-06-01T00:00:00Z", 2),
        ["2027-01-01T14:07:00Z", "2028-01-01T14:07:00Z"]
    );
    assert_eq!(schedule(&hostile).count(Timestamp::UNIX_EPOCH, at("2026-06-01T00:00:00Z")), 56);
}

#[test]
fn an_instant_that_several_expressions_match_is_one_slot() {
    let both = several(&["0 */6 * * *", "0 0,12 * * *", "@every 12h"]);
    assert_eq!(
        slots(&both, "2026-07-01T10:00:00Z", 4),
        [
            "2026-07-01T12:00:00Z",
            "2026-07-01T16:00:00Z",
            "2026-07-01T22:00:00Z",
            "2026-07-02T00:00:00Z"
        ]
    );
    let berlin = schedule(&both);
    // Midnight, six, noon and six in Berlin, and in summer two more of UTC.
    assert_eq!(berlin.count(at("2026-07-01T00:00:00Z"), at("2026-07-02T00:00:00Z")), 6);
    assert_eq!(berlin.expression(), "0 */6 * * *; 0 0,12 * * *; @every 12h");
}

#[test]
fn each_expression_handles_a_change_of_the_clock() {
    // Berlin, 2026-03-29: 02:00 to 03:00 are skipped at 01:00Z. The fixed time is made up for, the wildcard is not.
    let both = several(&["30 2 * * *", "20 */2 * * *"]);
    assert_eq!(
        slots(&both, "2026-03-28T23:30:00Z", 3),
        ["2026-03-29T01:00:00Z", "2026-03-29T02:20:00Z", "2026-03-29T04:20:00Z"]
    );
    // 2026-10-25: 02:00 to 03:00 come twice, from 00:00Z and from 01:00Z on.
    assert_eq!(
        slots(&both, "2026-10-24T23:00:00Z", 4),
        [
            "2026-10-25T00:20:00Z",
            "2026-10-25T00:30:00Z",
            "2026-10-25T01:20:00Z",
            "2026-10-25T03:20:00Z"
        ]
    );
}

#[test]
fn five_fields_exclude_a_minute_and_six_a_second() {
    let every_second = |crontab| schedule(&without(one("* * * * * *"), &[crontab]));
    let (from, until) = (at("2026-06-01T09:59:59Z"), at("2026-06-01T10:59:59Z"));
    for (crontab, left) in [
        ("* 12 * * *", 0),
        ("30 12 * * *", 3540),
        ("0 30 12 * * *", 3599),
        ("@hourly", 3540),
        ("@daily", 3600),
        ("H 12 * * *", 3540),
    ] {
        assert_eq!(every_second(crontab).count(from, until), left, "{crontab}");
    }
}

#[test]
fn an_excluded_time_is_not_made_up_for() {
    // Excluded each day; without this rule it would run once a year, at the end of the gap.
    let night = without(several(&["30 2 * * *", "0 12 * * *"]), &["* 2 * * *"]);
    assert_eq!(
        slots(&night, "2026-03-28T12:00:00Z", 2),
        ["2026-03-29T10:00:00Z", "2026-03-30T10:00:00Z"]
    );
    // The end of the gap is excluded.
    let morning = without(one("30 2 * * *"), &["* 3 * * *"]);
    assert_eq!(slots(&morning, "2026-03-28T12:00:00Z", 1), ["2026-03-30T00:30:00Z"]);
}

#[test]
fn slots_lie_from_start_at_to_before_end_at() {
    let definition = life(one("@hourly"), "2026-06-01T10:00:00Z", "2026-06-01T12:00:00Z");
    let hourly = schedule(&definition);
    assert_eq!(
        slots(&definition, "2020-01-01T00:00:00Z", 9),
        ["2026-06-01T10:00:00Z", "2026-06-01T11:00:00Z"]
    );
    assert_eq!(hourly.count(Timestamp::MIN, Timestamp::MAX), 2);
    assert_eq!(hourly.previous(Timestamp::MAX), Some(at("2026-06-01T11:00:00Z")));
    let parts = life(one("* * * * * *"), "2026-06-01T10:00:00.5Z", "2026-06-01T10:00:02.5Z");
    assert_eq!(
        slots(&parts, "2020-01-01T00:00:00Z", 9),
        ["2026-06-01T10:00:01Z", "2026-06-01T10:00:02Z"]
    );
}

#[test]
fn h_depends_only_on_the_task() {
    let of = |seed: &str| {
        let schedule = Schedule::new(&one("H H * * *"), seed).unwrap();
        schedule.next(at("2026-06-01T00:00:00Z")).unwrap()
    };
    assert_eq!(of("default/backup"), of("default/backup"));
    assert_eq!(of("default/backup"), at("2026-06-01T09:04:00Z"));
    let distinct: std::collections::BTreeSet<Timestamp> = (0..1000).map(|n| of(&format!("ns/{n}"))).collect();
    assert!(distinct.len() > 680, "{}", distinct.len());
}

#[test]
fn started_by_waits_for_the_jitter_of_the_newest_slot() {
    let hourly = schedule(&jitter(one("@hourly"), SignedDuration::from_mins(30)));
    let slot = at("2026-06-01T10:00:00Z");
    let start = hourly.starts_at(slot);
    assert!(slot < start && start < slot + SignedDuration::from_mins(30));
    let nanosecond = SignedDuration::from_nanos(1);
    assert_eq!(hourly.started_by(slot - nanosecond), slot - nanosecond);
    assert_eq!(hourly.started_by(slot), slot - nanosecond);
    assert_eq!(hourly.started_by(start - nanosecond), slot - nanosecond);
    assert_eq!(hourly.started_by(start), start);
    let plain = schedule(&one("@hourly"));
    assert_eq!((plain.starts_at(slot), plain.started_by(start)), (slot, start));
}
