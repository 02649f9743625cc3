//! The oracle: slots by brute force.
//!
//! It scans every minute (every second where the clock changes or is not on the minute), asks jiff what the wall clock shows, and
//! compares that with the text of the schedule, value by value. It shares no code with the library: no bit sets, no offset
//! periods, no cron crate. It supports numbers, `*`, lists, ranges and steps, in five or six fields.

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::{AmbiguousOffset, TimeZone};
use punctual::schedule::{DaylightSaving, Gap, Overlap};

/// A schedule as a table of booleans for each field.
pub struct Judge {
    fields: [Vec<bool>; 6],
    both_days: bool,
    seconds: bool,
    fixed: bool,
}

impl Judge {
    pub fn new(expression: &str) -> Judge {
        let mut texts: Vec<&str> = expression.split(' ').collect();
        if texts.len() == 5 {
            texts.insert(0, "0");
        }
        let sizes = [(0, 59), (0, 59), (0, 23), (1, 31), (1, 12), (0, 6)];
        let table = |n: usize| {
            let (min, max) = sizes[n];
            (0..=59).map(|value| named(texts[n], value, min, max)).collect()
        };
        let whole = |n: usize, size: usize| {
            let table: Vec<bool> = table(n);
            table.iter().filter(|yes| **yes).count() == size
        };
        let open = |n: usize| texts[n].contains('*') || texts[n].split(',').any(|item| item.contains('/') && !item.contains('-'));
        Judge {
            fields: [table(0), table(1), table(2), table(3), table(4), table(5)],
            both_days: starred(texts[3]) || starred(texts[5]),
            seconds: texts[0] != "0",
            fixed: !open(1) && !open(2) && !whole(1, 60) && !whole(2, 24),
        }
    }

    pub fn shows(&self, local: DateTime) -> bool {
        let yes = |n: usize, value: i8| self.fields[n][usize::try_from(value).unwrap()];
        let day = yes(3, local.day());
        let weekday = yes(5, local.weekday().to_sunday_zero_offset());
        yes(0, local.second())
            && yes(1, local.minute())
            && yes(2, local.hour())
            && yes(4, local.month())
            && if self.both_days { day && weekday } else { day || weekday }
    }

    /// Whether an instant on a whole second is a slot.
    pub fn is_slot(&self, tz: &TimeZone, second: i64, policy: &DaylightSaving) -> bool {
        self.is_slot_unless(tz, second, policy, &|_| false)
    }

    /// The same, but skipped times that are `excluded` are not made up for.
    pub fn is_slot_unless(&self, tz: &TimeZone, second: i64, policy: &DaylightSaving, excluded: &dyn Fn(DateTime) -> bool) -> bool {
        let instant = Timestamp::from_second(second).unwrap();
        let local = tz.to_datetime(instant);
        if self.shows(local) && !(self.fixed && policy.overlap == Overlap::First && shown_before(tz, local, instant)) {
            return true;
        }
        self.fixed && policy.gap == Gap::RunAfter && self.lost_just_before(tz, instant, local, excluded)
    }

    fn lost_just_before(&self, tz: &TimeZone, instant: Timestamp, local: DateTime, excluded: &dyn Fn(DateTime) -> bool) -> bool {
        let second = jiff::SignedDuration::from_secs(1);
        let before = instant - second;
        if tz.to_offset(instant) <= tz.to_offset(before) {
            return false;
        }
        let mut lost = tz.to_datetime(before) + second;
        while lost < local {
            if self.shows(lost) && !excluded(lost) {
                return true;
            }
            lost += second;
        }
        false
    }
}

fn shown_before(tz: &TimeZone, local: DateTime, instant: Timestamp) -> bool {
    match tz.to_ambiguous_timestamp(local).offset() {
        AmbiguousOffset::Fold { before, .. } => tz.to_offset(instant) != before,
        _ => false,
    }
}

/// All slots in `from..to` (Unix seconds, whole minutes), of each schedule under each policy: `found[schedule][policy]`.
pub fn scan(judges: &[Judge], policies: &[DaylightSaving], tz: &TimeZone, from: i64, to: i64) -> Vec<Vec<Vec<i64>>> {
    let mut found = vec![vec![Vec::new(); policies.len()]; judges.len()];
    let show = |second: i64| {
        let instant = Timestamp::from_second(second).unwrap();
        (tz.to_datetime(instant), tz.to_offset(instant).seconds())
    };
    let mut before = show(from - 1).1;
    for minute in (from..to).step_by(60) {
        let (local, _) = show(minute);
        let (_, after) = show(minute + 59);
        let calm = before == after && after % 60 == 0;
        before = after;
        for (judge, found) in judges.iter().zip(&mut found) {
            // Where the clock does not change only the first second of a minute can be a slot, and only if the clock shows it.
            let seconds = match (calm && !judge.seconds, calm && !judge.shows(local)) {
                (true, true) => continue,
                (true, false) => minute..minute + 1,
                (false, _) => minute..minute + 60,
            };
            for (policy, slots) in policies.iter().zip(found) {
                slots.extend(seconds.clone().filter(|second| judge.is_slot(tz, *second, policy)));
            }
        }
    }
    found
}

/// Whether the text of a field includes a value.
fn named(text: &str, value: u32, min: u32, max: u32) -> bool {
    let number = |text: &str| text.parse::<u32>().unwrap();
    text.split(',').any(|item| {
        let (range, step) = item.split_once('/').unwrap_or((item, "1"));
        let (from, to) = match range.split_once('-') {
            Some((from, to)) => (number(from), number(to)),
            None if range == "*" => (min, max),
            None if item.contains('/') => (number(range), max),
            None => (number(range), number(range)),
        };
        (from..=to).contains(&value) && (value - from).is_multiple_of(number(step))
    })
}

fn starred(text: &str) -> bool {
    text.split(',').any(|item| item == "*" || item == "*/1")
}
