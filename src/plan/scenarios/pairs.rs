//! Pairs of policies that apply at the same instant: the outcome of each, and the reason that a user would give.
//!
//! Each pair is a scenario; all failures are reported together. The order of policies is defined in `plan/mod.rs`.

use super::story::{Story, edit_template, given, time};
use crate::api::ConcurrencyPolicy::*;
use crate::api::MissedRunPolicy::All;
use crate::api::condition::{READY, SUSPENDED};
use crate::plan::Reason;
use serde_json::json;
use std::panic::catch_unwind;

/// Two policies that apply at the same instant.
struct Pair(&'static str, &'static str, fn() -> Story);

const NINE: &str = "2026-11-23T09:00:00Z";
const TEN: &str = "2026-11-23T10:00:00Z";
const ELEVEN: &str = "2026-11-23T11:00:00Z";
const NOON: &str = "2026-11-23T12:00:00Z";

fn hourly() -> Story {
    given("0 * * * *")
}

const EIGHT: &str = "2026-11-23T08:00:00Z";

#[rustfmt::skip]
const PAIRS: &[Pair] = &[
    Pair("suspend × retry that is due", "I suspended it so that no Job starts; and when I resume, no old run shall wake up.", || {
        hourly().retry_policy(3, "5m").since(EIGHT).at(NINE).starts(NINE).fails(NINE, 1).counts("started 1")
            .edited(|spec| spec.suspend = true).counts("started 1, failed 1").with_message("not retried: the task is suspended")
            .at("2026-11-23T09:30:00Z").edited(|spec| spec.suspend = false).at("2026-11-23T09:31:00Z").counts("started 1, failed 1")
    }),
    Pair("suspend × attempt that fails later", "What runs may end; what failed is not started again while I suspend.", || {
        hourly().retry_policy(3, "5m").since(EIGHT).at(NINE).starts(NINE).edited(|spec| spec.suspend = true).fails(NINE, 1)
            .counts("started 1, failed 1").latest_record("Failed JobFailed")
    }),
    Pair("suspend × queue", "A paused task has no line of old slots that rush in when I resume it.", || {
        hourly().policy(Queue).since(EIGHT).at(NINE).starts(NINE).at(TEN).queued(&[TEN])
            .edited(|spec| spec.suspend = true).queued(&[]).counts("started 1, skipped 1").latest_record("Skipped Suspended")
    }),
    Pair("suspend × run-now", "I paused the schedule; I may still try it by hand.", || {
        hourly().suspended().since(EIGHT).requests_run("please").requested_runs(1).counts("started 1, requested 1")
    }),
    Pair("suspend × backfill", "I paused the schedule to repair the past.", || {
        hourly().suspended().since(EIGHT).requests_backfill("2026-11-22T00:00:00Z/2026-11-22T02:00:00Z").requested_runs(2).counts("started 2, requested 2")
    }),
    Pair("suspend × suspendAfterFailures", "spec.suspend is mine: no resume request overrules it.", || {
        hourly().set("suspendAfterFailures", json!(1)).since(EIGHT).at(NINE).starts(NINE).fails(NINE, 1).has_condition(SUSPENDED, "True TooManyFailures")
            .edited(|spec| spec.suspend = true).has_condition(SUSPENDED, "True Suspended")
            .requests_resume("a").announces("spec.suspend is true").has_condition(SUSPENDED, "True Suspended")
            .edited(|spec| spec.suspend = false).has_condition(SUSPENDED, "True TooManyFailures")
            .requests_resume("b").has_condition(SUSPENDED, "False NotSuspended")
    }),
    Pair("suspendAfterFailures × retry", "I count runs that failed, not attempts.", || {
        hourly().retry_policy(2, "1m").set("suspendAfterFailures", json!(2)).since(EIGHT).at(NINE).starts(NINE).fails(NINE, 1)
            .at("2026-11-23T09:01:00Z").retries(NINE, 2).fails(NINE, 1).has_condition(SUSPENDED, "False NotSuspended")
            .at("2026-11-23T09:03:00Z").retries(NINE, 3).fails(NINE, 1).has_condition(SUSPENDED, "False NotSuspended").counts("started 1, failed 1, retried 2")
            .at(TEN).starts(TEN).succeeds(TEN).counts("started 2, succeeded 1, failed 1, retried 2")
    }),
    Pair("suspendAfterFailures × a retry of another run", "The run that still tries may be the one that shows it works again.", || {
        hourly().retry_policy(1, "90m").set("suspendAfterFailures", json!(1)).since(EIGHT).at(NINE).starts(NINE).fails(NINE, 1)
            .edited(|spec| spec.retry_policy = None).at(TEN).starts(TEN).fails(TEN, 1).has_condition(SUSPENDED, "True TooManyFailures")
            .at("2026-11-23T10:30:00Z").retries(NINE, 2).succeeds(NINE).has_condition(SUSPENDED, "False NotSuspended").at(ELEVEN).starts(ELEVEN)
            .counts("started 3, succeeded 1, failed 1, retried 1")
    }),
    Pair("suspendAfterFailures × the slot of that instant", "The failure was known before the slot was started.", || {
        hourly().set("suspendAfterFailures", json!(1)).since(EIGHT).at(NINE).starts(NINE)
            .when(|world| { world.now = time(TEN); world.end(time(NINE), false, crate::plan::Exit::Unknown); })
            .starts_nothing().counts("started 1, failed 1, skipped 1").latest_record("Skipped TooManyFailures")
    }),
    Pair("suspendAfterFailures × run-now", "I repaired it and try by hand; when that works, all is well again.", || {
        hourly().set("suspendAfterFailures", json!(1)).since(EIGHT).at(NINE).starts(NINE).fails(NINE, 1).has_condition(SUSPENDED, "True TooManyFailures")
            .at("2026-11-23T09:10:00Z").requests_run("try").requested_runs(1).succeeds("2026-11-23T09:10:00Z").has_condition(SUSPENDED, "False NotSuspended")
            .at(TEN).starts(TEN)
    }),
    Pair("suspendAfterFailures × backfill", "Bad days of the past must not stop today.", || {
        hourly().set("suspendAfterFailures", json!(1)).since(EIGHT).requests_backfill("2026-11-22T00:00:00Z/2026-11-22T01:00:00Z").requested_runs(1)
            .fails("2026-11-22T00:00:00Z", 1).has_condition(SUSPENDED, "False NotSuspended").at(NINE).starts(NINE)
    }),
    Pair("resume × the slot of that instant", "No slot of the pause fires, the next one does.", || {
        hourly().set("suspendAfterFailures", json!(1)).since(EIGHT).at(NINE).starts(NINE).fails(NINE, 1)
            .when(|world| { world.now = time(TEN); world.annotate(|requests| requests.resume = Some("now".into())); })
            .starts_nothing().counts("started 1, failed 1, skipped 1").at(ELEVEN).starts(ELEVEN)
    }),
    Pair("resume × a second reading of it", "One annotation is one request.", || {
        hourly().set("suspendAfterFailures", json!(1)).since(EIGHT).at(NINE).starts(NINE).fails(NINE, 1).requests_resume("once")
            .at(TEN).starts(TEN).fails(TEN, 1).has_condition(SUSPENDED, "True TooManyFailures").operator_stops().operator_starts().has_condition(SUSPENDED, "True TooManyFailures")
    }),
    Pair("Replace × backoff", "The newest wins: what waits for another try is the older one.", || {
        hourly().policy(Replace).retry_policy(3, "59m").since(EIGHT).at(NINE).starts(NINE).at("2026-11-23T09:05:00Z").fails(NINE, 1)
            .at(TEN).starts(TEN).latest_record("Cancelled Replaced").counts("started 2, cancelled 1").at("2026-11-23T10:04:00Z").active(&[TEN])
    }),
    Pair("Replace × further attempt that runs", "An attempt is the run: it is replaced.", || {
        hourly().policy(Replace).retry_policy(3, "5m").since(EIGHT).at(NINE).starts(NINE).fails(NINE, 1).at("2026-11-23T09:05:00Z").retries(NINE, 2)
            .at(TEN).starts(TEN).latest_record("Cancelled Replaced").counts("started 2, cancelled 1, retried 1")
    }),
    Pair("Replace × success in that instant", "It had succeeded already: nothing was replaced.", || {
        hourly().policy(Replace).since(EIGHT).at(NINE).starts(NINE)
            .when(|world| { world.now = time(TEN); world.end(time(NINE), true, crate::plan::Exit::Unknown); })
            .starts(TEN).counts("started 2, succeeded 1")
    }),
    Pair("Replace × run-now", "Replace means that the newest runs, whoever asked for it.", || {
        hourly().policy(Replace).since(EIGHT).at(NINE).starts(NINE).at("2026-11-23T09:10:00Z").requests_run("now").requested_runs(1)
            .latest_record("Cancelled Replaced").counts("started 2, cancelled 1, requested 1")
    }),
    Pair("Replace × backfill", "A backfill ends nobody; a slot of today ends it.", || {
        hourly().policy(Replace).since(EIGHT).at(NINE).starts(NINE).requests_backfill("2026-11-22T00:00:00Z/2026-11-22T02:00:00Z").requested_runs(0)
            .succeeds(NINE).requested_runs(1).at(TEN).starts(TEN).latest_record("Cancelled Replaced")
            .succeeds(TEN).requested_runs(2)
    }),
    Pair("Forbid × backoff", "A run that is tried again still goes on: two must not overlap.", || {
        hourly().policy(Forbid).retry_policy(3, "59m").since(EIGHT).at(NINE).starts(NINE).at("2026-11-23T09:05:00Z").fails(NINE, 1)
            .at(TEN).starts_nothing().latest_record("Skipped PreviousRunActive").at("2026-11-23T10:04:00Z").retries(NINE, 2).succeeds(NINE)
            .at(ELEVEN).starts(ELEVEN).counts("started 2, succeeded 1, retried 1, skipped 1")
    }),
    Pair("Forbid × run-now", "By hand, too, only one at a time; and it says why.", || {
        hourly().policy(Forbid).since(EIGHT).at(NINE).starts(NINE).requests_run("now").requested_runs(0).latest_record("Skipped PreviousRunActive")
            .announces("Job report-1795424400 is still running, and concurrencyPolicy is Forbid").counts("started 1, requested 1, skipped 1")
            .succeeds(NINE).requested_runs(0)
    }),
    Pair("Forbid × run-now and a slot in that instant", "The schedule is kept; my request can be made again.", || {
        hourly().policy(Forbid).since(EIGHT)
            .when(|world| { world.now = time(NINE); world.annotate(|requests| requests.run_now = Some("now".into())); })
            .starts(NINE).requested_runs(0).counts("started 1, requested 1, skipped 1")
    }),
    Pair("Forbid × backfill", "One at a time is one at a time: slots of today are skipped while the past runs.", || {
        hourly().policy(Forbid).since(EIGHT).requests_backfill("2026-11-22T00:00:00Z/2026-11-22T02:00:00Z").requested_runs(1)
            .at(NINE).starts_nothing().latest_record("Skipped PreviousRunActive").succeeds("2026-11-22T00:00:00Z").requested_runs(2)
            .succeeds("2026-11-22T01:00:00Z").announces("every slot of the backfill is started").at(TEN).starts(TEN)
            .counts("started 3, succeeded 2, requested 2, skipped 1")
    }),
    Pair("Forbid × pendingTimeout", "28 CronJobs were dead for a week behind an image that was not there.", || {
        hourly().policy(Forbid).set("pendingTimeout", json!("10m")).since(EIGHT).at(NINE).starts(NINE)
            .stays_pending(NINE, "ImagePullBackOff: Back-off pulling image \"no/such\"")
            .at("2026-11-23T09:10:00Z").latest_record("Failed PendingTimeout").with_message("ImagePullBackOff: Back-off")
            .at(TEN).starts(TEN).counts("started 2, failed 1")
    }),
    Pair("pendingTimeout × retry", "The registry may answer the next time.", || {
        hourly().retry_policy(1, "1m").set("pendingTimeout", json!("10m")).since(EIGHT).at(NINE).starts(NINE).stays_pending(NINE, "ErrImagePull")
            .at("2026-11-23T09:10:00Z").counts("started 1").at("2026-11-23T09:11:00Z").retries(NINE, 2).succeeds(NINE)
            .counts("started 1, succeeded 1, retried 1")
    }),
    Pair("pendingTimeout × a Job that is held in a queueing system", "It waits its turn; it is not stuck.", || {
        hourly().set("pendingTimeout", json!("10m")).since(EIGHT).at(NINE).starts(NINE).stays_pending(NINE, "Unschedulable").job_suspended(NINE, true)
            .then(|world| assert!(world.status().active[0].message.as_ref().unwrap().contains("suspended")))
            .at("2026-11-23T09:50:00Z").active(&[NINE]).job_suspended(NINE, false).at("2026-11-23T09:59:59Z").active(&[NINE])
            .at(TEN).starts(TEN).active(&[TEN]).latest_record("Failed PendingTimeout")
    }),
    Pair("pendingTimeout × a pod that had begun", "It is slow, it is not pending.", || {
        hourly().set("pendingTimeout", json!("10m")).since(EIGHT).at(NINE).starts(NINE).at("2026-11-23T09:30:00Z").active(&[NINE]).succeeds(NINE)
            .counts("started 1, succeeded 1")
    }),
    Pair("runTimeout × pendingTimeout", "What ends the run ends its attempt: there is no other try.", || {
        hourly().retry_policy(5, "1m").set("pendingTimeout", json!("10m")).set("runTimeout", json!("10m")).since(EIGHT).at(NINE).starts(NINE)
            .stays_pending(NINE, "Unschedulable").at("2026-11-23T09:10:00Z").latest_record("Failed RunTimeout").counts("started 1, failed 1")
    }),
    Pair("runTimeout × backoff that would be longer", "Do not wait for a try that may not be made.", || {
        hourly().retry_policy(5, "5m").set("runTimeout", json!("12m")).since(EIGHT).at(NINE).starts(NINE).fails(NINE, 1)
            .at("2026-11-23T09:05:00Z").retries(NINE, 2).fails(NINE, 3).latest_record("Failed JobFailed").with_message("runTimeout would be over before the next attempt")
            .then(|world| assert_eq!(world.status().recent_runs[0].exit_codes, [Some(1), Some(3)]))
    }),
    Pair("runTimeout × an edit that shortens it while an attempt waits", "The limit is for the whole run, waits included.", || {
        hourly().retry_policy(5, "30m").set("runTimeout", json!("50m")).since(EIGHT).at(NINE).starts(NINE).fails(NINE, 7)
            .at("2026-11-23T09:10:00Z").edited(|spec| spec.run_timeout = Some("20m".parse().unwrap())).at("2026-11-23T09:20:00Z")
            .latest_record("Failed RunTimeout").counts("started 1, failed 1").active(&[])
    }),
    Pair("runTimeout × further attempt that runs", "All attempts together have that long.", || {
        hourly().retry_policy(5, "5m").set("runTimeout", json!("20m")).since(EIGHT).at(NINE).starts(NINE).at("2026-11-23T09:08:00Z").fails(NINE, 1)
            .at("2026-11-23T09:13:00Z").retries(NINE, 2).at("2026-11-23T09:20:00Z").latest_record("Failed RunTimeout").counts("started 1, failed 1, retried 1")
    }),
    Pair("runTimeout × success in that instant", "It made it.", || {
        hourly().set("runTimeout", json!("20m")).since(EIGHT).at(NINE).starts(NINE)
            .when(|world| { world.now = time("2026-11-23T09:20:00Z"); world.end(time(NINE), true, crate::plan::Exit::Unknown); })
            .counts("started 1, succeeded 1")
    }),
    Pair("runTimeout × Forbid", "A run that hangs must not stop the schedule.", || {
        hourly().policy(Forbid).set("runTimeout", json!("90m")).since(EIGHT).at(NINE).starts(NINE).at(TEN).starts_nothing()
            .at("2026-11-23T10:30:00Z").latest_record("Failed RunTimeout").at(ELEVEN).starts(ELEVEN).counts("started 2, failed 1, skipped 1")
    }),
    Pair("runTimeout × a quota that the run itself holds", "It hangs and fills my quota: end it, and the next one starts.", || {
        hourly().set("runTimeout", json!("90m")).since(EIGHT).at(NINE).starts(NINE).refuses_creates("exceeded quota: jobs=1").at(TEN).starts_nothing()
            .has_condition(READY, "False JobRefused").at("2026-11-23T10:30:00Z").latest_record("Failed RunTimeout").counts("started 1, failed 1")
            .accepts_writes_again().at("2026-11-23T10:35:00Z").starts(TEN)
    }),
    Pair("pendingTimeout × creates that are refused", "That nothing new may start is no reason to keep what is stuck.", || {
        hourly().set("pendingTimeout", json!("70m")).since(EIGHT).at(NINE).starts(NINE).stays_pending(NINE, "ErrImagePull")
            .refuses_creates("exceeded quota: jobs=1").at(TEN).starts_nothing().at("2026-11-23T10:10:00Z").latest_record("Failed PendingTimeout")
    }),
    Pair("Replace × deletions that are refused", "It may not end the old run, and tries again; the newest slot waits, not the ones before.", || {
        hourly().policy(Replace).since(EIGHT).at(NINE).starts(NINE).refuses_deletes("jobs.batch is forbidden").at(TEN).at(ELEVEN).starts_nothing()
            .latest_record("Missed Superseded").has_condition(READY, "False DeleteRefused").accepts_writes_again().at("2026-11-23T11:10:00Z").starts(ELEVEN)
    }),
    Pair("podFailurePolicy × retry", "That is Kubernetes' own way to say that these exit codes are final.", || {
        hourly().retry_policy(5, "1m").since(EIGHT).at(NINE).starts(NINE).fails_by_pod_failure_policy(NINE).latest_record("Failed PodFailurePolicy").counts("started 1, failed 1")
    }),
    Pair("a Job that somebody deletes × retry", "I deleted it because I did not want it.", || {
        hourly().retry_policy(5, "1m").since(EIGHT).at(NINE).starts(NINE).job_deleted(NINE).latest_record("Cancelled JobDeleted").active(&[])
    }),
    Pair("restart × backoff", "A restart neither forgets the try nor hurries it.", || {
        hourly().retry_policy(2, "10m").since(EIGHT).at(NINE).starts(NINE).at("2026-11-23T09:01:00Z").fails(NINE, 1).operator_stops().operator_starts().starts_nothing()
            .at("2026-11-23T09:10:59Z").starts_nothing().active(&[NINE]).at("2026-11-23T09:11:00Z").retries(NINE, 2)
    }),
    Pair("Queue × deadline", "A report of the morning is of no use in the evening.", || {
        hourly().policy(Queue).deadline(600).since(EIGHT).at(NINE).starts(NINE).at(TEN).queued(&[TEN])
            .at("2026-11-23T10:10:00Z").queued(&[TEN]).at("2026-11-23T10:10:01Z").queued(&[]).latest_record("Missed StartingDeadlineExceeded")
            .succeeds(NINE).at(ELEVEN).starts(ELEVEN).counts("started 2, succeeded 1, missed 1")
    }),
    Pair("Queue × endAt", "Its life is over: nothing of it starts later.", || {
        hourly().policy(Queue).set("endAt", json!("2026-11-23T10:30:00Z")).since(EIGHT).at(NINE).starts(NINE).at(TEN).queued(&[TEN])
            .at("2026-11-23T10:30:00Z").queued(&[]).latest_record("Skipped Ended").succeeds(NINE).counts("started 1, succeeded 1, skipped 1")
    }),
    Pair("Queue × retry", "First in, first out: the next one waits until the first is through.", || {
        hourly().policy(Queue).retry_policy(1, "90m").since(EIGHT).at(NINE).starts(NINE).fails(NINE, 1).at(TEN).queued(&[TEN])
            .at("2026-11-23T10:30:00Z").retries(NINE, 2).queued(&[TEN]).succeeds(NINE).starts(TEN).queued(&[])
    }),
    Pair("Queue × run-now", "It gets in line.", || {
        hourly().policy(Queue).since(EIGHT).at(NINE).starts(NINE).at(TEN).at("2026-11-23T10:10:00Z").requests_run("now").queued(&[TEN, "2026-11-23T10:10:00Z"])
            .at(ELEVEN).queued(&[TEN, "2026-11-23T10:10:00Z", ELEVEN]).succeeds(NINE).starts(TEN).succeeds(TEN).requested_runs(1)
            .succeeds("2026-11-23T10:10:00Z").starts(ELEVEN).counts("started 4, succeeded 3, requested 1")
    }),
    Pair("Queue × queueLimit", "When the line is full, the newest goes home, and is counted.", || {
        hourly().policy(Queue).set("queueLimit", json!(1)).since(EIGHT).at(NINE).starts(NINE).at(TEN).at(ELEVEN).queued(&[TEN])
            .latest_record("Skipped QueueFull").counts("started 1, skipped 1")
    }),
    Pair("Queue × maxConcurrentRuns", "Two may run, the third waits.", || {
        hourly().policy(Queue).set("maxConcurrentRuns", json!(2)).since(EIGHT).at(NINE).starts(NINE).at(TEN).starts(TEN).at(ELEVEN).queued(&[ELEVEN])
            .succeeds(TEN).starts(ELEVEN).active(&[NINE, ELEVEN])
    }),
    Pair("Queue × an edit of the schedule", "A slot of a schedule that is no more is older than my edit.", || {
        hourly().policy(Queue).since(EIGHT).at(NINE).starts(NINE).at(TEN).queued(&[TEN])
            .edited(|spec| spec.schedule = Some("30 * * * *".into())).queued(&[]).latest_record("Missed ScheduleChanged").counts("started 1, missed 1")
    }),
    Pair("Queue × an edit to Allow", "What waits was promised; now there is room.", || {
        hourly().policy(Queue).since(EIGHT).at(NINE).starts(NINE).at(TEN).at(ELEVEN).queued(&[TEN, ELEVEN])
            .edited(|spec| spec.concurrency_policy = Allow).starts(TEN).starts(ELEVEN).queued(&[])
    }),
    Pair("Queue × missedRunPolicy All", "What was missed gets in line, oldest first.", || {
        hourly().policy(Queue).missed(All).since(EIGHT).operator_stops().at("2026-11-23T11:30:00Z").operator_starts().starts(NINE).queued(&[TEN, ELEVEN])
            .succeeds(NINE).starts(TEN).succeeds(TEN).starts(ELEVEN)
    }),
    Pair("Allow × maxConcurrentRuns", "As many as I allowed, and the rest is counted.", || {
        hourly().set("maxConcurrentRuns", json!(2)).since(EIGHT).at(NINE).starts(NINE).at(TEN).starts(TEN).at(ELEVEN).starts_nothing()
            .latest_record("Skipped MaxConcurrentRuns").succeeds(NINE).at(NOON).starts(NOON).counts("started 3, succeeded 1, skipped 1")
    }),
    Pair("endAt × retry", "The run began in time; it may end its work.", || {
        hourly().retry_policy(1, "30m").set("endAt", json!("2026-11-23T09:10:00Z")).since(EIGHT).at(NINE).starts(NINE).fails(NINE, 1)
            .at("2026-11-23T09:30:00Z").retries(NINE, 2).succeeds(NINE).counts("started 1, succeeded 1, retried 1").has_condition(READY, "True Ended")
    }),
    Pair("endAt × run-now", "No slot comes any more; by hand I may.", || {
        hourly().set("endAt", json!("2026-11-23T09:10:00Z")).since(EIGHT).at(NINE).starts(NINE).succeeds(NINE).at(TEN).starts_nothing()
            .requests_run("once more").requested_runs(1)
    }),
    Pair("an edit of the template × attempt that runs", "What runs goes on; the next try uses what I mended.", || {
        hourly().retry_policy(3, "5m").since(EIGHT).at(NINE).starts(NINE)
            .edited(|spec| edit_template(spec, |fields| fields["spec"]["template"]["spec"]["containers"][0]["image"] = json!("mended")))
            .active(&[NINE]).fails(NINE, 1).at("2026-11-23T09:05:00Z").retries(NINE, 2)
            .then(|world| assert_eq!(world.manifest["spec"]["template"]["spec"]["containers"][0]["image"], "mended"))
    }),
    Pair("an edit of the schedule × backoff", "The run was started, whatever the schedule says now.", || {
        hourly().retry_policy(3, "5m").since(EIGHT).at(NINE).starts(NINE).fails(NINE, 1).edited(|spec| spec.schedule = Some("30 * * * *".into()))
            .at("2026-11-23T09:05:00Z").retries(NINE, 2).succeeds(NINE).counts("started 1, succeeded 1, retried 1")
    }),
    Pair("an edit of retryPolicy × backoff", "I took the retries away: the one that was promised is the last.", || {
        hourly().retry_policy(3, "5m").since(EIGHT).at(NINE).starts(NINE).fails(NINE, 1).edited(|spec| spec.retry_policy = None)
            .at("2026-11-23T09:05:00Z").retries(NINE, 2).fails(NINE, 1).counts("started 1, failed 1, retried 1")
    }),
    Pair("run-now × a second reading of it", "One annotation is one run, whoever restarts.", || {
        hourly().since(EIGHT).requests_run("a").requested_runs(1).operator_stops().operator_starts().requested_runs(1).requests_run("b").requested_runs(2).counts("started 2, requested 2")
    }),
    Pair("run-now × death between its claim and its Job", "Asked once, run once.", || {
        hourly().since(EIGHT).crashes_after(1).requests_run("a").requested_runs(0).operator_starts().requested_runs(1).counts("started 1, requested 1")
    }),
    Pair("run-now × retry", "It is a run like any other.", || {
        hourly().retry_policy(1, "1m").since(EIGHT).requests_run("a").requested_runs(1).fails(EIGHT, 9).at("2026-11-23T08:01:00Z").retries(EIGHT, 2).succeeds(EIGHT)
            .counts("started 1, succeeded 1, retried 1, requested 1")
            .then(|world| assert_eq!(world.status().recent_runs[0].exit_codes, [Some(9), Some(0)]))
    }),
    Pair("run-now × a task that is restored with it", "My backup holds an annotation of last year.", || {
        hourly().with_world(|world| world.task.requests.run_now = Some("2025-01-01T00:00:00Z".into())).since(EIGHT).requested_runs(0)
            .announces("was set before the task was first seen").requests_run("new").requested_runs(1)
    }),
    Pair("run-now × a refusal by the API server", "It is tried again, and says why it waits.", || {
        hourly().since(EIGHT).refuses_creates("exceeded quota").requests_run("a").requested_runs(0).has_condition(READY, "False JobRefused")
            .accepts_writes_again().at("2026-11-23T08:00:01Z").requested_runs(1).counts("started 1, requested 1")
    }),
    Pair("backfill × backfillLimit", "Five hundred Jobs by a slip of the keyboard: no.", || {
        hourly().set("backfillLimit", json!(3)).since(EIGHT).requests_backfill("2026-11-22T00:00:00Z/2026-11-22T04:00:00Z").requested_runs(0)
            .announces("it names 4 slots, and backfillLimit is 3").requests_backfill("2026-11-22T00:00:00Z/PT3H").requested_runs(3)
    }),
    Pair("backfill × the future", "Only what has passed can be filled.", || {
        hourly().since(EIGHT).requests_backfill("2026-11-23T07:00:00Z/2026-11-23T12:00:00Z").requested_runs(0).announces("only the past can be filled")
    }),
    Pair("backfill × its withdrawal", "I took the annotation away: stop.", || {
        hourly().policy(Forbid).since(EIGHT).requests_backfill("2026-11-22T00:00:00Z/PT5H").requested_runs(1)
            .when(|world| world.annotate(|requests| requests.backfill = None)).announces("stopped with 4 slots left")
            .succeeds("2026-11-22T00:00:00Z").requested_runs(1).counts("started 1, succeeded 1, requested 1")
    }),
    Pair("backfill × retry", "Each day is a run like any other.", || {
        hourly().policy(Forbid).retry_policy(1, "1m").since(EIGHT).requests_backfill("2026-11-22T00:00:00Z/PT1H").requested_runs(1).fails("2026-11-22T00:00:00Z", 1)
            .at("2026-11-23T08:01:00Z").retries("2026-11-22T00:00:00Z", 2).succeeds("2026-11-22T00:00:00Z")
            .counts("started 1, succeeded 1, retried 1, requested 1")
    }),
    Pair("backfill × the ledger", "The past that is run again moves nothing that is counted.", || {
        hourly().since(EIGHT).at(NINE).starts(NINE).succeeds(NINE).at("2026-11-23T09:40:00Z").requests_backfill("2026-11-23T08:30:00Z/PT1H").requested_runs(1)
            .succeeds(NINE).counts("started 2, succeeded 2, requested 1")
            .then(|world| assert_eq!(world.status().last_successful_slot.as_ref().unwrap().0, time(NINE)))
    }),
    Pair("history limits × retry", "Each attempt is a Job, and the limits count Jobs.", || {
        hourly().history_limits(1, 1).retry_policy(2, "1m").since(EIGHT).at(NINE).starts(NINE).fails(NINE, 1).at("2026-11-23T09:01:00Z").retries(NINE, 2).fails(NINE, 1)
            .then(|world| assert_eq!(world.deleted, [("report-1795424400".to_owned(), Reason::HistoryLimit)]))
    }),
    Pair("history limits × ttlAfterFinished", "Whichever comes first.", || {
        hourly().set("ttlAfterFinished", json!("30m")).since(EIGHT).at(NINE).starts(NINE).at("2026-11-23T09:10:00Z").succeeds(NINE)
            .at("2026-11-23T09:39:59Z").then(|world| assert!(world.deleted.is_empty()))
            .at("2026-11-23T09:40:00Z").then(|world| assert_eq!(world.deleted[0].1, Reason::TtlAfterFinished))
    }),
    Pair("ttlSecondsAfterFinished in the template × the ledger", "The age limit is kept, and the end is counted first.", || {
        hourly().with_world(|world| world.edit(|spec| edit_template(spec, |fields| fields["spec"]["ttlSecondsAfterFinished"] = json!(60)))).since(EIGHT)
            .at(NINE).starts(NINE).then(|world| assert!(world.manifest["spec"].get("ttlSecondsAfterFinished").is_none())).succeeds(NINE)
            .at("2026-11-23T09:01:00Z").then(|world| assert_eq!(world.deleted[0].1, Reason::TtlAfterFinished)).counts("started 1, succeeded 1")
    }),
    Pair("a full quota × clean-up (S2)", "What I no longer keep must not keep the next run from starting.", || {
        hourly().history_limits(1, 1).since(EIGHT).runs_until("2026-11-23T10:30:00Z").starts(NINE).starts(TEN)
            .refuses_creates("exceeded quota").at(ELEVEN).starts_nothing()
            .edited(|spec| spec.successful_jobs_history_limit = 0).then(|world| assert_eq!(world.deleted.len(), 2))
            .accepts_writes_again().at("2026-11-23T11:04:00Z").starts(ELEVEN)
    }),
];

#[test]
fn each_pair_of_policies_has_the_outcome_its_user_expects() {
    let wrong: Vec<String> = PAIRS
        .iter()
        .filter_map(|Pair(pair, reason, story)| {
            let told = catch_unwind(|| drop(story().starts_nothing().then(|_| ()))).err()?;
            let said = told
                .downcast_ref::<String>()
                .cloned()
                .or_else(|| told.downcast_ref::<&str>().map(|&said| said.into()));
            Some(format!("{pair} ({reason})\n  {}", said.unwrap_or_default()))
        })
        .collect();
    assert!(
        wrong.is_empty(),
        "{} of {} pairs:\n{}",
        wrong.len(),
        PAIRS.len(),
        wrong.join("\n\n")
    );
}

#[test]
fn each_pair_is_listed_once_and_has_a_reason() {
    let mut names: Vec<&str> = PAIRS.iter().map(|Pair(name, ..)| *name).collect();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), PAIRS.len());
    assert!(PAIRS.iter().all(|Pair(name, reason, _)| name.contains(" × ") && reason.len() > 10));
}
