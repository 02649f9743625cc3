//! Herds: many tasks that are due at one slot.

use jiff::{SignedDuration, Timestamp};

use super::scheduled::{Expected, Scheduled};
use crate::audit::Request;
use crate::book::{Book, Figure, Subject, Unit};
use crate::clock::after;
use crate::lateness::Lateness;
use crate::observation::Observation;
use crate::peer::{OPERATOR_NAMESPACE, Peer};
use crate::report::number;
use crate::workload::{Policy, When, Workload};

/// Tasks of one scheduler that are due at the same slot.
#[derive(Clone, Debug)]
pub struct Herd {
    pub peer: Peer,
    pub tasks: usize,
    pub policy: Policy,
    /// The slot.
    pub second: u32,
}

/// Herds that take turns.
#[derive(Clone, Debug)]
pub struct Herds {
    pub herds: Vec<Herd>,
    pub seconds: u32,
    /// The size of the herds whose lateness is drawn.
    pub drawn: usize,
}

/// Points of a curve.
const POINTS: usize = 100;

impl Herd {
    fn namespace(&self) -> String {
        let policy = self.policy.name().to_lowercase();
        format!("herd-{}-{}-{policy}", self.peer.short_name(), self.tasks)
    }

    fn section(&self) -> String {
        format!(
            "Herd of {} tasks at one slot, {}",
            number(Unit::Count, self.tasks as f64),
            self.policy.name()
        )
    }
}

impl Scheduled for Herds {
    fn workloads(&self, base: Timestamp) -> Vec<(Peer, Workload)> {
        let workload = |herd: &Herd| Workload {
            policy: herd.policy,
            when: When::Slots(vec![after(base, herd.second)]),
            ..Workload::new(herd.namespace(), herd.tasks)
        };
        self.herds.iter().map(|herd| (herd.peer, workload(herd))).collect()
    }

    fn seconds(&self) -> u32 {
        self.seconds
    }

    fn expected(&self) -> Vec<Expected> {
        self.herds.iter().map(|herd| (herd.peer, herd.namespace(), herd.tasks)).collect()
    }

    fn evaluate(&self, base: Timestamp, seen: &Observation, book: &mut Book) {
        for herd in &self.herds {
            let slot = after(base, herd.second);
            // What is not written in its namespace belongs to it until the scheduler's next herd.
            let later = self
                .herds
                .iter()
                .filter(|other| other.peer == herd.peer && other.second > herd.second);
            let until = after(base, later.map(|other| other.second).min().unwrap_or(self.seconds));
            evaluate(herd, slot, until, seen, book, herd.tasks == self.drawn);
        }
    }
}

fn evaluate(herd: &Herd, slot: Timestamp, until: Timestamp, seen: &Observation, book: &mut Book, drawn: bool) {
    let (section, subject, namespace) = (herd.section(), Subject::Peer(herd.peer), herd.namespace());
    let lateness = Lateness::of(seen.starts(herd.peer, &namespace).map(|start| (slot, start)));
    if disturbed(&seen.requests, slot, &namespace) {
        book.note(format!(
            "When the slot of {namespace} came, one of the schedulers was still busy with what came before it."
        ));
    }
    let (Some(rate), Some(last)) = (lateness.rate(), lateness.last()) else {
        book.note(format!("{namespace}: no task was started."));
        return;
    };
    if lateness.count() != herd.tasks {
        book.note(format!("{namespace}: {} of {} tasks were started.", lateness.count(), herd.tasks));
    }
    let starts = lateness.count() as f64;
    if let Some(ceiling) = seen.best_ceiling() {
        book.add(&section, "Jobs a second", Unit::JobsPerSecond, subject, rate);
        book.add(&section, "part of R", Unit::PartOfCeiling, subject, rate / ceiling);
    }
    if let Some(full) = seen.full_ceiling {
        book.add(
            &section,
            "part of R at the end of the session",
            Unit::PartOfCeiling,
            subject,
            rate / full,
        );
    }
    for (label, value) in [
        ("first start", lateness.first()),
        ("p50", lateness.percentile(50.0)),
        ("p99", lateness.percentile(99.0)),
        ("last start", Some(last)),
    ] {
        if let Some(value) = value {
            book.add(&section, label, Unit::Seconds, subject, value);
        }
    }
    book.add(&section, "early starts", Unit::Count, subject, lateness.early as f64);
    if herd.peer == Peer::Ours
        && let Some(gap) = longest_gap(&seen.requests, slot, until)
    {
        // Renewals share the API server with the herd; after 10 s (the renew deadline of the chart) leadership would be lost.
        book.add(&section, "longest time without a renewal of the Lease", Unit::Seconds, subject, gap);
    }
    if drawn {
        let name = format!(
            "{}, {}, {} tasks",
            herd.peer.name(),
            herd.policy.name(),
            number(Unit::Count, herd.tasks as f64)
        );
        book.curve(Figure::Lateness, &name, lateness.curve(POINTS));
    }

    let of_herd: Vec<&Request> = seen
        .requests
        .iter()
        .filter(|request| herd.peer.sent(request) && request.received >= slot)
        .collect();
    let own = of_herd.iter().filter(|request| request.namespace == namespace);
    let shared = of_herd
        .iter()
        .filter(|request| request.namespace == OPERATOR_NAMESPACE && !request.is_lease() && request.received < until);
    let (own_count, shared_count) = (own.clone().count() as f64, shared.count() as f64);
    book.add(
        &section,
        "API requests a run",
        Unit::PerRun,
        subject,
        (own_count + shared_count) / starts,
    );

    let Some(cpu) = seen.cpu.get(&herd.peer) else { return };
    let last_start = slot + SignedDuration::try_from_secs_f64(last).unwrap_or_default();
    let written = own.map(|request| request.answered).filter(|answered| *answered < until);
    let idle = written.max().unwrap_or(last_start).max(last_start);
    let before = slot - SignedDuration::from_millis(100);
    let whose = if herd.peer == Peer::Ours {
        "CPU time"
    } else {
        "CPU time of the controller manager"
    };
    for (what, at) in [("a start, until the last start", last_start), ("a run, until all is written", idle)] {
        if let Some(seconds) = cpu.between(before, at) {
            book.add(&section, &format!("{whose} {what}"), Unit::CpuSeconds, subject, seconds / starts);
        }
    }
    if herd.peer == Peer::Ours {
        let line = format!("{}, {}", herd.peer.name(), herd.policy.name());
        book.point(Figure::RequestsPerRun, &line, herd.tasks, (own_count + shared_count) / starts);
        if let Some(seconds) = cpu.between(before, idle) {
            book.point(Figure::CpuPerRun, &line, herd.tasks, seconds / starts * 1e3);
        }
    }
}

/// The longest time between two answered renewals of our Lease, of which the second came after `slot`, in seconds.
fn longest_gap(requests: &[Request], slot: Timestamp, until: Timestamp) -> Option<f64> {
    let is_renewal = |request: &&Request| Peer::Ours.sent(request) && request.is_lease() && request.verb == "update" && request.code == 200;
    let mut renewals: Vec<Timestamp> = requests.iter().filter(is_renewal).map(|request| request.answered).collect();
    renewals.sort_unstable();
    let pairs = renewals.windows(2).filter_map(|pair| Some((*pair.first()?, *pair.last()?)));
    let gaps = pairs.filter(|(_, second)| (slot..until).contains(second));
    gaps.map(|(first, second)| second.duration_since(first).as_secs_f64())
        .reduce(f64::max)
}

/// Whether something else was going on in the second before the slot.
fn disturbed(requests: &[Request], slot: Timestamp, namespace: &str) -> bool {
    let second_before = slot - SignedDuration::from_secs(1);
    requests.iter().any(|request| {
        request.received >= second_before && request.received < slot && request.namespace != namespace && !request.is_lease()
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::measurements::every_minute::tests::request;
    use crate::usage::CpuSeries;
    use std::collections::BTreeMap;

    fn base() -> Timestamp {
        "2026-11-26T13:05:00Z".parse().unwrap()
    }

    fn herds() -> Herds {
        let herd = |peer, second| Herd {
            peer,
            tasks: 2,
            policy: Policy::Allow,
            second,
        };
        Herds {
            herds: vec![herd(Peer::CronJobTuned, 0), herd(Peer::Ours, 10)],
            seconds: 20,
            drawn: 2,
        }
    }

    #[test]
    fn a_herd_is_counted_from_the_audit_log_alone() {
        let at = |millis: i64| base() + SignedDuration::from_millis(millis);
        let mut cpu = CpuSeries::default();
        for tenth in 0..300 {
            cpu.push(at(tenth * 100), if tenth < 101 { 0.0 } else { 0.004 });
        }
        let ours = "herd-ours-2-allow";
        let mut commit = request(Peer::Ours, OPERATOR_NAMESPACE, "punctual", at(10_001));
        (commit.verb, commit.resource) = ("update".into(), "configmaps".into());
        let mut status = request(Peer::Ours, ours, "task-00000", at(12_000));
        (status.verb, status.resource, status.subresource) = ("update".into(), "scheduledtasks".into(), "status".into());
        let seen = Observation {
            requests: vec![
                request(Peer::Ours, ours, "task-00000-1", at(10_002)),
                request(Peer::Ours, ours, "task-00001-1", at(10_498)),
                commit,
                status,
                request(Peer::CronJobTuned, "herd-tuned-2-allow", "task-00000-1", at(2_000)),
            ],
            cpu: BTreeMap::from([(Peer::Ours, cpu)]),
            ceiling: BTreeMap::from([(1, 5.0), (16, 10.0)]),
            full_ceiling: Some(8.0),
        };
        let mut book = Book::default();
        herds().evaluate(base(), &seen, &mut book);
        let sections = book.sections();
        let value = |label: &str, peer| {
            let row = sections[0]
                .1
                .iter()
                .find(|row| row.label == label)
                .unwrap_or_else(|| panic!("{label}"));
            row.spread(Subject::Peer(peer)).map(|spread| spread.median)
        };
        // A request takes 2 ms here.
        assert_eq!(value("Jobs a second", Peer::Ours), Some(4.0));
        assert_eq!(value("part of R", Peer::Ours), Some(0.4));
        assert_eq!(value("API requests a run", Peer::Ours), Some(2.0));
        assert_eq!(value("CPU time a run, until all is written", Peer::Ours), Some(0.002));
        assert_eq!(value("Jobs a second", Peer::CronJobTuned), Some(1.0 / 2.002));
        assert_eq!(book.notes(), ["herd-tuned-2-allow: 1 of 2 tasks were started."]);
    }

    #[test]
    fn the_longest_time_without_a_renewal_may_begin_before_the_herd() {
        let at = |seconds: i64| base() + SignedDuration::from_secs(seconds);
        let renewal = |seconds, code| {
            let mut renewal = request(Peer::Ours, OPERATOR_NAMESPACE, "punctual", at(seconds));
            (renewal.verb, renewal.resource, renewal.code) = ("update".into(), "leases".into(), code);
            renewal
        };
        let all: Vec<Request> = [(-20, 200), (-1, 200), (1, 409), (5, 200), (7, 200), (40, 200)]
            .map(|(seconds, code)| renewal(seconds, code))
            .into();
        assert_eq!(longest_gap(&all, base(), at(10)), Some(6.0));
        assert_eq!(longest_gap(&all[..1], base(), at(10)), None);
    }

    #[test]
    fn work_left_over_from_before_is_noted() {
        let slot = base();
        let earlier = request(Peer::Ours, "herd-ours-5000-forbid", "a", slot - SignedDuration::from_millis(300));
        assert!(disturbed(&[earlier], slot, "herd-tuned-5000-allow"));
        let after = request(Peer::Ours, "herd-ours-5000-forbid", "a", slot);
        assert!(!disturbed(&[after], slot, "herd-tuned-5000-allow"));
    }
}
