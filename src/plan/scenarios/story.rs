//! What happens in a scenario: a task is given, time passes, Jobs finish, requests fail.
//!
//! Each step changes the world and lets the operator reconcile. Expectations are in `expect`; a start that none of them names fails the
//! scenario at its next step.

use super::world::{Object, World};
use crate::api::{ConcurrencyPolicy, MissedRunPolicy, ScheduledTaskSpec};
use crate::plan::{Exit, JobEnd, JobObject, Pods, run_name};
use jiff::Timestamp;
use serde_json::{Value, json};

/// A task and what happens to it.
pub struct Story {
    pub world: World,
    /// How many starts the scenario has named so far.
    pub named: usize,
    /// How many retries it has named.
    pub attempts: usize,
}

/// A task with this schedule. It is created by `since` or `applied`.
pub fn given(schedule: &str) -> Story {
    Story {
        world: World::new(fields(schedule), time("1970-01-01T00:00:00Z")),
        named: 0,
        attempts: 0,
    }
}

pub fn fields(schedule: &str) -> ScheduledTaskSpec {
    let container = json!({"name": "main", "image": "busybox"});
    let template = json!({"spec": {"template": {"spec": {"restartPolicy": "Never", "containers": [container]}}}});
    serde_json::from_value(json!({"schedule": schedule, "jobTemplate": template})).expect("a plain spec")
}

/// Edits the Job template.
pub fn edit_template(spec: &mut ScheduledTaskSpec, change: impl FnOnce(&mut serde_json::Map<String, Value>)) {
    let mut fields = spec.job_template.fields();
    change(&mut fields);
    spec.job_template = fields.into();
}

pub fn time(text: &str) -> Timestamp {
    text.parse().unwrap_or_else(|error| panic!("{text} is no time: {error}"))
}

/// Before the task is applied.
impl Story {
    fn with(mut self, change: impl FnOnce(&mut ScheduledTaskSpec)) -> Self {
        self.world.edit(change);
        self.world.task.generation = 1;
        self
    }

    pub fn policy(self, policy: ConcurrencyPolicy) -> Self {
        self.with(|spec| spec.concurrency_policy = policy)
    }

    pub fn zone(self, zone: &str) -> Self {
        self.with(|spec| spec.time_zone = zone.into())
    }

    pub fn missed(self, policy: MissedRunPolicy) -> Self {
        self.with(|spec| spec.missed_run_policy = policy)
    }

    pub fn deadline(self, seconds: i64) -> Self {
        self.with(|spec| spec.starting_deadline_seconds = Some(seconds))
    }

    pub fn retry_policy(self, limit: i32, delay: &str) -> Self {
        self.set("retryPolicy", json!({"limit": limit, "delay": delay}))
    }

    /// Sets a field of the spec, as it is written in a manifest.
    pub fn set(mut self, field: &str, value: Value) -> Self {
        let mut fields = json!(self.world.written);
        fields[field] = value;
        self.world
            .edit(|spec| *spec = ScheduledTaskSpec::read(&fields).expect("a good field"));
        self.world.task.generation = 1;
        self
    }

    pub fn suspended(self) -> Self {
        self.with(|spec| spec.suspend = true)
    }

    pub fn history_limits(self, succeeded: i32, failed: i32) -> Self {
        self.with(|spec| (spec.successful_jobs_history_limit, spec.failed_jobs_history_limit) = (succeeded, failed))
    }

    pub fn run_history_limit(self, runs: i32) -> Self {
        self.with(|spec| spec.run_history_limit = runs)
    }

    pub fn named(mut self, name: &str) -> Self {
        self.world.task.name = name.into();
        self
    }

    /// Status writes that may be coalesced wait, as in a busy operator.
    pub fn coalescing_writes(mut self) -> Self {
        self.world.coalesces = true;
        self
    }

    /// Anything else about the task before it is created.
    pub fn with_world(mut self, change: impl FnOnce(&mut World)) -> Self {
        change(&mut self.world);
        self.world.task.generation = 1;
        self
    }

    /// The task is created, and the operator reconciles it at once.
    pub fn since(self, at: &str) -> Self {
        let mut story = self.applied(at);
        story.world.reconcile(true);
        story.world.write_coalesced();
        story
    }

    /// The task is created, but not reconciled yet.
    pub fn applied(mut self, at: &str) -> Self {
        (self.world.task.created, self.world.now) = (time(at), time(at));
        self
    }
}

/// What happens.
impl Story {
    /// Something happens, and the operator reconciles if it is running.
    pub fn when(mut self, happens: impl FnOnce(&mut World)) -> Self {
        happens(&mut self.world);
        self.world.reconcile(true);
        self.passes_audit()
    }

    /// The clock is set to this time, later or earlier.
    pub fn at(mut self, at: &str) -> Self {
        self = self.starts_nothing();
        self.world.write_coalesced();
        self.when(|world| world.now = time(at))
    }

    /// Time passes from wake-up to wake-up; each Job succeeds at once.
    pub fn runs_until(mut self, until: &str) -> Self {
        while let Some(wake) = self.world.wake_at.filter(|wake| *wake <= time(until)) {
            self.world.write_coalesced();
            self.world.now = wake;
            self.world.reconcile(true);
            self = self.passes_audit().all_jobs_succeed();
        }
        self.when(|world| world.now = time(until))
    }

    pub fn all_jobs_succeed(self) -> Self {
        self.when(|world| {
            let slots: Vec<Timestamp> = world.unfinished().iter().filter_map(|job| job.slot).collect();
            slots.into_iter().for_each(|slot| world.end(slot, true, Exit::Unknown));
        })
    }

    pub fn succeeds(self, slot: &str) -> Self {
        self.when(|world| world.end(time(slot), true, Exit::Unknown))
    }

    pub fn fails(self, slot: &str, code: i32) -> Self {
        self.when(|world| {
            world.end(
                time(slot),
                false,
                Exit::Known {
                    code: Some(code),
                    message: Some("no space left".into()),
                },
            )
        })
    }

    /// A run of that slot fails by its podFailurePolicy.
    pub fn fails_by_pod_failure_policy(self, slot: &str) -> Self {
        self.when(|world| {
            world.end(
                time(slot),
                false,
                Exit::Known {
                    code: Some(42),
                    message: None,
                },
            );
            let of_slot = world.jobs.values_mut().filter(|object| object.job.slot == Some(time(slot)));
            let end = of_slot.filter_map(|object| object.job.end.as_mut()).last();
            end.expect("it ended").reason = "PodFailurePolicy".into();
        })
    }

    /// No pod of the slot's Job starts, for this reason.
    pub fn stays_pending(mut self, slot: &str, reason: &str) -> Self {
        self.world.active_job(time(slot)).waits = Pods::Waiting(reason.into());
        self
    }

    /// The slot's Job is suspended by a queueing system, or resumed.
    pub fn job_suspended(self, slot: &str, held: bool) -> Self {
        self.when(|world| {
            let now = world.now;
            let job = &mut world.active_job(time(slot)).job;
            (job.suspended, job.began) = (held, (!held).then_some(now));
        })
    }

    pub fn requests_run(self, request: &str) -> Self {
        self.when(|world| world.annotate(|requests| requests.run_now = Some(request.into())))
    }

    pub fn requests_resume(self, request: &str) -> Self {
        self.when(|world| world.annotate(|requests| requests.resume = Some(request.into())))
    }

    pub fn requests_backfill(self, interval: &str) -> Self {
        self.when(|world| world.annotate(|requests| requests.backfill = Some(interval.into())))
    }

    /// Somebody else deletes the slot's Job.
    pub fn job_deleted(self, slot: &str) -> Self {
        self.when(|world| world.remove(&run_name(&world.task.name, time(slot))))
    }

    /// A Job of this owner has the name of the slot's Job.
    pub fn foreign_job_takes_name_of(self, slot: &str, owner: &str) -> Self {
        self.when(|world| {
            let name = run_name(&world.task.name, time(slot));
            let job = JobObject {
                name: name.clone(),
                uid: "stranger".into(),
                slot: Some(time(slot)),
                ..world.new_job()
            };
            world.jobs.insert(
                name,
                Object {
                    job,
                    owner: owner.into(),
                    hidden: false,
                    pods: Exit::Unknown,
                    waits: Pods::Began(None),
                },
            );
        })
    }

    /// The Job of the slot gets the condition `FailureTarget`: its pods are being deleted.
    pub fn job_failing(self, slot: &str, reason: &str, pods: Exit) -> Self {
        self.when(|world| {
            let at = world.now;
            let object = world.active_job(time(slot));
            object.pods = pods;
            object.job.failing = Some(JobEnd {
                succeeded: false,
                at,
                reason: reason.into(),
                message: "the Job controller says so".into(),
            });
        })
    }

    /// Somebody takes the label off the slot's Job by which the watch selects it.
    pub fn job_unlabelled(self, slot: &str) -> Self {
        self.when(|world| {
            let job = world.active_job(time(slot)).job.clone();
            world.faults.unlabelled.insert(job.name);
            world.deletions.push(job.uid);
        })
    }

    pub fn edited(self, change: impl FnOnce(&mut ScheduledTaskSpec)) -> Self {
        self.when(|world| world.edit(change))
    }

    pub fn refuses_creates(self, message: &str) -> Self {
        self.when(|world| world.faults.refuses_creates = Some(message.into()))
    }

    pub fn refuses_deletes(self, message: &str) -> Self {
        self.when(|world| world.faults.refuses_deletes = Some(message.into()))
    }

    pub fn accepts_writes_again(self) -> Self {
        self.when(|world| (world.faults.refuses_creates, world.faults.refuses_deletes) = (None, None))
    }

    /// The next create is carried out, but its response is lost.
    pub fn loses_next_response(mut self) -> Self {
        self.world.faults.loses_responses = 1;
        self
    }

    /// The next create is carried out; then every request fails, and the watch does not show the Job.
    pub fn disconnects_after_next_create(mut self) -> Self {
        let faults = &mut self.world.faults;
        (faults.loses_responses, faults.then_disconnects, faults.watch_lags) = (1, true, true);
        self
    }

    /// Requests succeed again; the watch of Jobs still lags.
    pub fn reconnects(self) -> Self {
        self.when(|world| (world.faults.disconnected, world.faults.then_disconnects) = (false, false))
    }

    pub fn watch_catches_up(self) -> Self {
        self.when(|world| world.jobs.values_mut().for_each(|object| object.hidden = false))
    }

    /// The operator crashes after this many more requests.
    pub fn crashes_after(mut self, effects: usize) -> Self {
        self.world.crashes_in = Some(effects);
        self
    }

    /// The operator stops.
    pub fn operator_stops(mut self) -> Self {
        self.world.write_coalesced();
        self.world.crash();
        self
    }

    /// A new process starts, without memory of the former.
    pub fn operator_starts(self) -> Self {
        self.when(|world| (world.is_running, world.crashes_in) = (true, None))
    }
}

/// The end of a Job that succeeded.
pub fn done(at: Timestamp) -> JobEnd {
    JobEnd {
        succeeded: true,
        at,
        reason: "CompletionsReached".into(),
        message: "done".into(),
    }
}
