//! Random lives of random tasks: whatever happens, in whatever order, the rules of the ledger hold.
//!
//! Takes histories of time, edits, ends, deletions, deaths and refusals; the audit judges each effect, this file the end.
//! `PROPTEST_CASES` raises the number of lives. Never a rule that the plan itself computed.

use super::audit::accounted;
use super::expect::{brief, counters};
use super::story::{fields, time};
use super::world::{KEY, World};
use crate::api::{ConcurrencyPolicy, MissedRunPolicy, ScheduledTaskSpec};
use crate::plan::{Effect, Exit, Observed, due, plan, schedule_of};
use jiff::{SignedDuration, Timestamp};
use proptest::prelude::*;

const SCHEDULES: [&str; 10] = [
    "* * * * *",
    "*/5 9-17 * * *",
    "0 * * * *",
    "@every 7m",
    "*/20 * * * * *",
    "30 2 * * *",
    "15 10 * * 1-5",
    "0 */2 * * *",
    "@daily",
    "59 23 31 2 *",
];
const ZONES: [&str; 4] = ["UTC", "America/New_York", "Australia/Lord_Howe", "Mars/Olympus"];
const POLICIES: [ConcurrencyPolicy; 3] = [ConcurrencyPolicy::Allow, ConcurrencyPolicy::Forbid, ConcurrencyPolicy::Replace];
const MISSED: [MissedRunPolicy; 3] = [MissedRunPolicy::Latest, MissedRunPolicy::None, MissedRunPolicy::All];
const DEADLINES: [Option<i64>; 6] = [None, None, Some(0), Some(30), Some(600), Some(86_400)];

/// One thing that happens.
#[derive(Clone, Debug)]
enum Step {
    Pass(i64),
    Back(i64),
    End {
        which: usize,
        succeeded: bool,
    },
    Delete {
        which: usize,
    },
    Edit(Change),
    /// The operator will die after so many more effects.
    DieAfter(usize),
    Up,
    /// A spec that cannot be read, until the next edit.
    Garble,
    RefuseCreates(bool),
    RefuseDeletes(bool),
    /// Nothing is answered.
    Silent(bool),
    /// The next POST is carried out; then nothing is answered, and the Job is not shown until somebody asks for it.
    FallSilent,
    CatchUp,
    /// A POST is carried out, and the operator is told an error; the watch shows the Job.
    LoseAnswer,
    /// Somebody else writes the task, so many times.
    Conflict(usize),
    /// Another replica acts between our plan and its effects.
    Rival,
    /// A process is stopped between plan and deed, and goes on much later.
    Stop,
    GoOn,
    Linger(bool),
}

#[derive(Clone, Debug)]
enum Change {
    Schedule(usize),
    Zone(usize),
    Suspend(bool),
    Policy(usize),
    Missed(usize),
    Deadline(usize),
    Limits(i32, i32, i32),
}

impl Change {
    fn apply(&self, spec: &mut ScheduledTaskSpec) {
        match self {
            Self::Schedule(n) => spec.schedule = Some(SCHEDULES[*n].into()),
            Self::Zone(n) => spec.time_zone = ZONES[*n].into(),
            Self::Suspend(suspend) => spec.suspend = *suspend,
            Self::Policy(n) => spec.concurrency_policy = POLICIES[*n],
            Self::Missed(n) => spec.missed_run_policy = MISSED[*n],
            Self::Limits(succeeded, failed, recorded) => {
                (
                    spec.successful_jobs_history_limit,
                    spec.failed_jobs_history_limit,
                    spec.run_history_limit,
                ) = (*succeeded, *failed, *recorded);
            }
            Self::Deadline(n) => spec.starting_deadline_seconds = DEADLINES[*n],
        }
    }
}

fn a_change() -> impl Strategy<Value = Change> {
    prop_oneof![
        (0..SCHEDULES.len()).prop_map(Change::Schedule),
        (0..ZONES.len()).prop_map(Change::Zone),
        any::<bool>().prop_map(Change::Suspend),
        (0..POLICIES.len()).prop_map(Change::Policy),
        (0..MISSED.len()).prop_map(Change::Missed),
        (0..DEADLINES.len()).prop_map(Change::Deadline),
        (0..3_i32, 0..3_i32, 0..6_i32).prop_map(|(succeeded, failed, recorded)| Change::Limits(succeeded, failed, recorded)),
    ]
}

fn some_time() -> impl Strategy<Value = i64> {
    prop_oneof![4 => 0..120_i64, 4 => 60..3600_i64, 2 => 3600..100_000_i64]
}

fn a_step() -> impl Strategy<Value = Step> {
    prop_oneof![
        10 => some_time().prop_map(Step::Pass),
        2 => some_time().prop_map(Step::Back),
        8 => (any::<usize>(), any::<bool>()).prop_map(|(which, succeeded)| Step::End { which, succeeded }),
        2 => any::<usize>().prop_map(|which| Step::Delete { which }),
        2 => a_change().prop_map(Step::Edit),
        3 => (1..8_usize).prop_map(Step::DieAfter),
        4 => Just(Step::Up),
        1 => Just(Step::RefuseCreates(true)),
        2 => Just(Step::RefuseCreates(false)),
        1 => Just(Step::Garble),
        1 => Just(Step::RefuseDeletes(true)),
        2 => Just(Step::RefuseDeletes(false)),
        1 => Just(Step::Silent(true)),
        3 => Just(Step::Silent(false)),
        1 => Just(Step::FallSilent),
        2 => Just(Step::CatchUp),
        1 => Just(Step::LoseAnswer),
        1 => (1..4_usize).prop_map(Step::Conflict),
        1 => Just(Step::Rival),
        1 => Just(Step::Stop),
        2 => Just(Step::GoOn),
        1 => any::<bool>().prop_map(Step::Linger),
    ]
}

fn a_task() -> impl Strategy<Value = (ScheduledTaskSpec, bool)> {
    let choices = (
        0..SCHEDULES.len() - 1,
        0..ZONES.len() - 1,
        0..POLICIES.len(),
        0..MISSED.len(),
        0..DEADLINES.len(),
    );
    (choices, 1..12_i32, 0..4_i32, 0..4_i32, 0..12_i32, any::<bool>()).prop_map(|(choices, limit, succeeded, failed, recorded, late)| {
        let mut spec = fields(SCHEDULES[choices.0]);
        spec.time_zone = ZONES[choices.1].into();
        spec.concurrency_policy = POLICIES[choices.2];
        spec.missed_run_policy = MISSED[choices.3];
        spec.starting_deadline_seconds = DEADLINES[choices.4];
        spec.missed_run_limit = Some(limit);
        (
            spec.successful_jobs_history_limit,
            spec.failed_jobs_history_limit,
            spec.run_history_limit,
        ) = (succeeded, failed, recorded);
        (spec, late)
    })
}

fn newborn((spec, late): &(ScheduledTaskSpec, bool)) -> World {
    let mut world = World::new(spec.clone(), time("2026-10-30T08:00:00.4Z"));
    world.merges_late = *late;
    world.settle(true);
    world
}

fn happen(world: &mut World, step: &Step) {
    let seconds = SignedDuration::from_secs;
    match step {
        Step::Pass(by) => {
            world.write_what_waits();
            world.now += seconds(*by);
        }
        Step::Back(by) => world.now -= seconds(*by),
        Step::End { which, succeeded } => {
            let slots: Vec<Timestamp> = world.unfinished().iter().filter_map(|job| job.slot).collect();
            if !slots.is_empty() {
                world.end(slots[which % slots.len()], *succeeded, Exit::Known { code: 1, message: None });
            }
        }
        Step::Delete { which } => {
            // Under Allow the Job is the only proof of its start until the status is written: who deletes it before that,
            // while the operator is down, takes the proof away.
            let written = |name: &String| !world.status().active.iter().any(|run| run.job == *name && run.uid.is_none());
            let proven: Vec<String> = world
                .jobs
                .keys()
                .filter(|name| written(name) && is_accounted(world, name))
                .cloned()
                .collect();
            if !proven.is_empty() {
                world.remove(&proven[which % proven.len()]);
            }
        }
        Step::Edit(change) => world.edit(|spec| change.apply(spec)),
        Step::DieAfter(effects) => world.dies_in = Some(*effects),
        Step::Up => world.awake = true,
        Step::RefuseCreates(refuse) => world.faults.refuses_creates = refuse.then(|| "exceeded quota".into()),
        Step::RefuseDeletes(refuse) => world.faults.refuses_deletes = refuse.then(|| "forbidden".into()),
        Step::Garble => world.garble(),
        Step::Silent(silent) => world.faults.silent = *silent,
        Step::FallSilent => (world.faults.loses_answers, world.faults.then_silent, world.faults.watch_lags) = (1, true, true),
        Step::CatchUp => {
            (world.faults.then_silent, world.faults.watch_lags) = (false, false);
            world.jobs.values_mut().for_each(|object| object.hidden = false);
        }
        Step::LoseAnswer => world.faults.loses_answers = 1,
        Step::Conflict(times) => world.faults.conflicts = *times,
        Step::Stop => world.stopped = Some(world.observe()).filter(|_| world.awake),
        Step::GoOn => {
            // Where a plan makes a Job at once (Allow, or a claim that is written), the name is the only lock: see the map.
            let makes = |observed: &Observed| plan(observed).effects.iter().any(|effect| matches!(effect, Effect::Create { .. }));
            if let Some(before) = world.stopped.take().filter(|before| !makes(before)) {
                world.does_what_was_planned_before(&before);
            }
        }
        Step::Rival => world.faults.rival = true,
        Step::Linger(linger) => {
            world.faults.deletions_linger = *linger;
            let lingering: Vec<String> = world
                .jobs
                .iter()
                .filter(|(_, object)| object.job.deleting.is_some())
                .map(|(name, _)| name.clone())
                .collect();
            if !linger {
                lingering.iter().for_each(|name| world.remove(name));
            }
        }
    }
}

fn is_accounted(world: &World, name: &str) -> bool {
    world.jobs[name].job.slot <= accounted(world.status())
}

fn live(task: &(ScheduledTaskSpec, bool), steps: &[Step]) -> World {
    let mut world = newborn(task);
    for step in steps {
        happen(&mut world, step);
        world.settle(true);
    }
    if world.broken.is_some() {
        return world;
    }
    // Everything works again, for long enough that the last refusal is tried again.
    (world.faults, world.awake, world.dies_in) = (Default::default(), true, None);
    world.jobs.values_mut().for_each(|object| object.hidden = false);
    world.settle(true);
    world.write_what_waits();
    world.now += SignedDuration::from_mins(10);
    world.settle(true);
    world.write_what_waits();
    world
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, max_shrink_iters: 4000, ..ProptestConfig::with_cases(cases(96)) })]

    #[test]
    fn whatever_happens_the_books_add_up_and_no_slot_runs_twice(task in a_task(), steps in prop::collection::vec(a_step(), 1..40)) {
        // The sums, the order of time, one Job a slot and no overlap are judged at every effect, by the audit.
        let world = live(&task, &steps);
        prop_assert!(world.broken.is_none(), "{}", world.broken.unwrap());
        let status = world.status();
        prop_assert_eq!(status.started, world.made.len() as i64, "each Job made is one slot started: {}", brief(status));
        let running: Vec<String> = world.unfinished().iter().map(|job| job.name.clone()).collect();
        let active: Vec<String> = status.active.iter().filter(|run| run.uid.is_some()).map(|run| run.job.clone()).collect();
        prop_assert!(running.iter().all(|job| active.contains(job)), "running {running:?}, active {active:?}");
        prop_assert_eq!(active.len() as i64, status.running);
        let limit = world.spec().map_or(100, |spec| spec.fields.run_history_limit as usize);
        prop_assert!(status.recent_runs.len() <= limit, "{} records, {limit} allowed", status.recent_runs.len());
        // What the author wrote is what stands there.
        prop_assert!(world.spec().is_none_or(|spec| spec.fields == world.written));
    }

    #[test]
    fn planning_again_gives_an_empty_plan_in_whatever_order_jobs_are_seen(task in a_task(), steps in prop::collection::vec(a_step(), 1..30)) {
        let mut world = newborn(&task);
        for step in &steps {
            happen(&mut world, step);
            let observed = world.observe();
            let mut turned = observed.clone();
            turned.jobs.reverse();
            turned.gone.reverse();
            prop_assert_eq!(plan(&observed), plan(&turned), "the order of Jobs means nothing");
            prop_assert_eq!(plan(&observed), plan(&observed), "the same question has the same answer");
            world.settle(false);
            prop_assert!(world.broken.is_none(), "{}", world.broken.unwrap());
            if world.awake && !world.faults.silent {
                prop_assert!(plan(&world.observe()).effects.is_empty(), "a plan that was carried out is followed by an empty one");
            }
        }
    }

    #[test]
    fn death_after_any_effect_changes_nothing_in_the_end(task in a_task(), steps in prop::collection::vec(a_quiet_step(), 1..25), dies_after in 1..60_usize) {
        let life = |dies_in| {
            let mut world = newborn(&task);
            world.dies_in = dies_in;
            for step in &steps {
                happen(&mut world, step);
                world.settle(true);
                if !world.awake {
                    world.awake = true;
                    world.settle(true);
                }
            }
            world.dies_in = None;
            world.awake = true;
            world.settle(false);
            world
        };
        let (undisturbed, other) = (life(None), life(Some(dies_after)));
        prop_assert_eq!(&undisturbed.broken, &None);
        prop_assert_eq!(&other.broken, &None);
        prop_assert_eq!(&undisturbed.made, &other.made);
        prop_assert_eq!(counters(undisturbed.status()), counters(other.status()));
        prop_assert_eq!(accounted(undisturbed.status()), accounted(other.status()));
    }

    #[test]
    fn every_slot_that_passed_is_either_started_or_missed((spec, _) in a_task(), from in 0..40_000_000_i64, span in some_time()) {
        let (after, now) = (Timestamp::from_second(1_790_000_000 + from).unwrap(), Timestamp::from_second(1_790_000_000 + from + span).unwrap());
        let schedule = schedule_of(&spec.observed_schedule(), KEY).unwrap();
        let passed: Vec<Timestamp> = schedule.slots(after).take_while(|slot| *slot <= now).collect();
        let due = due(&schedule, &spec, after, now);
        let missed: u64 = due.missed.iter().map(|stretch| stretch.slots).sum();
        prop_assert_eq!(missed as usize + due.start.len(), passed.len());
        prop_assert!(passed.ends_with(&due.start), "the newest are started, oldest first: {due:?}");
        prop_assert!(due.missed.iter().all(|stretch| passed.contains(&stretch.first) && passed.contains(&stretch.last)));
        let most = if spec.missed_run_policy == MissedRunPolicy::All { spec.catch_up_limit() } else { 1 };
        prop_assert!(due.start.len() <= most);
        let oldest = spec.starting_deadline_seconds.map(|deadline| now - SignedDuration::from_secs(deadline));
        prop_assert!(due.start.iter().all(|slot| oldest.is_none_or(|oldest| *slot >= oldest)));
    }
}

/// Steps after which an operator that restarts at once knows as much as one that lived on.
fn a_quiet_step() -> impl Strategy<Value = Step> {
    prop_oneof![
        10 => some_time().prop_map(Step::Pass),
        6 => (any::<usize>(), any::<bool>()).prop_map(|(which, succeeded)| Step::End { which, succeeded }),
        2 => a_change().prop_map(Step::Edit),
        1 => some_time().prop_map(Step::Back),
        1 => (1..4_usize).prop_map(Step::Conflict),
    ]
}

fn cases(default: u32) -> u32 {
    std::env::var("PROPTEST_CASES")
        .ok()
        .and_then(|cases| cases.parse().ok())
        .unwrap_or(default)
}
