//! The times of one day as a set of seconds.
//!
//! Takes times of the day; gives unions and differences of them, their first, their last and their number. A day has 86,400
//! seconds, so a set is 1,350 words, and each operation costs some hundred nanoseconds whatever is in it. Knows no date and
//! no zone.

use std::ops::Range;

use super::expression::Times;

pub(super) const DAY: i64 = 86_400;
const WORDS: usize = 86_400 / 64;

/// A set of seconds of a day, 0 to 86,399.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Seconds {
    words: Vec<u64>,
}

impl Seconds {
    pub(super) fn none() -> Seconds {
        Seconds { words: vec![0; WORDS] }
    }

    /// All times of the day that a crontab names.
    pub(super) fn of(times: Times) -> Seconds {
        let mut seconds = Seconds::none();
        for hour in values(times.hours) {
            for minute in values(times.minutes) {
                seconds.add_minute(hour * 60 + minute, times.seconds);
            }
        }
        seconds
    }

    /// Adds the seconds of a minute of the day, given as a set of 60 bits: they meet one word or two.
    fn add_minute(&mut self, minute: usize, set: u64) {
        let (word, bit) = (minute * 60 / 64, minute * 60 % 64);
        self.words[word] |= set << bit;
        if bit > 4 {
            self.words[word + 1] |= set >> (64 - bit);
        }
    }

    pub(super) fn insert(&mut self, second: i64) {
        let (word, bit) = place(second);
        self.words[word] |= 1 << bit;
    }

    pub(super) fn has(&self, second: i64) -> bool {
        let (word, bit) = place(second);
        self.words[word] >> bit & 1 == 1
    }

    pub(super) fn add(&mut self, other: &Seconds) {
        for (word, more) in self.words.iter_mut().zip(&other.words) {
            *word |= more;
        }
    }

    pub(super) fn remove(&mut self, other: &Seconds) {
        for (word, less) in self.words.iter_mut().zip(&other.words) {
            *word &= !less;
        }
    }

    /// Leaves only what lies in `range`, which may reach beyond the day.
    pub(super) fn keep(&mut self, range: &Range<i64>) {
        let (start, end) = (range.start.clamp(0, DAY), range.end.clamp(0, DAY));
        for (first, word) in (0..DAY).step_by(64).zip(&mut self.words) {
            let (from, to) = ((start - first).clamp(0, 64), (end - first).clamp(0, 64));
            if from >= to {
                *word = 0;
            } else {
                *word &= u64::MAX << from & u64::MAX >> (64 - to);
            }
        }
    }

    pub(super) fn first(&self) -> Option<i64> {
        let word = self.words.iter().position(|word| *word != 0)?;
        Some(second(word, self.words[word].trailing_zeros()))
    }

    pub(super) fn last(&self) -> Option<i64> {
        let word = self.words.iter().rposition(|word| *word != 0)?;
        Some(second(word, 63 - self.words[word].leading_zeros()))
    }

    pub(super) fn count(&self) -> u64 {
        self.words.iter().map(|word| u64::from(word.count_ones())).sum()
    }
}

fn values(set: u64) -> impl Iterator<Item = usize> {
    (0..64).filter(move |n| set >> n & 1 == 1)
}

/// Word and bit of a second of the day.
fn place(second: i64) -> (usize, i64) {
    (usize::try_from(second / 64).unwrap_or_default(), second % 64)
}

fn second(word: usize, bit: u32) -> i64 {
    i64::try_from(word).unwrap_or_default() * 64 + i64::from(bit)
}

#[cfg(test)]
mod tests {
    use super::*;

    const QUARTERS: Times = Times {
        hours: 1 << 0 | 1 << 23,
        minutes: 1 << 15 | 1 << 59,
        seconds: 1 << 0 | 1 << 59,
    };

    #[test]
    fn times_of_the_day_stand_where_they_belong() {
        let seconds = Seconds::of(QUARTERS);
        let found: Vec<i64> = (0..DAY).filter(|second| seconds.has(*second)).collect();
        let expected = [900, 959, 3540, 3599].map(|second| [second, second + 23 * 3600]);
        let mut expected: Vec<i64> = expected.into_iter().flatten().collect();
        expected.sort_unstable();
        assert_eq!(found, expected);
        assert_eq!((seconds.first(), seconds.last(), seconds.count()), (Some(900), Some(DAY - 1), 8));
    }

    #[test]
    fn a_day_of_every_second_is_full() {
        let all = Times {
            hours: u64::MAX >> 40,
            minutes: u64::MAX >> 4,
            seconds: u64::MAX >> 4,
        };
        assert_eq!(Seconds::of(all).count(), 86_400);
    }

    #[test]
    fn what_is_kept_lies_in_the_range_and_what_is_removed_is_gone() {
        for range in [0..DAY, 900..901, 960..3540, -5..900, 901..DAY + 5, 64..128, 5..5] {
            let mut kept = Seconds::of(QUARTERS);
            kept.keep(&range);
            let all = Seconds::of(QUARTERS);
            for second in 0..DAY {
                assert_eq!(kept.has(second), all.has(second) && range.contains(&second));
            }
            let mut rest = all;
            rest.remove(&kept);
            assert_eq!(rest.count() + kept.count(), 8);
            rest.add(&kept);
            assert_eq!(rest, Seconds::of(QUARTERS));
        }
        assert_eq!((Seconds::none().first(), Seconds::none().last()), (None, None));
    }
}
