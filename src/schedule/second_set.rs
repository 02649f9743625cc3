//! A set of seconds of one day, as a bitmap.
//!
//! Used to count slots that come from several sources without counting one twice. A day has 86,400 seconds, so a set has 1,350
//! words. Knows no date and no time zone.

/// Seconds of a day.
pub(super) const DAY: i64 = 86_400;
const WORDS: usize = 86_400 / 64;

/// A set of seconds of a day, 0 to 86,399.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct SecondSet {
    words: Vec<u64>,
}

impl SecondSet {
    pub(super) fn empty() -> SecondSet {
        SecondSet { words: vec![0; WORDS] }
    }

    /// Adds the seconds of a minute of the day: bit n of `set` is second n. They span one word or two.
    pub(super) fn add_minute(&mut self, minute: i64, set: u64) {
        let (word, bit) = place(minute * 60);
        let set = u128::from(set) << bit;
        self.add(word, set as u64);
        self.add(word + 1, (set >> 64) as u64);
    }

    fn add(&mut self, word: usize, bits: u64) {
        if let Some(word) = self.words.get_mut(word) {
            *word |= bits;
        }
    }

    /// Adds every `period`-th second from `first` on.
    pub(super) fn add_every(&mut self, first: i64, period: i64) {
        if period >= 64 {
            let seconds = (first..DAY).step_by(usize::try_from(period).unwrap_or(usize::MAX));
            return seconds.for_each(|second| self.insert(second));
        }
        let multiples = multiples(period);
        let mut first = first;
        for word in &mut self.words {
            *word |= multiples << first;
            first = (first - 64).rem_euclid(period);
        }
    }

    /// The number of seconds that are in this set, or in both `more` and `open`.
    pub(super) fn count_with(&self, more: &SecondSet, open: &SecondSet) -> u64 {
        let words = self.words.iter().zip(more.words.iter().zip(&open.words));
        words.map(|(word, (more, open))| u64::from((word | more & open).count_ones())).sum()
    }

    pub(super) fn insert(&mut self, second: i64) {
        let (word, bit) = place(second);
        self.add(word, 1 << bit);
    }

    pub(super) fn count(&self) -> u64 {
        self.words.iter().map(|word| u64::from(word.count_ones())).sum()
    }
}

/// The multiples of a period below 64, as a set of bits.
pub(super) fn multiples(period: i64) -> u64 {
    let step = usize::try_from(period).unwrap_or(1);
    (0..64).step_by(step).fold(0, |set, n| set | 1 << n)
}

/// Index of the word and the bit of a second of the day.
fn place(second: i64) -> (usize, i64) {
    (usize::try_from(second / 64).unwrap_or_default(), second % 64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn minutes_and_seconds_share_their_bits() {
        for minute in 0..24 * 60 {
            let mut day = SecondSet::empty();
            day.add_minute(minute, 1 << 59 | 0b101);
            assert_eq!(day.count(), 3);
            [0, 2, 59].into_iter().for_each(|second| day.insert(minute * 60 + second));
            assert_eq!(day.count(), 3);
            day.insert(minute * 60 + 1);
            assert_eq!(day.count(), 4);
        }
    }

    #[test]
    fn every_nth_second_equals_one_by_one() {
        let mut all = SecondSet::empty();
        all.add_every(0, 1);
        assert_eq!(all.count(), 86_400);
        for period in [1, 2, 7, 59, 60, 63, 64, 65, 3_599] {
            for first in [0, 1, period / 2, period - 1] {
                let (mut by_words, mut one_by_one) = (SecondSet::empty(), SecondSet::empty());
                by_words.add_every(first % period, period);
                (first % period..DAY)
                    .step_by(period as usize)
                    .for_each(|second| one_by_one.insert(second));
                assert_eq!(by_words, one_by_one, "{period} from {first}");
                assert_eq!(SecondSet::empty().count_with(&by_words, &all), by_words.count());
            }
        }
    }

    #[test]
    fn a_day_of_all_minutes_is_full() {
        let mut day = SecondSet::empty();
        (0..24 * 60).for_each(|minute| day.add_minute(minute, u64::MAX >> 4));
        assert_eq!(day.count(), 86_400);
    }
}
