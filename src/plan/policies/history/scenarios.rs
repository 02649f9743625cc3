//! Scenarios of pruning: which finished Jobs are kept, and what happens when the API server refuses a deletion.

use crate::plan::scenarios::story::given;

/// L2
#[test]
fn the_newest_jobs_of_either_outcome_are_kept() {
    let mut story = given("0 * * * *").history_limits(2, 1).since("2026-11-23T00:00:00Z");
    for hour in 1..=6 {
        let slot = format!("2026-11-23T0{hour}:00:00Z");
        story = story.at(&slot).starts(&slot);
        story = if hour % 2 == 0 {
            story.succeeds(&slot)
        } else {
            story.fails(&slot, 1)
        };
    }
    story.counts("started 6, succeeded 3, failed 3").then(|world| {
        let kept: Vec<String> = world
            .jobs
            .values()
            .filter_map(|object| object.job.slot)
            .map(|slot| slot.to_string())
            .collect();
        assert_eq!(kept, ["2026-11-23T04:00:00Z", "2026-11-23T05:00:00Z", "2026-11-23T06:00:00Z"]);
    });
}

/// D2
#[test]
fn a_history_limit_of_zero_prunes_only_counted_jobs() {
    given("* * * * *")
        .history_limits(0, 0)
        .coalescing_writes()
        .since("2026-11-23T08:00:00Z")
        .runs_until("2026-11-23T08:30:00Z")
        .starts_jobs(30)
        .counts("started 30, succeeded 30")
        .then(|world| assert!(world.jobs.is_empty() && world.deleted.len() == 30));
}

/// S4: It is not planned again in the same reconcile, without end.
#[test]
fn a_refused_prune_backs_off() {
    given("0 * * * *")
        .history_limits(0, 0)
        .since("2026-11-23T08:00:00Z")
        .at("2026-11-23T09:00:00Z")
        .starts("2026-11-23T09:00:00Z")
        .refuses_deletes("jobs.batch is forbidden: cannot delete")
        .succeeds("2026-11-23T09:00:00Z")
        .at("2026-11-23T09:30:00Z");
}

/// S7: Prunes come first among the effects: a refused one must not end the plan.
#[test]
fn a_refused_prune_does_not_block_starts() {
    let mut story = given("0 * * * *")
        .history_limits(0, 0)
        .since("2026-11-23T08:00:00Z")
        .at("2026-11-23T09:00:00Z")
        .starts("2026-11-23T09:00:00Z")
        .succeeds("2026-11-23T09:00:00Z");
    story.world.faults.refuses_deletes = Some("jobs.batch is forbidden: cannot delete".into());
    story = story.at("2026-11-23T10:00:00Z").starts("2026-11-23T10:00:00Z");
    story
        .succeeds("2026-11-23T10:00:00Z")
        .at("2026-11-23T11:00:00Z")
        .starts("2026-11-23T11:00:00Z");
}

/// A new process lists Jobs from a cache that is older than the last one.
#[test]
fn a_finished_job_that_a_list_lacks_is_pruned_later() {
    let [eight, nine, ten] = ["2026-11-23T08:00:00Z", "2026-11-23T09:00:00Z", "2026-11-23T10:00:00Z"];
    let mut story = given("0 * * * *")
        .history_limits(1, 1)
        .since("2026-11-23T07:30:00Z")
        .at(eight)
        .starts(eight)
        .succeeds(eight)
        .operator_stops();
    story.world.jobs.values_mut().for_each(|object| object.hidden = true);
    story
        .operator_starts()
        .at(nine)
        .starts(nine)
        .succeeds(nine)
        .at(ten)
        .starts(ten)
        .watch_catches_up()
        .then(|world| assert_eq!(world.jobs.len(), 2, "{:?}", world.jobs.keys()));
}

#[test]
fn a_job_that_was_pruned_before_a_restart_is_no_longer_kept() {
    let mut story = given("0 * * * *").history_limits(1, 1).since("2026-11-23T07:30:00Z");
    for hour in [8, 9, 10, 11] {
        let slot = format!("2026-11-23T{hour:02}:00:00Z");
        story = story.at(&slot).starts(&slot).succeeds(&slot);
        if hour == 9 {
            story = story.operator_stops().operator_starts();
        }
    }
    story.then(|world| {
        let kept = world.status().kept_jobs.len();
        assert_eq!(kept, 2, "the newest, and the one that was pruned since the last write");
    });
}
