//! Definitions with rare slots, against a plain scan of each day from 1970 to 2100.

use jiff::Timestamp;
use jiff::tz::TimeZone;
use proptest::prelude::*;
use punctual::schedule::{Definition, Exclusion, Expressions, Schedule, ScheduleError};

use super::oracle::Judge;

/// The years that several expressions cover, without two days at each end, in days since 1970.
const DAYS: std::ops::Range<i64> = 2..47_845;

fn dates() -> impl Strategy<Value = String> {
    let day = prop::sample::select(vec!["*", "1", "13", "29", "30", "31", "1-7", "*/9", "28,29"]);
    let month = prop::sample::select(vec!["*", "2", "2", "1,7", "4-9", "12"]);
    let weekday = prop::sample::select(vec!["*", "*", "1", "5", "0,6", "1-5"]);
    (day, month, weekday).prop_map(|(day, month, weekday)| format!("{day} {month} {weekday}"))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(30))]

    #[test]
    fn each_day_from_1970_to_2100_agrees_with_a_scan(
        members in prop::collection::vec((0..24_u32, dates()), 1..5),
        exclude in prop::collection::vec((0..20_u32, dates()), 1..6),
    ) {
        let expressions: Vec<String> = members.iter().map(|(hour, dates)| format!("30 {hour} {dates}")).collect();
        let crontabs: Vec<String> = exclude.iter().map(|(hour, dates)| format!("* {hour}-{} {dates}", hour + 4)).collect();
        let definition = Definition {
            expressions: Expressions::Several(expressions.clone()),
            time_zone: "UTC".to_owned(),
            exclude: crontabs.iter().cloned().map(Exclusion::Schedule).collect(),
            ..Definition::default()
        };
        let named: Vec<Judge> = expressions.iter().map(|text| Judge::new(text)).collect();
        let blackouts: Vec<Judge> = crontabs.iter().map(|text| Judge::new(&format!("* {text}"))).collect();
        let mut hours: Vec<i64> = members.iter().map(|(hour, _)| i64::from(*hour)).collect();
        hours.sort_unstable();
        hours.dedup();
        let instant = |second: i64| Timestamp::from_second(second).unwrap();
        let is_slot = |slot: &Timestamp| {
            let local = TimeZone::UTC.to_datetime(*slot);
            named.iter().any(|judge| judge.shows(local)) && !blackouts.iter().any(|judge| judge.shows(local))
        };
        let times = DAYS.flat_map(|day| hours.iter().map(move |hour| instant(day * 86_400 + hour * 3600 + 1800)));
        let expected: Vec<Timestamp> = times.filter(is_slot).collect();
        let schedule = match Schedule::new(&definition, "default/backup") {
            Ok(schedule) => schedule,
            Err(ScheduleError::Never { .. }) => {
                // Also if one of them matches no date, such as 30 February.
                let without = Definition {
                    exclude: Vec::new(),
                    ..definition
                };
                prop_assert!(expected.is_empty() || Schedule::new(&without, "").is_err());
                return Ok(());
            }
            // Such as 30 February.
            Err(ScheduleError::Expression { field, .. }) if field.starts_with("exclude") => return Ok(()),
            Err(error) => return Err(TestCaseError::fail(error.to_string())),
        };
        prop_assert_eq!(schedule.count(Timestamp::MIN, Timestamp::MAX), expected.len() as u64);
        let forward: Vec<Timestamp> = schedule.slots(Timestamp::MIN).collect();
        prop_assert_eq!(&forward, &expected);
        let mut backward: Vec<Timestamp> = std::iter::successors(schedule.previous(Timestamp::MAX), |slot| schedule.previous(*slot)).collect();
        backward.reverse();
        prop_assert_eq!(&backward, &expected);
        for (n, pair) in expected.windows(2).enumerate().step_by(expected.len() / 50 + 1) {
            prop_assert_eq!(schedule.count(Timestamp::MIN, pair[0]), n as u64 + 1);
            prop_assert_eq!(schedule.latest(Timestamp::MIN, pair[1]), Some(pair[1]));
        }
    }
}
