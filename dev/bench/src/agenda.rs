//! Which sessions there are, in which order, and what is left out when the time is short.
//!
//! Times within a session are chosen so that each scheduler has finished before the other's slot; CronJobs are due at whole minutes only.

use std::time::Duration;

use crate::measurements::at_rest::{AtRest, Populate, Population};
use crate::measurements::ceiling::Ceiling;
use crate::measurements::every_minute::EveryMinute;
use crate::measurements::herds::{Herd, Herds};
use crate::measurements::lone::Lone;
use crate::measurements::requests::Requests;
use crate::measurements::scheduled::Scheduled;
use crate::peer::{Manager, Peer};
use crate::session::Session;
use crate::workload::Policy;

/// A session and how long it is expected to take on two cores that do nothing else.
pub struct Entry {
    pub session: Session,
    pub estimate: Duration,
}

/// How long everything may take, without building.
pub fn budget(quick: bool) -> Duration {
    Duration::from_secs(if quick { 5 * 60 } else { 30 * 60 })
}

/// Whether a session still fits.
pub fn fits(entry: &Entry, elapsed: Duration, budget: Duration) -> bool {
    elapsed + entry.estimate <= budget
}

/// All sessions, the most important first.
pub fn agenda(quick: bool) -> Vec<Entry> {
    if quick {
        return vec![
            entry(170, "everything small", Manager::Tuned, ceiling(true), everything_small(), None),
            at_rest(true),
            entry(
                60,
                "CronJob with default flags",
                Manager::Default,
                setup_only(),
                vec![Box::new(default_herd(100, 15))],
                None,
            ),
        ];
    }
    let round = |number: u32| {
        entry(
            200,
            &format!("round {number}"),
            Manager::Tuned,
            ceiling(false),
            vec![Box::new(round_of_herds())],
            None,
        )
    };
    vec![
        round(1),
        entry(635, "every minute", Manager::Tuned, setup_only(), ten_minutes(), None),
        round(2),
        entry(
            170,
            "CronJob with default flags",
            Manager::Default,
            setup_only(),
            vec![Box::new(default_herd(1000, 121))],
            None,
        ),
        entry(
            190,
            "herds of 10,000",
            Manager::Tuned,
            ceiling(false),
            vec![Box::new(large_herds())],
            None,
        ),
        at_rest(false),
        round(3),
    ]
}

fn entry(
    seconds: u64,
    name: &str,
    manager: Manager,
    ceiling: Ceiling,
    scheduled: Vec<Box<dyn Scheduled>>,
    at_rest: Option<AtRest>,
) -> Entry {
    Entry {
        session: Session {
            name: name.to_owned(),
            manager,
            ceiling,
            scheduled,
            at_rest,
        },
        estimate: Duration::from_secs(seconds),
    }
}

fn ceiling(quick: bool) -> Ceiling {
    match quick {
        true => Ceiling(vec![(1, 300), (16, 1000), (128, 1500)]),
        false => Ceiling(vec![(1, 500), (16, 2500), (128, 3500)]),
    }
}

/// Where R is not a result, but says how fast tasks can be created.
fn setup_only() -> Ceiling {
    Ceiling(vec![(16, 300)])
}

fn herd(peer: Peer, tasks: usize, policy: Policy, second: u32) -> Herd {
    Herd {
        peer,
        tasks,
        policy,
        second,
    }
}

fn round_of_herds() -> Herds {
    use Policy::{Allow, Forbid};
    Herds {
        herds: vec![
            herd(Peer::CronJobTuned, 1000, Allow, 0),
            herd(Peer::Ours, 1000, Allow, 9),
            herd(Peer::Ours, 1000, Forbid, 19),
            herd(Peer::Ours, 100, Allow, 29),
            herd(Peer::Ours, 5000, Forbid, 33),
            herd(Peer::CronJobTuned, 5000, Allow, 60),
            herd(Peer::Ours, 5000, Allow, 83),
        ],
        seconds: 108,
        drawn: 5000,
    }
}

/// Of Punctual alone: the CronJob controller would need a minute more.
fn large_herds() -> Herds {
    Herds {
        herds: vec![
            herd(Peer::Ours, 10_000, Policy::Allow, 0),
            herd(Peer::Ours, 10_000, Policy::Forbid, 55),
        ],
        seconds: 110,
        drawn: 5000,
    }
}

fn default_herd(tasks: usize, seconds: u32) -> Herds {
    Herds {
        herds: vec![herd(Peer::CronJobDefault, tasks, Policy::Allow, 0)],
        seconds,
        drawn: tasks,
    }
}

fn every_minute(peer: Peer, tasks: usize, second: u32, minutes: u32) -> Box<dyn Scheduled> {
    Box::new(EveryMinute {
        peer,
        tasks,
        second,
        minutes,
    })
}

/// Both schedulers every minute; between them lone tasks, and the runs whose requests are counted in the first minute.
fn ten_minutes() -> Vec<Box<dyn Scheduled>> {
    let quiet = |minute: u32| (60 * minute + 22)..(60 * minute + 59);
    vec![
        every_minute(Peer::CronJobTuned, 1000, 0, 10),
        every_minute(Peer::Ours, 1000, 8, 10),
        Box::new(requests_of_ours(22..28, 28..58, 64, 100)),
        Box::new(requests_of_cronjobs(20, 5, 64, 125)),
        Box::new(Lone {
            seconds: (1..10).flat_map(quiet).collect(),
        }),
    ]
}

fn requests_of_ours(long: std::ops::Range<u32>, short: std::ops::Range<u32>, completed: u32, seconds: u32) -> Requests {
    Requests {
        peer: Peer::Ours,
        short: short.collect(),
        long: long.collect(),
        completed,
        seconds,
    }
}

fn requests_of_cronjobs(short: usize, long: usize, completed: u32, seconds: u32) -> Requests {
    Requests {
        peer: Peer::CronJobTuned,
        short: vec![0; short],
        long: vec![0; long],
        completed,
        seconds,
    }
}

/// As `QUICK=1` has it: two minutes for everything. A CronJob would have to be due at the minutes of the herds, so only Punctual is due every
/// minute.
fn everything_small() -> Vec<Box<dyn Scheduled>> {
    use Policy::{Allow, Forbid};
    let herds = Herds {
        herds: vec![
            herd(Peer::CronJobTuned, 1000, Allow, 0),
            herd(Peer::Ours, 1000, Allow, 9),
            herd(Peer::Ours, 1000, Forbid, 20),
            herd(Peer::Ours, 100, Allow, 32),
        ],
        seconds: 36,
        drawn: 1000,
    };
    vec![
        Box::new(herds),
        Box::new(requests_of_ours(36..39, 39..45, 70, 90)),
        Box::new(requests_of_cronjobs(10, 3, 70, 90)),
        every_minute(Peer::Ours, 1000, 46, 2),
        Box::new(Lone {
            seconds: (55..59).chain(62..69).chain(73..105).collect(),
        }),
    ]
}

fn at_rest(quick: bool) -> Entry {
    let population = |namespace, tasks, slots: &[u32]| Population {
        namespace,
        tasks,
        slots: slots.to_vec(),
        padding: 0,
    };
    let (growing, padded, seconds, idle, estimate) = match quick {
        true => {
            let growing = vec![population("rest-a", 200, &[0, 5, 10]), population("rest-b", 800, &[0, 5, 10])];
            (growing, None, 18, 3, 48)
        }
        false => {
            let slots = [0, 30, 60];
            let growing = vec![
                population("rest-a", 1000, &slots),
                population("rest-b", 4000, &slots),
                population("rest-c", 5000, &slots),
            ];
            let padded = Population {
                padding: 4096,
                ..population("rest-large", 2500, &[90])
            };
            (growing, Some(padded), 105, 20, 205)
        }
    };
    let populate = Populate {
        populations: growing.iter().chain(&padded).cloned().collect(),
        seconds,
    };
    let at_rest = AtRest {
        growing,
        padded,
        idle: Duration::from_secs(idle),
    };
    entry(
        estimate,
        "at rest",
        Manager::Tuned,
        setup_only(),
        vec![Box::new(populate)],
        Some(at_rest),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::Timestamp;
    use std::collections::BTreeSet;

    #[test]
    fn a_whole_agenda_is_within_its_budget() {
        for quick in [true, false] {
            let total: Duration = agenda(quick).iter().map(|entry| entry.estimate).sum();
            assert!(total <= budget(quick), "{total:?}");
        }
    }

    #[test]
    fn a_session_that_does_not_fit_is_left_out() {
        let entries = agenda(true);
        let limit = budget(true);
        assert!(fits(&entries[0], Duration::ZERO, limit));
        assert!(!fits(&entries[0], limit - Duration::from_secs(60), limit));
    }

    #[test]
    fn every_workload_of_a_session_has_a_namespace_of_its_own_and_both_manifests() {
        let base: Timestamp = "2026-11-26T13:05:00Z".parse().unwrap();
        for entry in [true, false].into_iter().flat_map(agenda) {
            let mut namespaces = BTreeSet::new();
            for (peer, workload) in entry.session.scheduled.iter().flat_map(|part| part.workloads(base)) {
                assert!(namespaces.insert(workload.namespace.clone()), "{}", workload.namespace);
                assert_eq!(workload.manifests(peer).unwrap().len(), workload.tasks);
            }
        }
    }

    #[test]
    fn three_rounds_of_herds_are_planned() {
        let names: Vec<String> = agenda(false).into_iter().map(|entry| entry.session.name).collect();
        assert_eq!(names.iter().filter(|name| name.starts_with("round")).count(), 3);
    }
}
