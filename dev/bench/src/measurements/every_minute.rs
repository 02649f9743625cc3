//! Many tasks that are due every minute: is each of their slots started?

use jiff::{SignedDuration, Timestamp};

use super::scheduled::{Expected, Scheduled};
use crate::audit::Request;
use crate::book::{Book, Subject, Unit};
use crate::clock::after;
use crate::lateness::{Lateness, slot_of};
use crate::observation::Observation;
use crate::peer::Peer;
use crate::report::number;
use crate::workload::{When, Workload};

/// Tasks of one scheduler, all due at the same second of every minute.
#[derive(Clone, Debug)]
pub struct EveryMinute {
    pub peer: Peer,
    pub tasks: usize,
    /// Of the minute.
    pub second: u32,
    pub minutes: u32,
}

impl EveryMinute {
    fn namespace(&self) -> String {
        format!("every-minute-{}", self.peer.short_name())
    }

    fn slots(&self, base: Timestamp) -> Vec<Timestamp> {
        (0..self.minutes).map(|minute| after(base, 60 * minute + self.second)).collect()
    }
}

impl Scheduled for EveryMinute {
    fn workloads(&self, base: Timestamp) -> Vec<(Peer, Workload)> {
        let when = When::EveryMinute {
            first: after(base, self.second),
            minutes: self.minutes,
        };
        let workload = Workload {
            when,
            ..Workload::new(self.namespace(), self.tasks)
        };
        vec![(self.peer, workload)]
    }

    fn seconds(&self) -> u32 {
        60 * self.minutes.saturating_sub(1) + self.second + 15
    }

    fn expected(&self) -> Vec<Expected> {
        vec![(self.peer, self.namespace(), self.tasks * self.minutes as usize)]
    }

    fn evaluate(&self, base: Timestamp, seen: &Observation, book: &mut Book) {
        let (slots, namespace, subject) = (self.slots(base), self.namespace(), Subject::Peer(self.peer));
        let starts = seen.starts(self.peer, &namespace);
        let of_slots = starts.filter_map(|start| Some((named_slot(start).or_else(|| slot_of(&slots, start))?, start)));
        let lateness = Lateness::of(of_slots.filter(|(slot, _)| slots.contains(slot)));
        let section = format!("{} tasks every minute", number(Unit::Count, self.tasks as f64));
        let due = self.tasks * slots.len();
        book.add(&section, "slots due", Unit::Count, subject, due as f64);
        book.add(&section, "slots started", Unit::Count, subject, lateness.count() as f64);
        book.add(
            &section,
            "slots started, percent",
            Unit::Percent,
            subject,
            100.0 * lateness.count() as f64 / due as f64,
        );
        for (label, value) in [
            ("p50 of those started", lateness.percentile(50.0)),
            ("p99 of those started", lateness.percentile(99.0)),
            ("last", lateness.last()),
        ] {
            if let Some(value) = value {
                book.add(&section, label, Unit::Seconds, subject, value);
            }
        }
    }
}

/// The slot that the CronJob controller writes into the names of its Jobs: minutes since 1970.
fn named_slot(start: &Request) -> Option<Timestamp> {
    if !Peer::CronJobTuned.sent(start) {
        return None;
    }
    let minutes: i64 = start.name.rsplit_once('-')?.1.parse().ok()?;
    Timestamp::from_second(0).ok()?.checked_add(SignedDuration::from_mins(minutes)).ok()
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// A request that takes 2 ms and creates a Job.
    pub(crate) fn request(peer: Peer, namespace: &str, name: &str, received: Timestamp) -> Request {
        let (user, agent) = match peer {
            Peer::Ours => ("system:serviceaccount:punctual-system:punctual", "punctual"),
            _ => (
                "system:kube-controller-manager",
                "x/system:serviceaccount:kube-system:cronjob-controller",
            ),
        };
        Request {
            user: user.into(),
            agent: agent.into(),
            verb: "create".into(),
            resource: "jobs".into(),
            subresource: String::new(),
            namespace: namespace.into(),
            name: name.into(),
            code: 201,
            dry_run: false,
            received,
            answered: received + SignedDuration::from_millis(2),
        }
    }

    #[test]
    fn a_start_that_is_minutes_late_belongs_to_the_slot_in_its_name() {
        let base: Timestamp = "2026-11-26T13:05:00Z".parse().unwrap();
        let late = format!("task-00000-{}", base.as_second() / 60);
        let measurement = EveryMinute {
            peer: Peer::CronJobDefault,
            tasks: 1,
            second: 0,
            minutes: 3,
        };
        let seen = Observation {
            requests: vec![request(
                Peer::CronJobDefault,
                "every-minute-default",
                &late,
                base + SignedDuration::from_secs(118),
            )],
            cpu: Default::default(),
            ceiling: Default::default(),
            full_ceiling: None,
        };
        let mut book = Book::default();
        measurement.evaluate(base, &seen, &mut book);
        let sections = book.sections();
        let (_, rows) = &sections[0];
        let values: Vec<f64> = rows
            .iter()
            .map(|row| row.spread(Subject::Peer(Peer::CronJobDefault)).unwrap().median)
            .collect();
        assert_eq!(values[..2], [3.0, 1.0]);
        assert!((values[3] - 118.002).abs() < 1e-6, "{values:?}");
    }
}
