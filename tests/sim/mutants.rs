//! Deliberate mistakes between plan and world: a checker that cannot fail proves nothing.
//!
//! Takes what the real plan is about to see, or what it decided; bends it, gives it back. Each mistake is a test: within a few
//! hundred lives the checker must name the rule that is broken. Never used elsewhere.

use super::generate::plain;
use super::shrink::verdict;
use jiff::{SignedDuration, Timestamp};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use punctual::api::{ConcurrencyPolicy, ScheduledTaskSpec, ScheduledTaskStatus};
use punctual::plan::{Effect, Observed, Plan, Reason, Urgency};
use std::sync::Arc;

/// A mistake.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mutant {
    DropsStatusWrites,
    MakesASecondJob,
    CountsASlotTwice,
    ForgetsToCount,
    SkipsOverASlot,
    MovesBack,
    StartsEarly,
    StartsWithoutClaim,
    Overlaps,
    IgnoresSuspend,
    IgnoresFailures,
    IgnoresTheDeadline,
    IgnoresRunTimeout,
    IgnoresPendingTimeout,
    TriesTooOften,
    TriesAtOnce,
    DeletesUnwritten,
    ForgetsUncounted,
    KeepsJobs,
    TurnsTheQueue,
    AnswersTwice,
    WritesAlways,
    GrowsHistory,
    WakesLate,
    // In how requests are worded and answers are read:
    MarksNothing,
    TakesSilenceForSuccess,
    TakesTakenNamesForItsOwn,
    TakesConflictsForSuccess,
    DeletesWhateverItIsByNow,
    LeavesPodsBehind,
    TakesRefusedStartsForMade,
    TakesUnseenForGone,
    // In the world around one kind of fault, see `teeth`:
    ForgetsClaims,
    BelievesVersionsOfLists,
    TakesUnlistedForGone,
    ForgetsWhatWasPruned,
    TakesItsClockForTwiceAsWrong,
    DropsHandledRequests,
}

impl Mutant {
    /// Before the plan: what it sees is not so.
    pub fn bend(self, observed: &mut Observed) {
        match self {
            Self::StartsEarly => observed.now += SignedDuration::from_secs(30),
            Self::ForgetsClaims => observed.claims.clear(),
            Self::Overlaps => fields(observed, |fields| {
                if fields.capacity().is_some() {
                    (fields.concurrency_policy, fields.max_concurrent_runs) = (ConcurrencyPolicy::Queue, Some(5));
                }
            }),
            Self::IgnoresSuspend => fields(observed, |fields| fields.suspend = false),
            Self::IgnoresFailures => fields(observed, |fields| fields.suspend_after_failures = None),
            Self::IgnoresTheDeadline => fields(observed, |fields| fields.starting_deadline_seconds = None),
            Self::IgnoresRunTimeout => fields(observed, |fields| fields.run_timeout = None),
            Self::IgnoresPendingTimeout => fields(observed, |fields| fields.pending_timeout = None),
            Self::TriesTooOften => fields(observed, |fields| {
                fields.retry_policy = fields.retry_policy.map(|mut policy| {
                    policy.limit += 1;
                    policy
                });
            }),
            Self::KeepsJobs => fields(observed, |fields| fields.successful_jobs_history_limit += 3),
            Self::GrowsHistory => fields(observed, |fields| fields.run_history_limit += 1),
            Self::AnswersTwice => {
                let task = Arc::make_mut(&mut observed.task);
                Arc::make_mut(&mut task.status).last_handled_run_now = None;
            }
            _ => {}
        }
    }

    /// After the plan: what it says is not done so.
    pub fn twist(self, observed: &Observed, plan: &mut Plan) {
        let before = &observed.task.status;
        let moves = |status: &ScheduledTaskStatus| status.accounted_until != before.accounted_until && before.accounted_until.is_some();
        match self {
            Self::StartsWithoutClaim => plan.effects.retain(|effect| !matches!(effect, Effect::Commit { .. })),
            Self::DropsStatusWrites => plan.effects.retain(|effect| !matches!(effect, Effect::WriteStatus { .. })),
            Self::MakesASecondJob => {
                let twin = plan.effects.iter().find_map(|effect| match effect {
                    Effect::Create { start, manifest, .. } => {
                        let (mut start, mut manifest) = (start.clone(), manifest.clone());
                        start.job += "-again";
                        manifest["metadata"]["name"] = start.job.clone().into();
                        manifest["metadata"]["annotations"][punctual::api::RUN] = start.job.clone().into();
                        Some(Effect::Create {
                            start,
                            manifest,
                            announcement: None,
                        })
                    }
                    _ => None,
                });
                plan.effects.extend(twin);
            }
            Self::CountsASlotTwice => writes(plan, |status| status.missed += i64::from(moves(status))),
            Self::ForgetsToCount => writes(plan, |status| status.missed = before.missed),
            Self::SkipsOverASlot => writes(plan, |status| {
                if moves(status) {
                    shift(&mut status.accounted_until, 3600);
                }
            }),
            Self::MovesBack => writes(plan, |status| {
                if !moves(status) {
                    shift(&mut status.accounted_until, -60);
                }
            }),
            Self::TriesAtOnce => writes(plan, |status| {
                for run in status.active.iter_mut().filter(|run| run.retry_at.is_some()) {
                    run.retry_at = Some(Time(observed.now));
                }
            }),
            Self::DeletesUnwritten => {
                let ends = |effect: &Effect| matches!(effect, Effect::Terminate { .. });
                if plan.effects.iter().any(ends) {
                    plan.effects.retain(|effect| !matches!(effect, Effect::WriteStatus { .. }));
                }
            }
            Self::ForgetsUncounted => {
                let ended = observed
                    .jobs
                    .iter()
                    .find(|job| job.object.end.is_some() && before.active.iter().any(|run| run.job == job.object.name));
                let forget = ended.map(|job| Effect::Prune {
                    job: job.object.name.clone(),
                    uid: job.object.uid.clone(),
                    version: job.object.version.clone(),
                    reason: Reason::HistoryLimit,
                });
                plan.effects.splice(0..0, forget);
            }
            Self::TurnsTheQueue => writes(plan, |status| status.queued.reverse()),
            Self::WritesAlways if plan.effects.is_empty() => plan.effects.push(Effect::WriteStatus {
                status: Box::new((**before).clone()),
                urgency: Urgency::Now,
                announcements: Vec::new(),
            }),
            Self::WakesLate => plan.wake_at = plan.wake_at.and_then(|at| at.checked_add(SignedDuration::from_hours(1)).ok()),
            _ => {}
        }
    }
}

fn fields(observed: &mut Observed, change: impl FnOnce(&mut ScheduledTaskSpec)) {
    let task = Arc::make_mut(&mut observed.task);
    if let Ok(spec) = &mut task.spec {
        change(&mut Arc::make_mut(spec).fields);
    }
}

fn writes(plan: &mut Plan, change: impl Fn(&mut ScheduledTaskStatus)) {
    for effect in &mut plan.effects {
        if let Effect::WriteStatus { status, .. } = effect {
            change(status);
        }
    }
}

fn shift(at: &mut Option<Time>, seconds: i64) {
    *at = at
        .take()
        .map(|at| Time(at.0.checked_add(SignedDuration::from_secs(seconds)).unwrap_or(Timestamp::MAX)));
}

/// The checker notices within so many lives.
const LIVES: u64 = 400;

/// The mistake is noticed, and for one of these reasons.
fn is_noticed(mutant: Mutant, rules: &[&str]) {
    let mut lives = (1..=LIVES).filter_map(|seed| {
        let scenario = plain(seed);
        let (_, why) = verdict(&scenario, Some(mutant))?;
        verdict(&scenario, None).is_none().then_some((seed, why))
    });
    let Some((seed, why)) = lives.next() else {
        panic!("{mutant:?} is not noticed in {LIVES} lives: the checker is blind");
    };
    assert!(
        rules.iter().any(|rule| why.contains(rule)),
        "{mutant:?} is noticed in life {seed} for another reason: {why}"
    );
}

macro_rules! mistakes {
    ($($sentence:ident: $mutant:ident => $($rule:literal)|+;)+) => {
        $(#[test]
        fn $sentence() {
            is_noticed(Mutant::$mutant, &[$($rule),+]);
        })+
    };
}

mistakes! {
    a_status_that_is_never_written_is_noticed: DropsStatusWrites => "quiet" | "unclaimed" | "owed" | "lost" | "doubled";
    a_second_job_under_another_name_is_noticed: MakesASecondJob => "doubled" | "uncommitted" | "overlap";
    a_slot_that_is_counted_twice_is_noticed: CountsASlotTwice => "sum";
    a_slot_that_is_not_counted_is_noticed: ForgetsToCount => "sum";
    a_slot_that_is_jumped_over_is_noticed: SkipsOverASlot => "sum" | "accountedUntil is";
    a_ledger_that_goes_back_is_noticed: MovesBack => "moved back" | "sum";
    a_start_before_the_slot_is_noticed: StartsEarly => "early" | "accountedUntil is";
    a_start_without_a_claim_is_noticed: StartsWithoutClaim => "uncommitted";
    an_overlap_is_noticed: Overlaps => "overlap";
    a_start_while_suspended_is_noticed: IgnoresSuspend => "suspended" | "quiet";
    a_start_after_too_many_failures_is_noticed: IgnoresFailures => "failures in a row";
    a_start_after_the_deadline_is_noticed: IgnoresTheDeadline => "late:";
    a_run_that_outlives_its_timeout_is_noticed: IgnoresRunTimeout => "runTimeout";
    a_job_that_waits_for_its_pods_for_ever_is_noticed: IgnoresPendingTimeout => "pendingTimeout";
    an_attempt_too_many_is_noticed: TriesTooOften => "more than retryPolicy.limit";
    an_attempt_too_early_is_noticed: TriesAtOnce => "backoff";
    a_deletion_that_is_not_written_down_is_noticed: DeletesUnwritten => "unwritten";
    a_job_that_is_forgotten_before_it_is_counted_is_noticed: ForgetsUncounted => "uncounted";
    jobs_that_are_kept_too_long_are_noticed: KeepsJobs => "history";
    a_queue_in_another_order_is_noticed: TurnsTheQueue => "queue";
    a_request_that_is_answered_twice_is_noticed: AnswersTwice => "request" | "quiet";
    a_write_that_says_nothing_is_noticed: WritesAlways => "quiet";
    a_status_that_grows_is_noticed: GrowsHistory => "recentRuns";
    a_look_that_comes_too_late_is_noticed: WakesLate => "lost" | "owed" | "runTimeout" | "pendingTimeout" | "history";
    a_job_without_a_mark_is_noticed: MarksNothing => "quiet" | "doubled" | "overlap" | "sum" | "owed" | "lost";
    a_lost_answer_that_is_read_as_success_is_noticed: TakesSilenceForSuccess => "uncommitted" | "uncounted" | "unclaimed" | "owed" | "unwritten" | "history";
    a_conflict_that_is_read_as_success_is_noticed: TakesConflictsForSuccess => "overlap" | "uncommitted" | "unclaimed" | "unwritten" | "quiet" | "owed" | "history";
    a_termination_that_leaves_pods_behind_is_noticed: LeavesPodsBehind => "overlap" | "foreground";
    a_refused_start_that_is_read_as_made_is_noticed: TakesRefusedStartsForMade => "nobody ever made" | "lost" | "sum" | "owed" | "started";
    a_job_that_is_read_as_gone_is_noticed: TakesUnseenForGone => "doubled" | "overlap" | "sum" | "cancelled" | "owed";
}
