//! The words in which a scenario is told: given, at. What must be so then stands in `expect`.
//!
//! Takes sentences, changes the world. A start that no sentence expects ends the story at its next step.

use super::world::{Object, World};
use crate::api::{ConcurrencyPolicy, MissedRunPolicy, ScheduledTaskSpec};
use crate::plan::{Exit, JobEnd, JobObject, Pods, run_name};
use jiff::Timestamp;
use serde_json::{Value, json};

/// A task and what happens to it.
pub struct Story {
    pub world: World,
    /// How many starts the sentences so far have named.
    pub named: usize,
    /// And how many further attempts.
    pub attempts: usize,
}

/// A task of that schedule. Its life begins with `since`.
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

/// Changes the template as its author would.
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

    pub fn retrying(self, limit: i32, delay: &str) -> Self {
        self.set("retryPolicy", json!({"limit": limit, "delay": delay}))
    }

    /// A field as its author writes it.
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

    pub fn keeping(self, succeeded: i32, failed: i32) -> Self {
        self.with(|spec| (spec.successful_jobs_history_limit, spec.failed_jobs_history_limit) = (succeeded, failed))
    }

    pub fn recording(self, runs: i32) -> Self {
        self.with(|spec| spec.run_history_limit = runs)
    }

    pub fn named(mut self, name: &str) -> Self {
        self.world.task.name = name.into();
        self
    }

    /// Writes that may be merged with others wait, as in a busy operator.
    pub fn merging_late(mut self) -> Self {
        self.world.merges_late = true;
        self
    }

    /// Anything else about the task before it is applied.
    pub fn born_with(mut self, change: impl FnOnce(&mut World)) -> Self {
        change(&mut self.world);
        self.world.task.generation = 1;
        self
    }

    /// The task is applied, and the operator meets it at once.
    pub fn since(self, at: &str) -> Self {
        let mut story = self.applied(at);
        story.world.settle(true);
        story.world.write_what_waits();
        story
    }

    /// The task is applied, but nobody looks yet.
    pub fn applied(mut self, at: &str) -> Self {
        (self.world.task.created, self.world.now) = (time(at), time(at));
        self
    }
}

/// What happens.
impl Story {
    /// Something happens in the world, and the operator, if it runs, looks.
    pub fn when(mut self, happens: impl FnOnce(&mut World)) -> Self {
        happens(&mut self.world);
        self.world.settle(true);
        self.keeps_the_rules()
    }

    /// The clock shows this time, be it later or earlier.
    pub fn at(mut self, at: &str) -> Self {
        self = self.starts_nothing();
        self.world.write_what_waits();
        self.when(|world| world.now = time(at))
    }

    /// The operator wakes when it said it would; each of its Jobs succeeds at once.
    pub fn lives_until(mut self, until: &str) -> Self {
        while let Some(wake) = self.world.wake_at.filter(|wake| *wake <= time(until)) {
            self.world.write_what_waits();
            self.world.now = wake;
            self.world.settle(true);
            self = self.keeps_the_rules().everything_succeeds();
        }
        self.when(|world| world.now = time(until))
    }

    pub fn everything_succeeds(self) -> Self {
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
                    code,
                    message: Some("no space left".into()),
                },
            )
        })
    }

    /// A run of that slot fails by its podFailurePolicy.
    pub fn fails_for_good(self, slot: &str) -> Self {
        self.when(|world| {
            world.end(time(slot), false, Exit::Known { code: 42, message: None });
            let of_slot = world.jobs.values_mut().filter(|object| object.job.slot == Some(time(slot)));
            let end = of_slot.filter_map(|object| object.job.end.as_mut()).last();
            end.expect("it ended").reason = "PodFailurePolicy".into();
        })
    }

    /// No pod of the slot's Job gets ready, for this reason.
    pub fn never_gets_ready(mut self, slot: &str, reason: &str) -> Self {
        self.world.going_on(time(slot)).waits = Pods::Waiting(reason.into());
        self
    }

    /// The slot's Job is suspended by a queueing system, or resumed.
    pub fn sees_held(self, slot: &str, held: bool) -> Self {
        self.when(|world| {
            let now = world.now;
            let job = &mut world.going_on(time(slot)).job;
            (job.suspended, job.began) = (held, (!held).then_some(now));
        })
    }

    pub fn asks_to_run(self, request: &str) -> Self {
        self.when(|world| world.ask(|requests| requests.run_now = Some(request.into())))
    }

    pub fn asks_to_resume(self, request: &str) -> Self {
        self.when(|world| world.ask(|requests| requests.resume = Some(request.into())))
    }

    pub fn asks_to_backfill(self, interval: &str) -> Self {
        self.when(|world| world.ask(|requests| requests.backfill = Some(interval.into())))
    }

    /// The Job of the slot vanishes: by its user, by a TTL, by anybody but us.
    pub fn sees_deleted(self, slot: &str) -> Self {
        self.when(|world| world.remove(&run_name(&world.task.name, time(slot))))
    }

    /// An object of kind Job that is not ours has the name of the slot's Job.
    pub fn a_stranger_has_the_name_of(self, slot: &str, owner: &str) -> Self {
        self.when(|world| {
            let name = run_name(&world.task.name, time(slot));
            let job = JobObject {
                name: name.clone(),
                uid: "stranger".into(),
                slot: Some(time(slot)),
                ..world.fresh_job()
            };
            world.jobs.insert(
                name,
                Object {
                    job,
                    owner: owner.into(),
                    hidden: false,
                    pods: Exit::Unknown,
                    waits: Pods::Began,
                },
            );
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

    pub fn takes_everything_again(self) -> Self {
        self.when(|world| (world.faults.refuses_creates, world.faults.refuses_deletes) = (None, None))
    }

    /// The next POST is carried out, but its answer never comes.
    pub fn loses_the_next_answer(mut self) -> Self {
        self.world.faults.loses_answers = 1;
        self
    }

    /// The next POST is carried out; after it nothing is answered or shown.
    pub fn falls_silent_after_the_next_post(mut self) -> Self {
        let faults = &mut self.world.faults;
        (faults.loses_answers, faults.then_silent, faults.watch_lags) = (1, true, true);
        self
    }

    /// Requests are answered again; the watch of Jobs comes later.
    pub fn answers_again(self) -> Self {
        self.when(|world| (world.faults.silent, world.faults.then_silent) = (false, false))
    }

    pub fn the_watch_catches_up(self) -> Self {
        self.when(|world| world.jobs.values_mut().for_each(|object| object.hidden = false))
    }

    /// The operator will die right after so many more effects.
    pub fn dies_after(mut self, effects: usize) -> Self {
        self.world.dies_in = Some(effects);
        self
    }

    /// The operator is stopped, or its machine is.
    pub fn down(mut self) -> Self {
        self.world.write_what_waits();
        self.world.die();
        self
    }

    /// It runs again, and remembers nothing.
    pub fn up(self) -> Self {
        self.when(|world| (world.awake, world.dies_in) = (true, None))
    }
}

/// The end of a Job, for worlds that are built by hand.
pub fn done(at: Timestamp) -> JobEnd {
    JobEnd {
        succeeded: true,
        at,
        reason: "CompletionsReached".into(),
        message: "done".into(),
    }
}
