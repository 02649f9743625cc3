//! Property tests: random histories of random tasks, in which the rules of the ledger always hold.
//!
//! A history is a sequence of time steps, edits, Job ends, deletions, crashes and refusals. The audit checks each effect, this file the
//! end. `PROPTEST_CASES` sets the number of histories. No expectation is computed by the plan itself.

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
    /// The operator crashes after this many more requests.
    CrashAfter(usize),
    Up,
    /// A spec that cannot be read, until the next edit.
    UnreadableSpec,
    RefuseCreates(bool),
    RefuseDeletes(bool),
    /// Every request fails.
    Disconnect(bool),
    /// The next create is carried out; then every request fails, and the Job is hidden until it is read.
    DisconnectAfterCreate,
    CatchUp,
    /// A create is carried out, but its response is lost; the watch shows the Job.
    LoseResponse,
    /// Somebody else writes the task this many times.
    Conflict(usize),
    /// Another replica acts between our plan and its effects.
    OtherReplica,
    /// A process is paused after planning, and resumes much later.
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
        3 => (1..8_usize).prop_map(Step::CrashAfter),
        4 => Just(Step::Up),
        1 => Just(Step::RefuseCreates(true)),
        2 => Just(Step::RefuseCreates(false)),
        1 => Just(Step::UnreadableSpec),
        1 => Just(Step::RefuseDeletes(true)),
        2 => Just(Step::RefuseDeletes(false)),
        1 => Just(Step::Disconnect(true)),
        3 => Just(Step::Disconnect(false)),
        1 => Just(Step::DisconnectAfterCreate),
        2 => Just(Step::CatchUp),
        1 => Just(Step::LoseResponse),
        1 => (1..4_usize).prop_map(Step::Conflict),
        1 => Just(Step::OtherReplica),
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
    world.coalesces = *late;
    world.reconcile(true);
    world
}

fn happen(world: &mut World, step: &Step) {
    let seconds = SignedDuration::from_secs;
    match step {
        Step::Pass(by) => {
            world.write_coalesced();
            world.now += seconds(*by);
        }
        Step::Back(by) => world.now -= seconds(*by),
        Step::End { which, succeeded } => {
            let slots: Vec<Timestamp> = world.unfinished().iter().filter_map(|job| job.slot).collect();
            if !slots.is_empty() {
                world.end(
                    slots[which % slots.len()],
                    *succeeded,
                    Exit::Known {
                        code: Some(1),
                        message: None,
                    },
                );
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
        Step::CrashAfter(effects) => world.crashes_in = Some(*effects),
        Step::Up => world.is_running = true,
        Step::RefuseCreates(refuse) => world.faults.refuses_creates = refuse.then(|| "exceeded quota".into()),
        Step::RefuseDeletes(refuse) => world.faults.refuses_deletes = refuse.then(|| "forbidden".into()),
        Step::UnreadableSpec => world.apply_unreadable_spec(),
        Step::Disconnect(silent) => world.faults.disconnected = *silent,
        Step::DisconnectAfterCreate => {
            (world.faults.loses_responses, world.faults.then_disconnects, world.faults.watch_lags) = (1, true, true)
        }
        Step::CatchUp => {
            (world.faults.then_disconnects, world.faults.watch_lags) = (false, false);
            world.jobs.values_mut().for_each(|object| object.hidden = false);
        }
        Step::LoseResponse => world.faults.loses_responses = 1,
        Step::Conflict(times) => world.faults.conflicts = *times,
        Step::Stop => world.paused_process = Some(world.observe()).filter(|_| world.is_running),
        Step::GoOn => {
            // Where a plan creates a Job at once (Allow, or a written claim), the name is the only lock (ARCHITECTURE.md).
            let makes = |observed: &Observed| plan(observed).effects.iter().any(|effect| matches!(effect, Effect::Create { .. }));
            if let Some(before) = world.paused_process.take().filter(|before| !makes(before)) {
                world.execute_stale_plan(&before);
            }
        }
        Step::OtherReplica => world.faults.other_replica = true,
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
        world.reconcile(true);
    }
    if world.violation.is_some() {
        return world;
    }
    // All faults end, for long enough that the last refusal is retried.
    (world.faults, world.is_running, world.crashes_in) = (Default::default(), true, None);
    world.jobs.values_mut().for_each(|object| object.hidden = false);
    world.reconcile(true);
    world.write_coalesced();
    world.now += SignedDuration::from_mins(10);
    world.reconcile(true);
    world.write_coalesced();
    world
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, max_shrink_iters: 4000, ..ProptestConfig::with_cases(cases(96)) })]

    #[test]
    fn counters_add_up_and_no_slot_runs_twice(task in a_task(), steps in prop::collection::vec(a_step(), 1..40)) {
        // The audit checks sums, order of time, one Job per slot and overlap at every effect.
        let world = live(&task, &steps);
        prop_assert!(world.violation.is_none(), "{}", world.violation.unwrap());
        let status = world.status();
        prop_assert_eq!(status.started, world.started.len() as i64, "each Job made is one slot started: {}", brief(status));
        let running: Vec<String> = world.unfinished().iter().map(|job| job.name.clone()).collect();
        let active: Vec<String> = status.active.iter().filter(|run| run.uid.is_some()).map(|run| run.job.clone()).collect();
        prop_assert!(running.iter().all(|job| active.contains(job)), "running {running:?}, active {active:?}");
        prop_assert_eq!(active.len() as i64, status.running);
        let limit = world.spec().map_or(100, |spec| spec.fields.run_history_limit as usize);
        prop_assert!(status.recent_runs.len() <= limit, "{} records, {limit} allowed", status.recent_runs.len());
        // The author's spec is unchanged.
        prop_assert!(world.spec().is_none_or(|spec| spec.fields == world.written));
    }

    #[test]
    fn planning_again_is_empty_whatever_the_order_of_jobs(task in a_task(), steps in prop::collection::vec(a_step(), 1..30)) {
        let mut world = newborn(&task);
        for step in &steps {
            happen(&mut world, step);
            let observed = world.observe();
            let mut turned = observed.clone();
            turned.jobs.reverse();
            turned.gone.reverse();
            prop_assert_eq!(plan(&observed), plan(&turned), "the order of Jobs means nothing");
            prop_assert_eq!(plan(&observed), plan(&observed), "the same question has the same answer");
            world.reconcile(false);
            prop_assert!(world.violation.is_none(), "{}", world.violation.unwrap());
            if world.is_running && !world.faults.disconnected {
                prop_assert!(plan(&world.observe()).effects.is_empty(), "a plan that was carried out is followed by an empty one");
            }
        }
    }

    #[test]
    fn a_crash_after_any_effect_changes_no_outcome(task in a_task(), steps in prop::collection::vec(a_quiet_step(), 1..25), crashes_after in 1..60_usize) {
        let life = |dies_in| {
            let mut world = newborn(&task);
            world.crashes_in = dies_in;
            for step in &steps {
                happen(&mut world, step);
                world.reconcile(true);
                if !world.is_running {
                    world.is_running = true;
                    world.reconcile(true);
                }
            }
            world.crashes_in = None;
            world.is_running = true;
            world.reconcile(false);
            world
        };
        let (undisturbed, other) = (life(None), life(Some(crashes_after)));
        prop_assert_eq!(&undisturbed.violation, &None);
        prop_assert_eq!(&other.violation, &None);
        prop_assert_eq!(&undisturbed.started, &other.started);
        prop_assert_eq!(counters(undisturbed.status()), counters(other.status()));
        prop_assert_eq!(accounted(undisturbed.status()), accounted(other.status()));
    }

    #[test]
    fn every_past_slot_is_started_or_missed((spec, _) in a_task(), from in 0..40_000_000_i64, span in some_time()) {
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

/// Steps after which an operator that restarts at once knows as much as one that did not. One conflict is among them, for it is decided
/// anew at once; after two the decision waits, and whoever dies meanwhile takes it along: a slot that it skipped may start late.
fn a_quiet_step() -> impl Strategy<Value = Step> {
    prop_oneof![
        10 => some_time().prop_map(Step::Pass),
        6 => (any::<usize>(), any::<bool>()).prop_map(|(which, succeeded)| Step::End { which, succeeded }),
        2 => a_change().prop_map(Step::Edit),
        1 => some_time().prop_map(Step::Back),
        1 => Just(Step::Conflict(1)),
    ]
}

fn cases(default: u32) -> u32 {
    std::env::var("PROPTEST_CASES")
        .ok()
        .and_then(|cases| cases.parse().ok())
        .unwrap_or(default)
}
