//! API requests over the whole life of a run: start, status, finish, and the deletion of the finished Job.

use jiff::{SignedDuration, Timestamp};

use super::scheduled::{Expected, Scheduled};
use crate::audit::Request;
use crate::book::{Book, Figure, Subject, Unit};
use crate::clock::after;
use crate::figures::REQUEST_KINDS;
use crate::observation::Observation;
use crate::peer::{OPERATOR_NAMESPACE, Peer};
use crate::workload::{JobKind, When, Workload};

/// Runs of tasks that keep no finished Job, so that each life ends within the session.
#[derive(Clone, Debug)]
pub struct Requests {
    pub peer: Peer,
    /// When the runs begin. For Punctual each in a second of its own, so that no commit to the claims log is shared; CronJobs at a whole minute.
    pub short: Vec<u32>,
    pub long: Vec<u32>,
    /// When the long runs are completed.
    pub completed: u32,
    /// When all is written.
    pub seconds: u32,
}

impl Requests {
    fn kinds(&self) -> [(&'static str, JobKind, &[u32]); 2] {
        [
            ("short", JobKind::Empty, &self.short),
            ("long", JobKind::CompletedLater, &self.long),
        ]
    }

    fn namespace(&self, kind: &str) -> String {
        format!("requests-{kind}-{}", self.peer.short_name())
    }
}

impl Scheduled for Requests {
    fn workloads(&self, base: Timestamp) -> Vec<(Peer, Workload)> {
        let workload = |(kind, job, seconds): (&str, JobKind, &[u32])| {
            let slots = seconds.iter().map(|second| after(base, *second)).collect();
            let workload = Workload {
                job,
                history: 0,
                when: When::OwnSlot(slots),
                ..Workload::new(self.namespace(kind), seconds.len())
            };
            (self.peer, workload)
        };
        self.kinds().map(workload).into()
    }

    fn seconds(&self) -> u32 {
        self.seconds
    }

    fn expected(&self) -> Vec<Expected> {
        let expected = |(kind, _, seconds): (&str, JobKind, &[u32])| (self.peer, self.namespace(kind), seconds.len());
        self.kinds().map(expected).into()
    }

    fn completions(&self) -> Vec<(u32, String)> {
        vec![(self.completed, self.namespace("long"))]
    }

    fn evaluate(&self, base: Timestamp, seen: &Observation, book: &mut Book) {
        for (kind, _, seconds) in self.kinds() {
            let namespace = self.namespace(kind);
            let runs = seen.starts(self.peer, &namespace).count() as f64;
            if runs == 0.0 {
                book.note(format!("{namespace}: no task was started."));
                continue;
            }
            let slots: Vec<Timestamp> = seconds.iter().map(|second| after(base, *second)).collect();
            let of_runs = seen
                .requests
                .iter()
                .filter(|request| self.peer.sent(request) && belongs(request, &namespace, &slots));
            let mut counts = [0.0; REQUEST_KINDS.len()];
            for request in of_runs {
                if let Some(count) = counts.get_mut(kind_of(request)) {
                    *count += 1.0;
                }
            }
            let per_run = counts.map(|count| count / runs);
            let section = format!("API requests a run, {kind} run");
            let subject = Subject::Peer(self.peer);
            for (name, value) in REQUEST_KINDS.iter().zip(per_run) {
                book.add(&section, name, Unit::PerRun, subject, value);
            }
            book.add(&section, "all", Unit::PerRun, subject, per_run.iter().sum());
            if kind == "short" {
                let points = per_run.iter().enumerate().map(|(kind, value)| (kind as f64, *value)).collect();
                book.curve(Figure::Requests, self.peer.name(), points);
            }
        }
    }
}

/// Whether the request is of these runs: in their namespace, or a commit to the claims log within a second after one of their slots.
fn belongs(request: &Request, namespace: &str, slots: &[Timestamp]) -> bool {
    let second_after = |slot: &&Timestamp| request.received >= **slot && request.received < **slot + SignedDuration::from_secs(1);
    let commit = request.namespace == OPERATOR_NAMESPACE && !request.is_lease();
    request.namespace == namespace || (commit && slots.iter().any(|slot| second_after(&slot)))
}

/// The index in [`REQUEST_KINDS`].
fn kind_of(request: &Request) -> usize {
    match (request.verb.as_str(), request.resource.as_str(), request.subresource.as_str()) {
        ("get" | "list", ..) => 5,
        (_, "events", _) => 3,
        ("create", "jobs", "") if !request.dry_run => 0,
        ("update" | "patch", "scheduledtasks" | "cronjobs", _) => 1,
        ("delete" | "deletecollection", "jobs", _) => 2,
        ("create" | "update" | "patch", "configmaps" | "secrets" | "leases", _) => 4,
        _ => 6,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::measurements::every_minute::tests::request;

    #[test]
    fn each_request_has_a_kind() {
        let mut request = request(Peer::Ours, "requests-short-ours", "a", Timestamp::UNIX_EPOCH);
        for (verb, resource, subresource, kind) in [
            ("create", "jobs", "", "create Job"),
            ("update", "scheduledtasks", "status", "write status"),
            ("update", "cronjobs", "status", "write status"),
            ("delete", "jobs", "", "delete Job"),
            ("create", "events", "", "event"),
            ("patch", "events", "", "event"),
            ("update", "configmaps", "", "claims log"),
            ("get", "jobs", "", "read"),
            ("list", "pods", "", "read"),
            ("patch", "jobs", "", "other"),
        ] {
            (request.verb, request.resource, request.subresource) = (verb.into(), resource.into(), subresource.into());
            assert_eq!(REQUEST_KINDS[kind_of(&request)], kind, "{verb} {resource}");
        }
    }

    #[test]
    fn commits_count_for_the_run_of_their_second() {
        let base: Timestamp = "2026-11-26T13:05:00Z".parse().unwrap();
        let slots = [after(base, 30)];
        let at = |namespace, millis| request(Peer::Ours, namespace, "a", base + SignedDuration::from_millis(millis));
        assert!(belongs(&at(OPERATOR_NAMESPACE, 30_002), "requests-short-ours", &slots));
        assert!(!belongs(&at(OPERATOR_NAMESPACE, 31_002), "requests-short-ours", &slots));
        assert!(belongs(&at("requests-short-ours", 55_000), "requests-short-ours", &slots));
        assert!(!belongs(&at("herd", 30_002), "requests-short-ours", &slots));
    }
}
