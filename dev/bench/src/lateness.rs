//! How late the Jobs of a slot were.
//!
//! Input: the slot and the requests that started its Jobs. Output: the summary and the curve. The times are the API server's.

use jiff::Timestamp;

use crate::audit::Request;
use crate::book::Point;
use crate::stats::{percentile, sorted};

/// How late the starts of one slot, or of several, were, in seconds.
#[derive(Clone, Debug, PartialEq)]
pub struct Lateness {
    /// In ascending order.
    seconds: Vec<f64>,
    /// Number of POSTs that the API server received before their slot.
    pub early: usize,
}

impl Lateness {
    /// Of starts whose slot is known for each.
    pub fn of<'a>(starts: impl IntoIterator<Item = (Timestamp, &'a Request)>) -> Lateness {
        let (mut seconds, mut early) = (Vec::new(), 0);
        for (slot, start) in starts {
            seconds.push(start.answered.duration_since(slot).as_secs_f64());
            early += usize::from(start.received < slot);
        }
        let seconds = sorted(seconds);
        Lateness { seconds, early }
    }

    /// Number of starts.
    pub fn count(&self) -> usize {
        self.seconds.len()
    }

    /// The lateness that `percent` of the starts do not exceed.
    pub fn percentile(&self, percent: f64) -> Option<f64> {
        percentile(&self.seconds, percent)
    }

    /// Of the first start.
    pub fn first(&self) -> Option<f64> {
        self.seconds.first().copied()
    }

    /// Of the last start.
    pub fn last(&self) -> Option<f64> {
        self.seconds.last().copied()
    }

    /// Jobs a second, from the slot to the last answer.
    pub fn rate(&self) -> Option<f64> {
        self.last().filter(|last| *last > 0.0).map(|last| self.count() as f64 / last)
    }

    /// Lateness over the percentage of starts, in at most `points` points.
    pub fn curve(&self, points: usize) -> Vec<Point> {
        let steps = points.min(self.count());
        let percents = (1..=steps).map(|step| 100.0 * step as f64 / steps as f64);
        percents.filter_map(|percent| Some((percent, self.percentile(percent)?))).collect()
    }
}

/// The slot that a start belongs to, if the slots of its namespace are far enough apart: the last one that is not later than half a second
/// after the request. A start up to half a second early is therefore seen as early, not as very late.
pub fn slot_of(slots: &[Timestamp], start: &Request) -> Option<Timestamp> {
    let latest = start.received + jiff::SignedDuration::from_millis(500);
    slots.iter().rev().find(|slot| **slot <= latest).copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        format!("2026-11-26T13:{text}Z").parse().unwrap()
    }

    fn start(received: &str, answered: &str) -> Request {
        Request {
            user: String::new(),
            agent: String::new(),
            verb: "create".into(),
            resource: "jobs".into(),
            subresource: String::new(),
            namespace: "herd".into(),
            name: String::new(),
            code: 201,
            dry_run: false,
            received: at(received),
            answered: at(answered),
        }
    }

    #[test]
    fn the_rate_is_from_the_slot_to_the_last_answer() {
        let starts = [
            start("05:00.010", "05:00.020"),
            start("05:00.030", "05:00.500"),
            start("05:00.030", "05:00.040"),
        ];
        let lateness = Lateness::of(starts.iter().map(|start| (at("05:00"), start)));
        assert_eq!((lateness.count(), lateness.early), (3, 0));
        assert_eq!(
            (lateness.first(), lateness.percentile(50.0), lateness.last()),
            (Some(0.02), Some(0.04), Some(0.5))
        );
        assert_eq!(lateness.rate(), Some(6.0));
        assert_eq!(lateness.curve(2), [(50.0, 0.04), (100.0, 0.5)]);
    }

    #[test]
    fn an_early_start_is_counted_as_early() {
        let slots = [at("05:00"), at("05:04")];
        let early = start("05:03.999", "05:04.004");
        assert_eq!(slot_of(&slots, &early), Some(at("05:04")));
        let lateness = Lateness::of([(at("05:04"), &early)]);
        assert_eq!(lateness.early, 1);
        assert_eq!(slot_of(&slots, &start("05:03.400", "05:03.404")), Some(at("05:00")));
        assert_eq!(slot_of(&slots, &start("04:03.400", "04:03.404")), None);
    }

    #[test]
    fn nothing_started_has_no_rate() {
        let none = Lateness::of([]);
        assert_eq!((none.rate(), none.last(), none.curve(10).len()), (None, None, 0));
    }
}
