//! A lone task: how late is a start that no other start competes with?

use jiff::Timestamp;

use super::scheduled::{Expected, Scheduled};
use crate::book::{Book, Subject, Unit};
use crate::clock::after;
use crate::lateness::{Lateness, slot_of};
use crate::observation::Observation;
use crate::peer::Peer;
use crate::workload::{Policy, When, Workload};

/// Tasks of which each is due once, in a second of its own; the policies take turns.
#[derive(Clone, Debug)]
pub struct Lone {
    /// Seconds of the session, in ascending order.
    pub seconds: Vec<u32>,
}

const POLICIES: [Policy; 4] = [Policy::Allow, Policy::Forbid, Policy::Replace, Policy::Queue];

fn namespace(policy: Policy) -> String {
    format!("lone-{}", policy.name().to_lowercase())
}

impl Lone {
    fn seconds_of(&self, turn: usize) -> Vec<u32> {
        self.seconds.iter().skip(turn).step_by(POLICIES.len()).copied().collect()
    }
}

impl Scheduled for Lone {
    fn workloads(&self, base: Timestamp) -> Vec<(Peer, Workload)> {
        let workload = |(turn, policy): (usize, &Policy)| {
            let slots: Vec<Timestamp> = self.seconds_of(turn).into_iter().map(|second| after(base, second)).collect();
            let workload = Workload {
                policy: *policy,
                when: When::OwnSlot(slots.clone()),
                ..Workload::new(namespace(*policy), slots.len())
            };
            (Peer::Ours, workload)
        };
        POLICIES.iter().enumerate().map(workload).collect()
    }

    fn seconds(&self) -> u32 {
        self.seconds.last().map_or(0, |last| last + 2)
    }

    fn expected(&self) -> Vec<Expected> {
        let expected = |(turn, policy): (usize, &Policy)| (Peer::Ours, namespace(*policy), self.seconds_of(turn).len());
        POLICIES.iter().enumerate().map(expected).collect()
    }

    fn evaluate(&self, base: Timestamp, seen: &Observation, book: &mut Book) {
        for (turn, policy) in POLICIES.iter().enumerate() {
            let slots: Vec<Timestamp> = self.seconds_of(turn).into_iter().map(|second| after(base, second)).collect();
            let namespace = namespace(*policy);
            let starts = seen.starts(Peer::Ours, &namespace);
            let lateness = Lateness::of(starts.filter_map(|start| Some((slot_of(&slots, start)?, start))));
            let section = format!("Lone task, {}", policy.name());
            let subject = Subject::Peer(Peer::Ours);
            book.add(&section, "slots due", Unit::Count, subject, slots.len() as f64);
            book.add(&section, "slots started", Unit::Count, subject, lateness.count() as f64);
            for (label, percent) in [("p50", 50.0), ("p99", 99.0), ("latest", 100.0)] {
                if let Some(value) = lateness.percentile(percent) {
                    book.add(&section, label, Unit::Seconds, subject, value);
                }
            }
            book.add(&section, "early starts", Unit::Count, subject, lateness.early as f64);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::measurements::every_minute::tests::request;
    use jiff::SignedDuration;
    use std::collections::BTreeSet;

    #[test]
    fn no_two_lone_tasks_share_a_second() {
        let base: Timestamp = "2026-11-26T13:05:00Z".parse().unwrap();
        let lone = Lone {
            seconds: (20..58).collect(),
        };
        let mut slots = BTreeSet::new();
        for (_, workload) in lone.workloads(base) {
            let When::OwnSlot(own) = &workload.when else {
                panic!("each has its own slot")
            };
            assert_eq!(own.len(), workload.tasks);
            assert!(own.iter().all(|slot| slots.insert(*slot)));
        }
        assert_eq!(slots.len(), 38);
        assert_eq!(lone.expected().iter().map(|(.., starts)| starts).sum::<usize>(), 38);
    }

    #[test]
    fn an_early_start_is_seen() {
        let base: Timestamp = "2026-11-26T13:05:00Z".parse().unwrap();
        let lone = Lone {
            seconds: vec![20, 21, 22, 23, 24],
        };
        let start = |name: &str, millis| request(Peer::Ours, "lone-allow", name, base + SignedDuration::from_millis(millis));
        let seen = Observation {
            requests: vec![start("a", 20_004), start("b", 23_999)],
            cpu: Default::default(),
            ceiling: Default::default(),
            full_ceiling: None,
        };
        let mut book = Book::default();
        lone.evaluate(base, &seen, &mut book);
        let (section, rows) = &book.sections()[0];
        let values: Vec<f64> = rows
            .iter()
            .map(|row| row.spread(Subject::Peer(Peer::Ours)).unwrap().median)
            .collect();
        assert_eq!(*section, "Lone task, Allow");
        assert_eq!(values, [2.0, 2.0, 0.001, 0.006, 0.006, 1.0]);
    }
}
