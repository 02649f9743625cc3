//! What Punctual costs while nothing is due: memory, CPU time, requests, and the time from its start until it is ready.
//!
//! [`Populate`] lets the operator itself make the finished Jobs; [`AtRest`] then restarts it for growing sets of namespaces.

use std::time::Duration;

use anyhow::Result;
use jiff::Timestamp;

use super::scheduled::{Expected, Scheduled};
use crate::audit;
use crate::book::{Book, Figure, Subject, Unit};
use crate::clock::{self, after};
use crate::ground::Ground;
use crate::observation::Observation;
use crate::operator::Operator;
use crate::peer::Peer;
use crate::report::number;
use crate::tools::Tools;
use crate::usage;
use crate::workload::{JobKind, When, Workload};

/// Tasks of one namespace, each with finished Jobs.
#[derive(Clone, Debug)]
pub struct Population {
    pub namespace: &'static str,
    pub tasks: usize,
    /// One finished Job for each of these.
    pub slots: Vec<u32>,
    /// Size of each template beyond the smallest, in bytes.
    pub padding: usize,
}

impl Population {
    fn jobs(&self) -> usize {
        self.tasks * self.slots.len()
    }
}

/// Creates the populations.
#[derive(Clone, Debug)]
pub struct Populate {
    pub populations: Vec<Population>,
    pub seconds: u32,
}

impl Scheduled for Populate {
    fn workloads(&self, base: Timestamp) -> Vec<(Peer, Workload)> {
        let workload = |population: &Population| Workload {
            when: When::Slots(population.slots.iter().map(|second| after(base, *second)).collect()),
            job: JobKind::Empty,
            padding: population.padding,
            ..Workload::new(population.namespace, population.tasks)
        };
        self.populations
            .iter()
            .map(|population| (Peer::Ours, workload(population)))
            .collect()
    }

    fn seconds(&self) -> u32 {
        self.seconds
    }

    fn expected(&self) -> Vec<Expected> {
        let expected = |population: &Population| (Peer::Ours, population.namespace.to_owned(), population.jobs());
        self.populations.iter().map(expected).collect()
    }

    fn evaluate(&self, _base: Timestamp, seen: &Observation, book: &mut Book) {
        for population in &self.populations {
            let starts = seen.starts(Peer::Ours, population.namespace).count();
            if starts != population.jobs() {
                book.note(format!(
                    "{}: {starts} of {} Jobs were made.",
                    population.namespace,
                    population.jobs()
                ));
            }
        }
    }
}

/// Restarts the operator for each set of namespaces and looks at it.
#[derive(Clone, Debug)]
pub struct AtRest {
    /// Each with those before it.
    pub growing: Vec<Population>,
    /// Apart from the others.
    pub padded: Option<Population>,
    /// How long the operator is watched while nothing is due.
    pub idle: Duration,
}

impl AtRest {
    /// Returns the last operator that it started.
    pub async fn measure(&self, ground: &Ground, tools: &Tools, book: &mut Book) -> Result<Operator> {
        if let Some(padded) = &self.padded {
            let what = format!("templates of {} KiB", padded.padding / 1024);
            let operator = look(std::slice::from_ref(padded), &what, ground, tools, book).await?;
            operator.stop().await?;
        }
        for number in 1..self.growing.len() {
            let some = self.growing.get(..number).unwrap_or_default();
            look(some, "small templates", ground, tools, book).await?.stop().await?;
        }
        let operator = look(&self.growing, "small templates", ground, tools, book).await?;
        self.watch(&operator, ground, book).await?;
        Ok(operator)
    }

    /// What it does while nothing is due.
    async fn watch(&self, operator: &Operator, ground: &Ground, book: &mut Book) -> Result<()> {
        let section = section(&self.growing, "small templates");
        let manager = ground.controller_manager()?;
        let (ours, theirs) = (Subject::Peer(Peer::Ours), Subject::Peer(Peer::CronJobTuned));
        let (from, before) = (clock::now(), [usage::cpu_seconds(operator.pid())?, usage::cpu_seconds(manager)?]);
        tokio::time::sleep(self.idle).await;
        let (until, now) = (clock::now(), [usage::cpu_seconds(operator.pid())?, usage::cpu_seconds(manager)?]);
        let seconds = until.duration_since(from).as_secs_f64();
        for (subject, spent) in [ours, theirs]
            .into_iter()
            .zip(now.iter().zip(before).map(|(now, before)| now - before))
        {
            book.add(
                &section,
                "idle CPU, of one core",
                Unit::PercentOfCore,
                subject,
                100.0 * spent / seconds,
            );
        }
        let log = ground.cluster.audit_log();
        let within = move |request: &audit::Request| request.received >= from && request.received <= until && !request.is_watch();
        let requests = tokio::task::spawn_blocking(move || audit::read(&log, within)).await??;
        for (peer, subject) in [(Peer::Ours, ours), (Peer::CronJobTuned, theirs)] {
            let sent = requests.iter().filter(|request| peer.sent(request) && !request.is_lease()).count();
            book.add(
                &section,
                "idle requests a minute, without the Lease",
                Unit::Count,
                subject,
                sent as f64 * 60.0 / seconds,
            );
        }
        book.add(&section, "resident memory", Unit::MiB, theirs, usage::memory(manager)?.resident);
        book.note(
            "Memory and idle CPU of CronJob are those of the whole controller manager, which holds the same Jobs, but no CronJobs."
                .to_owned(),
        );
        Ok(())
    }
}

fn section(populations: &[Population], what: &str) -> String {
    let tasks: usize = populations.iter().map(|population| population.tasks).sum();
    let jobs: usize = populations.iter().map(Population::jobs).sum();
    let count = |count: usize| number(Unit::Count, count as f64);
    format!("At rest: {} tasks, {} finished Jobs, {what}", count(tasks), count(jobs))
}

async fn look(populations: &[Population], what: &str, ground: &Ground, tools: &Tools, book: &mut Book) -> Result<Operator> {
    let (section, subject) = (section(populations, what), Subject::Peer(Peer::Ours));
    let namespaces: Vec<String> = populations.iter().map(|population| population.namespace.to_owned()).collect();
    let mut operator = Operator::start(&tools.binary, &ground.operator_kubeconfig, &namespaces, tools.log(&section))?;
    let ready = operator.ready().await?;
    operator.quiet().await?;
    let memory = usage::memory(operator.pid())?;
    book.add(&section, "start to ready", Unit::Seconds, subject, ready.as_secs_f64());
    book.add(&section, "resident memory", Unit::MiB, subject, memory.resident);
    book.add(&section, "peak since the start", Unit::MiB, subject, memory.peak);
    let tasks = populations.iter().map(|population| population.tasks).sum();
    book.point(Figure::Memory, &format!("{}, {what}", Peer::Ours.name()), tasks, memory.resident);
    Ok(operator)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_section_adds_its_populations() {
        let population = |namespace, tasks, jobs| Population {
            namespace,
            tasks,
            slots: (0..jobs).collect(),
            padding: 0,
        };
        let both = [population("rest-a", 1000, 3), population("rest-b", 9000, 3)];
        assert_eq!(
            section(&both, "small templates"),
            "At rest: 10,000 tasks, 30,000 finished Jobs, small templates"
        );
    }

    #[test]
    fn each_finished_job_comes_from_a_slot_of_its_task() {
        let populate = Populate {
            populations: vec![Population {
                namespace: "rest-a",
                tasks: 5,
                slots: vec![0, 40, 80],
                padding: 0,
            }],
            seconds: 120,
        };
        let base: Timestamp = "2026-11-26T13:05:00Z".parse().unwrap();
        assert_eq!(populate.expected(), [(Peer::Ours, "rest-a".to_owned(), 15)]);
        let manifests = populate.workloads(base)[0].1.manifests(Peer::Ours).unwrap();
        assert_eq!(manifests[4]["spec"]["schedules"].as_array().unwrap().len(), 3);
        assert_eq!(manifests[4]["spec"]["jobTemplate"]["spec"]["completions"], 0);
    }
}
