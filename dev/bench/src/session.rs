//! One session: a fresh cluster on which R and a number of measurements are taken.
//!
//! Both schedulers are there all the time, and their slots take turns. The schedulers are watched from outside only: by the audit log and
//! by /proc.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use jiff::Timestamp;

use crate::audit::{self, Request};
use crate::book::Book;
use crate::clock;
use crate::ground::Ground;
use crate::load;
use crate::measurements::at_rest::AtRest;
use crate::measurements::ceiling::{self, Ceiling};
use crate::measurements::scheduled::Scheduled;
use crate::observation::Observation;
use crate::operator::Operator;
use crate::peer::{Manager, Peer};
use crate::tools::Tools;
use crate::usage::Sampler;
use crate::workload::COMPLETE_JOB;

/// How long after its end a session waits for Jobs that are still due.
const GRACE: Duration = Duration::from_secs(45);
/// The share of R at which tasks of Punctual are created and their first statuses written; and the share at which CronJobs are created.
const SETUP_SHARE: (f64, f64) = (0.2, 0.4);
/// What a session takes beside that until its first slot: the operator's start, and proof that it has nothing more to do.
const SETUP_LEAD: f64 = 5.0;

/// What a session consists of.
pub struct Session {
    pub name: String,
    pub manager: Manager,
    pub ceiling: Ceiling,
    pub scheduled: Vec<Box<dyn Scheduled>>,
    /// What is measured afterwards of restarted operators.
    pub at_rest: Option<AtRest>,
}

impl Session {
    /// Runs it to its end and writes into the book.
    pub async fn run(&self, tools: &Tools, book: &mut Book) -> Result<()> {
        let ground = Ground::start(self.manager, &tools.root).await?;
        let result = self.run_on(&ground, tools, book).await;
        ground.end().await;
        result
    }

    async fn run_on(&self, ground: &Ground, tools: &Tools, book: &mut Book) -> Result<()> {
        let ceiling = ceiling::measure(&self.ceiling, ground, "ceiling").await?;
        let (base, mut operator) = self.set_up(ground, tools, &ceiling).await?;
        let (ours, manager) = (operator.pid(), ground.controller_manager()?);
        let sampler = Sampler::start(vec![ours, manager]);
        clock::sleep_until(base).await;
        self.act(base, ground).await?;
        let end = clock::after(base, self.scheduled.iter().map(|part| part.seconds()).max().unwrap_or(0));
        clock::sleep_until(end).await;
        let requests = self.requests_until_all_started(base, ground, end).await?;
        operator.quiet().await?;
        let manager_of = match self.manager {
            Manager::Tuned => Peer::CronJobTuned,
            Manager::Default => Peer::CronJobDefault,
        };
        let cpu = BTreeMap::from([(Peer::Ours, sampler.series(ours)), (manager_of, sampler.series(manager))]);
        drop(sampler);
        let mut full_ceiling = None;
        if self.ceiling.is_a_result() {
            full_ceiling = ceiling::measure_at_end(ground).await?;
            ceiling::record(&ceiling, full_ceiling, book);
        }
        let seen = Observation {
            requests,
            cpu,
            ceiling,
            full_ceiling,
        };
        for part in &self.scheduled {
            part.evaluate(base, &seen, book);
        }
        if let Some(at_rest) = &self.at_rest {
            operator.stop().await?;
            operator = at_rest.measure(ground, tools, book).await?;
        }
        operator.stop().await
    }

    /// Creates all tasks, waits until both schedulers know them, and returns the moment at which the session begins. It is chosen before the
    /// tasks are created, because their schedules name it.
    async fn set_up(&self, ground: &Ground, tools: &Tools, ceiling: &BTreeMap<usize, f64>) -> Result<(Timestamp, Operator)> {
        let speed = ceiling.values().copied().reduce(f64::max).context("R was not measured")?;
        let planned: Vec<(Peer, usize)> = self
            .workloads(clock::now())
            .iter()
            .map(|(peer, workload)| (*peer, workload.tasks))
            .collect();
        let by_speed = expected_setup(&planned, speed);
        let seconds = by_speed * tools.setup_factor.get() + SETUP_LEAD;
        let lead = Duration::from_secs_f64(seconds);
        // CronJobs are due at whole minutes.
        let base = match planned.iter().any(|(peer, _)| *peer != Peer::Ours) {
            true => clock::next_minute(clock::now(), lead),
            false => clock::next_second(clock::now(), lead),
        };
        let begin = Instant::now();
        let operator = self.create(base, ground, tools).await?;
        let taken = begin.elapsed().as_secs_f64();
        // The next session knows better, with a margin.
        let factor = 1.2 * (taken - SETUP_LEAD).max(1.0) / by_speed;
        if by_speed > 5.0 {
            tools.setup_factor.set(factor.clamp(0.2, 5.0));
        }
        ensure!(
            clock::now() < base,
            "{}: its tasks were to be created in {seconds:.0} s, and it took {taken:.0} s: this machine is slow or busy",
            self.name
        );
        Ok((base, operator))
    }

    /// Starts the operator, creates all tasks, and waits until the operator has nothing more to do.
    async fn create(&self, base: Timestamp, ground: &Ground, tools: &Tools) -> Result<Operator> {
        let workloads = self.workloads(base);
        for (_, workload) in &workloads {
            ground.namespace(&workload.namespace).await?;
        }
        let of_ours = workloads.iter().filter(|(peer, _)| *peer == Peer::Ours);
        let mut namespaces: Vec<String> = of_ours.map(|(_, workload)| workload.namespace.clone()).collect();
        if namespaces.is_empty() {
            // Without tasks it is there nevertheless, so that all sessions are alike.
            namespaces.push("default".to_owned());
        }
        let mut operator = Operator::start(&tools.binary, &ground.operator_kubeconfig, &namespaces, tools.log(&self.name))?;
        operator.ready().await?;
        for (peer, workload) in &workloads {
            let path = match peer {
                Peer::Ours => format!("/apis/punctual.dev/v1alpha1/namespaces/{}/scheduledtasks", workload.namespace),
                _ => format!("/apis/batch/v1/namespaces/{}/cronjobs", workload.namespace),
            };
            load::create_all(&ground.client, &path, workload.manifests(*peer)?).await?;
        }
        operator.quiet().await?;
        Ok(operator)
    }

    fn workloads(&self, base: Timestamp) -> Vec<(Peer, crate::workload::Workload)> {
        self.scheduled.iter().flat_map(|part| part.workloads(base)).collect()
    }

    /// Completes Jobs where a measurement asks for it.
    async fn act(&self, base: Timestamp, ground: &Ground) -> Result<()> {
        let mut due: Vec<(u32, String)> = self.scheduled.iter().flat_map(|part| part.completions()).collect();
        due.sort();
        for (second, namespace) in due {
            clock::sleep_until(clock::after(base, second)).await;
            let path = format!("/apis/batch/v1/namespaces/{namespace}/jobs");
            let list = load::send(&ground.client, "GET", &path, "application/json", b"").await?;
            let list: serde_json::Value = serde_json::from_str(&list)?;
            let jobs = list["items"].as_array().cloned().unwrap_or_default();
            for name in jobs.iter().filter_map(|job| job["metadata"]["name"].as_str()) {
                let job = format!("{path}/{name}");
                load::send(
                    &ground.client,
                    "PATCH",
                    &job,
                    "application/merge-patch+json",
                    COMPLETE_JOB.as_bytes(),
                )
                .await?;
            }
        }
        Ok(())
    }

    async fn requests_until_all_started(&self, base: Timestamp, ground: &Ground, end: Timestamp) -> Result<Vec<Request>> {
        let mut expected: BTreeMap<(Peer, String), usize> = BTreeMap::new();
        for (peer, namespace, starts) in self.scheduled.iter().flat_map(|part| part.expected()) {
            *expected.entry((peer, namespace)).or_default() += starts;
        }
        loop {
            let log = ground.cluster.audit_log();
            let wanted = move |request: &Request| {
                let of_interest = Peer::Ours.sent(request) || Peer::CronJobTuned.sent(request);
                of_interest && !request.is_watch() && request.received >= base - jiff::SignedDuration::from_secs(1)
            };
            let requests = tokio::task::spawn_blocking(move || audit::read(&log, wanted)).await??;
            let mut started: BTreeMap<(Peer, String), usize> = BTreeMap::new();
            for request in requests.iter().filter(|request| request.is_start()) {
                for (peer, _) in expected.keys().filter(|(_, namespace)| *namespace == request.namespace) {
                    *started.entry((*peer, request.namespace.clone())).or_default() += 1;
                }
            }
            let all = expected
                .iter()
                .all(|(key, count)| started.get(key).is_some_and(|started| started >= count));
            if all || clock::now() > end + GRACE {
                return Ok(requests);
            }
            tokio::time::sleep(Duration::from_secs(1)).await;
        }
    }
}

/// How long it takes to create so many tasks of each scheduler, where R is `speed`.
fn expected_setup(tasks: &[(Peer, usize)], speed: f64) -> f64 {
    let time_of = |(peer, tasks): &(Peer, usize)| match peer {
        Peer::Ours => *tasks as f64 / (SETUP_SHARE.0 * speed),
        _ => *tasks as f64 / (SETUP_SHARE.1 * speed),
    };
    tasks.iter().map(time_of).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn setup_takes_longer_where_the_api_server_is_slower() {
        let tasks = [(Peer::Ours, 1000), (Peer::CronJobTuned, 1000)];
        assert_eq!(expected_setup(&tasks, 1000.0), 7.5);
        assert_eq!(expected_setup(&tasks, 500.0), 15.0);
        assert_eq!(expected_setup(&[], 500.0), 0.0);
    }
}
