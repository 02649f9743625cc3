//! Deliberate mistakes that only one kind of fault brings to light: a fault that no mistake needs proves nothing.
//!
//! Each is one of the mutants (see `mutants`). The checker must name it in a life that has the fault, and the same mistake must pass
//! unnoticed in that life when the fault is taken out of it.

use super::generate::scenario;
use super::mutants::Mutant;
use super::shrink::verdict;
use super::story::{Scenario, Step, Stream};

/// The checker notices within so many lives that have the fault.
const LIVES: usize = 300;

fn is_noticed(mutant: Mutant, is_fault: fn(&Step) -> bool, rules: &[&str]) {
    is_noticed_where(|_| true, mutant, is_fault, rules);
}

/// In lives of tasks that are apt for it.
fn is_noticed_where(is_apt: fn(&Scenario) -> bool, mutant: Mutant, is_fault: fn(&Step) -> bool, rules: &[&str]) {
    let has_fault = |scenario: &Scenario| is_apt(scenario) && scenario.steps.iter().any(|(_, step)| is_fault(step));
    let lives = (1..).map(scenario).filter(has_fault).take(LIVES);
    let noticed = lives.into_iter().find_map(|scenario| {
        let (_, why) = verdict(&scenario, Some(mutant))?;
        let mut calm = scenario.clone();
        calm.steps.retain(|(_, step)| !is_fault(step));
        let is_its_fault = verdict(&calm, Some(mutant)).is_none() && verdict(&scenario, None).is_none();
        is_its_fault.then_some((scenario.seed, why))
    });
    let Some((seed, why)) = noticed else {
        panic!("{mutant:?} is not noticed in {LIVES} lives: the fault has no teeth");
    };
    assert!(
        rules.iter().any(|rule| why.contains(rule)),
        "{mutant:?} is noticed in life {seed} for another reason: {why}"
    );
}

#[test]
fn a_claim_that_the_next_leader_does_not_carry_out_is_noticed() {
    let dies = |step: &Step| matches!(step, Step::Crash { .. } | Step::CrashAll { .. } | Step::Freeze { .. });
    is_noticed(Mutant::ForgetsClaims, dies, &["claimed:"]);
}

/// F12
#[test]
fn a_list_that_is_older_than_the_cache_and_not_believed_is_noticed() {
    let restore = |step: &Step| matches!(step, Step::Restore { .. });
    is_noticed(Mutant::BelievesVersionsOfLists, restore, &["owed", "lost", "quiet"]);
}

#[test]
fn a_job_that_an_old_list_lacks_and_nobody_reads_is_noticed() {
    let old_list = |step: &Step| matches!(step, Step::OldCache { .. });
    is_noticed(
        Mutant::TakesUnlistedForGone,
        old_list,
        &["overlap", "doubled", "sum", "cancelled", "owed", "uncounted", "unwritten"],
    );
}

#[test]
fn a_taken_name_that_is_believed_is_noticed() {
    let takes_a_name = |step: &Step| matches!(step, Step::Forge { .. } | Step::Squat { .. });
    is_noticed(Mutant::TakesTakenNamesForItsOwn, takes_a_name, &["forged", "sum", "owed"]);
}

#[test]
fn a_deletion_without_preconditions_is_noticed() {
    let is_deaf = |step: &Step| matches!(step, Step::WatchDies { stream: Stream::Jobs, .. });
    let terminates = |scenario: &Scenario| scenario.spec["concurrencyPolicy"] == "Replace" || !scenario.spec["runTimeout"].is_null();
    is_noticed_where(
        terminates,
        Mutant::DeletesWhateverItIsByNow,
        is_deaf,
        &["sum", "ended", "unwritten", "uncounted", "overlap", "owed"],
    );
}

/// F11
#[test]
fn a_pruned_status_that_is_read_as_another_one_is_noticed() {
    let pruned = |step: &Step| matches!(step, Step::OldCrd { .. });
    is_noticed(Mutant::ForgetsWhatWasPruned, pruned, &["quiet", "lost", "backoff", "owed"]);
}

#[test]
fn a_start_by_a_clock_that_is_twice_as_wrong_is_noticed() {
    let skew = |step: &Step| matches!(step, Step::Skew { .. });
    is_noticed(Mutant::TakesItsClockForTwiceAsWrong, skew, &["early", "late:", "accountedUntil is"]);
}

#[test]
fn an_older_operator_that_drops_handled_requests_is_noticed() {
    let older = |step: &Step| matches!(step, Step::OldOperator { .. });
    is_noticed(Mutant::DropsHandledRequests, older, &["request", "doubled", "sum", "quiet"]);
}
