//! The checker's own calendar: which seconds are slots, found by walking hour by hour over wall-clock fields.
//!
//! Takes what a task says about time, gives slots. Shares no code with `src/schedule`: an own reader for the few expressions that
//! the generator writes, an own calendar; jiff is asked for one thing, the offset of a zone at an instant. Zones whose
//! clocks change at full hours by full hours only.

use jiff::{Timestamp, tz::TimeZone};
use punctual::api::{Gap, ObservedSchedule, Overlap};

const HOUR: i64 = 3600;
const DAY: i64 = 24 * HOUR;

/// The slots of a task, in seconds since 1970.
#[derive(Clone, Debug)]
pub struct Calendar {
    rules: Vec<Rule>,
    zone: Option<TimeZone>,
    gap: Gap,
    overlap: Overlap,
    start: i64,
    end: i64,
    blackouts: Vec<Rule>,
    closed: Vec<(i64, i64)>,
}

#[derive(Clone, Debug)]
enum Rule {
    Every(i64),
    Fields(Fields),
}

#[derive(Clone, Debug)]
struct Fields {
    seconds: u64,
    minutes: u64,
    hours: u64,
    days: u64,
    months: u64,
    weekdays: u64,
    either_day: bool,
    /// Wildcards in hour or minute follow elapsed time.
    exempt: bool,
}

impl Calendar {
    pub fn of(said: &ObservedSchedule) -> Self {
        let texts = said.schedule.iter().chain(&said.schedules);
        let blackout = |text: &String| match rule(text) {
            // Five fields: any second of the minute.
            Rule::Fields(fields) if text.split_whitespace().count() == 5 => Rule::Fields(Fields {
                seconds: u64::MAX,
                ..fields
            }),
            other => other,
        };
        // Slots are whole seconds: the first that is not before the moment.
        let second = |at: Timestamp| at.as_millisecond().div_euclid(1000) + i64::from(at.as_millisecond().rem_euclid(1000) > 0);
        let instant = |text: &Option<String>| text.as_ref().map_or(0, |text| second(text.parse().expect("RFC 3339")));
        Self {
            rules: texts.map(|text| rule(text)).collect(),
            zone: (said.time_zone != "UTC").then(|| TimeZone::get(&said.time_zone).expect("a zone")),
            gap: said.gap,
            overlap: said.overlap,
            start: said.start_at.as_ref().map_or(i64::MIN, |at| second(at.0)),
            end: said.end_at.as_ref().map_or(i64::MAX, |at| second(at.0)),
            blackouts: said
                .exclude
                .iter()
                .filter_map(|entry| entry.schedule.as_ref().map(blackout))
                .collect(),
            closed: said
                .exclude
                .iter()
                .filter(|entry| entry.schedule.is_none())
                .map(|entry| (instant(&entry.from), instant(&entry.until)))
                .collect(),
        }
    }

    /// How many slots lie after `after` and not after `until`.
    pub fn count(&self, after: i64, until: i64) -> i64 {
        let mut count = 0;
        self.walk(after, until, &mut |_| {
            count += 1;
            true
        });
        count
    }

    pub fn slots(&self, after: i64, until: i64) -> Vec<i64> {
        let mut slots = Vec::new();
        self.walk(after, until, &mut |slot| {
            slots.push(slot);
            true
        });
        slots
    }

    /// The first slot after `after`, if there is one within a bit more than a year.
    pub fn next(&self, after: i64) -> Option<i64> {
        let mut found = None;
        self.walk(after, after.saturating_add(400 * DAY), &mut |slot| {
            found = Some(slot);
            false
        });
        found
    }

    pub fn is_slot(&self, at: i64) -> bool {
        self.count(at - 1, at) == 1
    }

    /// The shortest distance of two slots in the days after `after`.
    pub fn gap_after(&self, after: i64) -> i64 {
        let Some(first) = self.next(after) else { return DAY };
        self.next(first).map_or(DAY, |second| second - first)
    }

    fn walk(&self, after: i64, until: i64, take: &mut impl FnMut(i64) -> bool) {
        let (after, until) = (after.max(self.start.saturating_sub(1)), until.min(self.end.saturating_sub(1)));
        if until <= after {
            return;
        }
        let mut hour = (after + 1).div_euclid(HOUR) * HOUR;
        let mut found = Vec::new();
        while hour <= until {
            found.clear();
            for rule in &self.rules {
                match rule {
                    Rule::Every(period) => {
                        let first = (hour + period - 1).div_euclid(*period) * period;
                        found.extend((first..hour + HOUR).step_by(*period as usize));
                    }
                    Rule::Fields(fields) => self.hour(fields, hour, &mut found),
                }
            }
            if self.rules.len() > 1 {
                found.sort_unstable();
                found.dedup();
            }
            for &slot in found.iter().filter(|slot| **slot > after && **slot <= until) {
                if !self.is_excluded(slot) && !take(slot) {
                    return;
                }
            }
            hour += HOUR;
        }
    }

    /// The slots of one rule in one hour.
    fn hour(&self, fields: &Fields, hour: i64, found: &mut Vec<i64>) {
        let offset = self.offset(hour);
        let before = if self.zone.is_some() { self.offset(hour - HOUR) } else { offset };
        let mut end_of_gap = false;
        if !fields.exempt && offset > before && self.gap == Gap::RunAfter {
            assert_eq!(offset - before, HOUR, "the calendar knows changes of an hour");
            end_of_gap = fields.has_hour(hour + before);
        }
        let repeated = !fields.exempt && offset < before && self.overlap == Overlap::First;
        let from = found.len();
        if !repeated && fields.has_hour(hour + offset) {
            for minute in (0..60).filter(|minute| fields.minutes >> minute & 1 == 1) {
                found.extend(
                    (0..60)
                        .filter(|second| fields.seconds >> second & 1 == 1)
                        .map(|second| hour + minute * 60 + second),
                );
            }
        }
        if end_of_gap && found.get(from) != Some(&hour) {
            found.insert(from, hour);
        }
    }

    fn is_excluded(&self, slot: i64) -> bool {
        let local = slot + self.offset(slot);
        let matches = |rule: &Rule| match rule {
            Rule::Every(period) => slot.rem_euclid(*period) == 0,
            Rule::Fields(fields) => {
                let (minute, second) = (local.rem_euclid(HOUR) / 60, local.rem_euclid(60));
                fields.has_hour(local) && fields.minutes >> minute & 1 == 1 && fields.seconds >> second & 1 == 1
            }
        };
        self.closed.iter().any(|(from, until)| (*from..*until).contains(&slot)) || self.blackouts.iter().any(matches)
    }

    fn offset(&self, at: i64) -> i64 {
        let Some(zone) = &self.zone else { return 0 };
        let offset = i64::from(zone.to_offset(Timestamp::from_second(at).expect("a time")).seconds());
        assert_eq!(offset % HOUR, 0, "the calendar knows zones of full hours");
        offset
    }
}

impl Fields {
    /// Whether the hour in which this local time lies can have slots.
    fn has_hour(&self, local: i64) -> bool {
        let (_, month, day) = civil(local.div_euclid(DAY));
        // 1970-01-01 was a Thursday.
        let weekday = (local.div_euclid(DAY) + 4).rem_euclid(7);
        let (day, weekday) = (self.days >> day & 1 == 1, self.weekdays >> weekday & 1 == 1);
        let today = if self.either_day { day || weekday } else { day && weekday };
        today && self.months >> month & 1 == 1 && self.hours >> (local.rem_euclid(DAY) / HOUR) & 1 == 1
    }
}

/// Year, month and day of a day since 1970 (Howard Hinnant's arithmetic).
fn civil(day: i64) -> (i64, i64, i64) {
    let shifted = day + 719_468;
    let era = shifted.div_euclid(146_097);
    let of_era = shifted.rem_euclid(146_097);
    let year = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year + year / 4 - year / 100);
    let march = (5 * of_year + 2) / 153;
    let month = if march < 10 { march + 3 } else { march - 9 };
    (era * 400 + year + i64::from(month <= 2), month, of_year - (153 * march + 2) / 5 + 1)
}

fn rule(text: &str) -> Rule {
    let text = match text {
        "@hourly" => "0 * * * *",
        "@daily" => "0 0 * * *",
        other => other,
    };
    if let Some(every) = text.strip_prefix("@every ") {
        let (number, unit) = every.split_at(every.len() - 1);
        let unit = if unit == "h" {
            HOUR
        } else if unit == "m" {
            60
        } else {
            1
        };
        return Rule::Every(number.parse::<i64>().expect("a number") * unit);
    }
    let mut words: Vec<&str> = text.split_whitespace().collect();
    if words.len() == 5 {
        words.insert(0, "0");
    }
    let mask = |word: &str, least: u32, most: u32| {
        let item = |item: &str| {
            let (range, step) = item.split_once('/').unwrap_or((item, "1"));
            let number = |text: &str| text.parse::<u32>().expect("a number");
            let (from, to) = match (range, range.split_once('-')) {
                ("*", _) => (least, most),
                (_, Some((from, to))) => (number(from), number(to)),
                _ => (number(range), number(range)),
            };
            (from..=to)
                .step_by(number(step) as usize)
                .fold(0_u64, |mask, value| mask | 1 << value)
        };
        word.split(',').fold(0_u64, |mask, part| mask | item(part))
    };
    let star = |word: &str| word.starts_with('*');
    Rule::Fields(Fields {
        seconds: mask(words[0], 0, 59),
        minutes: mask(words[1], 0, 59),
        hours: mask(words[2], 0, 23),
        days: mask(words[3], 1, 31),
        months: mask(words[4], 1, 12),
        weekdays: mask(words[5], 0, 6),
        either_day: !star(words[3]) && !star(words[5]),
        exempt: star(words[1]) || star(words[2]),
    })
}
