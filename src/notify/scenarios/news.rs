//! What is told of ledgers that move on, are cut, go back, or were written by somebody else.

use super::super::ledger::{Ledger, at, outcome, subject};
use super::*;
use proptest::prelude::*;
use serde_json::json;

fn told_of(ledger: &Ledger, told: &Position) -> News {
    news(&subject(), &ledger.status, told, at(ledger.minute))
}

fn words(news: &News) -> Vec<String> {
    let word = |(message, _): &(Message, Position)| format!("{}{}", message.what.as_str(), if message.is_repeat { " again" } else { "" });
    news.messages.iter().map(word).collect()
}

fn ledger(outcomes: &[What]) -> Ledger {
    let mut ledger = Ledger {
        limit: 10,
        ..Ledger::default()
    };
    outcomes.iter().for_each(|outcome| ledger.add(*outcome));
    ledger
}

#[test]
fn a_streak_is_told_once_and_its_end() {
    use What::{Failed, Skipped, Succeeded};
    let ledger = ledger(&[Succeeded, Failed, Skipped, Failed, Succeeded, Succeeded, Failed]);
    let all = [
        "Succeeded",
        "Failed",
        "Skipped",
        "Failed again",
        "Succeeded",
        "Recovered",
        "Succeeded again",
        "Failed",
    ];
    assert_eq!(words(&told_of(&ledger, &Position::default())), all);
}

#[test]
fn a_streak_goes_on_over_deliveries_and_a_cut_history() {
    let mut ledger = ledger(&[What::Failed]);
    ledger.limit = 2;
    let mut told = told_of(&ledger, &Position::default()).end;
    for _ in 0..5 {
        ledger.add(What::Failed);
        let news = told_of(&ledger, &told);
        assert_eq!(words(&news), ["Failed again"]);
        told = news.end;
    }
    ledger.add(What::Succeeded);
    assert_eq!(words(&told_of(&ledger, &told)), ["Succeeded", "Recovered"]);
}

#[test]
fn what_the_history_dropped_is_a_gap_with_its_count() {
    let mut ledger = ledger(&[]);
    ledger.limit = 2;
    for outcome in [What::Failed, What::Succeeded, What::Failed, What::Succeeded, What::Succeeded] {
        ledger.add(outcome);
    }
    let news = told_of(&ledger, &Position::default());
    assert_eq!(words(&news)[0], "Gap");
    let (gap, position) = &news.messages[0];
    assert_eq!((gap.slots, gap.sequence, position.total()), (3, Some(3), 3));
    assert_eq!(gap.text, "3 outcomes are no longer in the history: 1 Succeeded, 2 Failed");
    assert_eq!(gap.id, "u/gap/1-3");
    // Without any history each outcome is counted, and no more.
    ledger.limit = 0;
    ledger.add(What::Failed);
    assert_eq!(words(&told_of(&ledger, &news.end)), ["Gap"]);
}

#[test]
fn a_ledger_that_goes_back_is_told_and_goes_on() {
    let told = told_of(&ledger(&[What::Failed, What::Failed]), &Position::default()).end;
    let mut back = ledger(&[What::Succeeded]);
    let news = told_of(&back, &told);
    assert_eq!(words(&news), ["Gap"]);
    assert_eq!(news.messages[0].0.reason, "LedgerReset");
    back.add(What::Failed);
    assert_eq!(words(&told_of(&back, &news.end)), ["Failed"]);
}

#[test]
fn only_what_came_after_it_was_set_up_is_told_of_an_old_task() {
    let mut ledger = ledger(&[What::Failed, What::Succeeded, What::Failed]);
    let told = Position::before(&ledger.status, at(2));
    assert_eq!(words(&told_of(&ledger, &told)), ["Failed"]);
    let told = Position::before(&ledger.status, at(9));
    assert_eq!(words(&told_of(&ledger, &told)), [""; 0]);
    ledger.minute = 20;
    ledger.add(What::Missed);
    assert_eq!(words(&told_of(&ledger, &told)), ["Missed"]);
}

#[test]
fn starts_and_retries_are_told_while_they_go_on() {
    let mut status: ScheduledTaskStatus = serde_json::from_value(json!({"started": 7, "retried": 2, "active": [
        {"slot": at(1), "trigger": "Schedule", "attempt": 1, "job": "report-1", "uid": "a", "started": at(1)},
        {"slot": at(2), "trigger": "Schedule", "attempt": 1, "job": "report-2", "uid": "b", "started": at(2)},
        {"slot": at(3), "trigger": "Schedule", "attempt": 2, "job": "report-3-2", "uid": "c", "started": at(3)},
        {"slot": at(4), "trigger": "Schedule", "attempt": 1, "job": "report-4"}]}))
    .unwrap();
    let told = Position {
        started: 6,
        retried: 1,
        ..Position::default()
    };
    let first = news(&subject(), &status, &told, at(5));
    assert_eq!(words(&first), ["Started", "Retrying"]);
    let ids: Vec<_> = first.messages.iter().map(|(message, _)| message.id.as_str()).collect();
    assert_eq!(ids, [format!("u/{}/1/started", at(2)), format!("u/{}/2/retrying", at(3))]);
    assert_eq!(
        first.messages[0].0.log_command().as_deref(),
        Some("kubectl logs --namespace prod job/report-2")
    );
    assert_eq!(words(&news(&subject(), &status, &first.end, at(5))), [""; 0]);
    // It ended before anybody looked.
    status.active.clear();
    status.started = 8;
    assert_eq!(words(&news(&subject(), &status, &first.end, at(6))), [""; 0]);
}

#[test]
fn conditions_are_told_when_they_become_true() {
    let condition = |kind: &str, status: &str, reason: &str, minute: i64| json!({"type": kind, "status": status, "reason": reason, "message": "why", "lastTransitionTime": at(minute)});
    let status = |conditions: serde_json::Value| serde_json::from_value::<ScheduledTaskStatus>(json!({"conditions": conditions})).unwrap();
    let first = status(json!([
        condition("Stalled", "True", "InvalidSpec", 3),
        condition("Suspended", "True", "Suspended", 3),
        condition("Overdue", "False", "OnTime", 3)
    ]));
    let told = news(&subject(), &first, &Position::default(), at(5));
    assert_eq!(words(&told), ["Stalled"]);
    assert_eq!(words(&news(&subject(), &first, &told.end, at(6))), [""; 0]);
    // Another one in the same second, and the same one anew.
    let next = status(json!([
        condition("Stalled", "True", "InvalidSpec", 3),
        condition("Suspended", "True", "TooManyFailures", 3)
    ]));
    let told = news(&subject(), &next, &told.end, at(6));
    assert_eq!(words(&told), ["Suspended"]);
    let again = status(json!([condition("Stalled", "True", "InvalidSpec", 8)]));
    assert_eq!(words(&news(&subject(), &again, &told.end, at(9))), ["Stalled"]);
}

#[test]
fn numbers_that_somebody_wrote_are_no_defect() {
    for (counts, slots) in [([i64::MAX; 5], i64::MAX), ([-1; 5], -5), ([0; 5], 3), ([1, 0, 0, 0, 0], i64::MIN)] {
        let mut status = ledger(&[What::Failed, What::Skipped]).status;
        [status.succeeded, status.failed, status.cancelled, status.missed, status.skipped] = counts;
        status.recent_runs.iter_mut().for_each(|run| run.slots = slots);
        let first = news(&subject(), &status, &Position::default(), at(5));
        assert_eq!(words(&news(&subject(), &status, &first.end, at(5))), [""; 0]);
    }
}

proptest! {
    /// However a ledger is cut and whenever it is looked at, the numbers follow each other, and nothing is told twice or left out.
    #[test]
    fn each_outcome_is_told_once(limit in 0_usize..6, steps in prop::collection::vec(prop::collection::vec(outcome(), 0..9), 1..12), acknowledged in prop::collection::vec(any::<bool>(), 12)) {
        let mut ledger = Ledger { limit, ..Ledger::default() };
        let mut told = Position::default();
        let mut next = 1;
        for (step, whole) in steps.iter().zip(acknowledged) {
            step.iter().for_each(|outcome| ledger.add(*outcome));
            let news = told_of(&ledger, &told);
            // A delivery may be acknowledged in part.
            let count = if whole { news.messages.len() } else { news.messages.len() / 2 };
            for (message, position) in news.messages.iter().take(count) {
                if let Some(number) = message.sequence {
                    prop_assert_eq!(number - message.slots + 1, next);
                    prop_assert_eq!(position.total(), number);
                    next = number + 1;
                }
                told = *position;
            }
            if count == news.messages.len() {
                told = news.end;
                prop_assert_eq!(next - 1, told.total());
            }
        }
        let news = told_of(&ledger, &told);
        prop_assert_eq!(news.end, Position::at(&ledger.status));
        prop_assert_eq!(news.messages.iter().filter_map(|(message, _)| message.sequence).next_back().unwrap_or(next - 1), news.end.total());
    }
}
