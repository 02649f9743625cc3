//! Policies that meet in one instant: which comes first, and the reason that a user would give.
//!
//! Takes each pair as a story, gives green or red, all of them at once. The order itself stands in `plan/mod.rs`. Never a pair
//! without its reason.

use super::story::{Story, edit_template, given, time};
use crate::api::ConcurrencyPolicy::*;
use crate::api::MissedRunPolicy::All;
use crate::api::condition::{READY, SUSPENDED};
use crate::plan::Reason;
use serde_json::json;
use std::panic::catch_unwind;

/// Two policies that meet.
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
        hourly().retrying(3, "5m").since(EIGHT).at(NINE).starts(NINE).fails(NINE, 1).counts("started 1")
            .edited(|spec| spec.suspend = true).counts("started 1, failed 1").with_message("not retried: the task is suspended")
            .at("2026-11-23T09:30:00Z").edited(|spec| spec.suspend = false).at("2026-11-23T09:31:00Z").counts("started 1, failed 1")
    }),
    Pair("suspend × attempt that fails later", "What runs may end; what failed is not started again while I suspend.", || {
        hourly().retrying(3, "5m").since(EIGHT).at(NINE).starts(NINE).edited(|spec| spec.suspend = true).fails(NINE, 1)
            .counts("started 1, failed 1").newest("Failed JobFailed")
    }),
    Pair("suspend × queue", "A paused task has no line of old slots that rush in when I resume it.", || {
        hourly().policy(Queue).since(EIGHT).at(NINE).starts(NINE).at(TEN).queued(&[TEN])
            .edited(|spec| spec.suspend = true).queued(&[]).counts("started 1, skipped 1").newest("Skipped Suspended")
    }),
    Pair("suspend × run-now", "I paused the schedule; I may still try it by hand.", || {
        hourly().suspended().since(EIGHT).asks_to_run("please").asked(1).counts("started 1, requested 1")
    }),
    Pair("suspend × backfill", "I paused the schedule to repair the past.", || {
        hourly().suspended().since(EIGHT).asks_to_backfill("2026-11-22T00:00:00Z/2026-11-22T02:00:00Z").asked(2).counts("started 2, requested 2")
    }),
    Pair("suspend × suspendAfterFailures", "spec.suspend is mine: no resume request overrules it.", || {
        hourly().set("suspendAfterFailures", json!(1)).since(EIGHT).at(NINE).starts(NINE).fails(NINE, 1).says(SUSPENDED, "True TooManyFailures")
            .edited(|spec| spec.suspend = true).says(SUSPENDED, "True Suspended")
            .asks_to_resume("a").told("spec.suspend is true").says(SUSPENDED, "True Suspended")
            .edited(|spec| spec.suspend = false).says(SUSPENDED, "True TooManyFailures")
            .asks_to_resume("b").says(SUSPENDED, "False NotSuspended")
    }),
    Pair("suspendAfterFailures × retry", "I count runs that failed, not attempts.", || {
        hourly().retrying(2, "1m").set("suspendAfterFailures", json!(2)).since(EIGHT).at(NINE).starts(NINE).fails(NINE, 1)
            .at("2026-11-23T09:01:00Z").retries(NINE, 2).fails(NINE, 1).says(SUSPENDED, "False NotSuspended")
            .at("2026-11-23T09:03:00Z").retries(NINE, 3).fails(NINE, 1).says(SUSPENDED, "False NotSuspended").counts("started 1, failed 1, retried 2")
            .at(TEN).starts(TEN).succeeds(TEN).counts("started 2, succeeded 1, failed 1, retried 2")
    }),
    Pair("suspendAfterFailures × a retry of another run", "The run that still tries may be the one that shows it works again.", || {
        hourly().retrying(1, "90m").set("suspendAfterFailures", json!(1)).since(EIGHT).at(NINE).starts(NINE).fails(NINE, 1)
            .edited(|spec| spec.retry_policy = None).at(TEN).starts(TEN).fails(TEN, 1).says(SUSPENDED, "True TooManyFailures")
            .at("2026-11-23T10:30:00Z").retries(NINE, 2).succeeds(NINE).says(SUSPENDED, "False NotSuspended").at(ELEVEN).starts(ELEVEN)
            .counts("started 3, succeeded 1, failed 1, retried 1")
    }),
    Pair("suspendAfterFailures × the slot of that instant", "The failure was known before the slot was started.", || {
        hourly().set("suspendAfterFailures", json!(1)).since(EIGHT).at(NINE).starts(NINE)
            .when(|world| { world.now = time(TEN); world.end(time(NINE), false, crate::plan::Exit::Unknown); })
            .starts_nothing().counts("started 1, failed 1, skipped 1").newest("Skipped TooManyFailures")
    }),
    Pair("suspendAfterFailures × run-now", "I repaired it and try by hand; when that works, all is well again.", || {
        hourly().set("suspendAfterFailures", json!(1)).since(EIGHT).at(NINE).starts(NINE).fails(NINE, 1).says(SUSPENDED, "True TooManyFailures")
            .at("2026-11-23T09:10:00Z").asks_to_run("try").asked(1).succeeds("2026-11-23T09:10:00Z").says(SUSPENDED, "False NotSuspended")
            .at(TEN).starts(TEN)
    }),
    Pair("suspendAfterFailures × backfill", "Bad days of the past must not stop today.", || {
        hourly().set("suspendAfterFailures", json!(1)).since(EIGHT).asks_to_backfill("2026-11-22T00:00:00Z/2026-11-22T01:00:00Z").asked(1)
            .fails("2026-11-22T00:00:00Z", 1).says(SUSPENDED, "False NotSuspended").at(NINE).starts(NINE)
    }),
    Pair("resume × the slot of that instant", "No slot of the pause fires, the next one does.", || {
        hourly().set("suspendAfterFailures", json!(1)).since(EIGHT).at(NINE).starts(NINE).fails(NINE, 1)
            .when(|world| { world.now = time(TEN); world.ask(|requests| requests.resume = Some("now".into())); })
            .starts_nothing().counts("started 1, failed 1, skipped 1").at(ELEVEN).starts(ELEVEN)
    }),
    Pair("resume × a second reading of it", "One annotation is one request.", || {
        hourly().set("suspendAfterFailures", json!(1)).since(EIGHT).at(NINE).starts(NINE).fails(NINE, 1).asks_to_resume("once")
            .at(TEN).starts(TEN).fails(TEN, 1).says(SUSPENDED, "True TooManyFailures").down().up().says(SUSPENDED, "True TooManyFailures")
    }),
    Pair("Replace × backoff", "The newest wins: what waits for another try is the older one.", || {
        hourly().policy(Replace).retrying(3, "59m").since(EIGHT).at(NINE).starts(NINE).at("2026-11-23T09:05:00Z").fails(NINE, 1)
            .at(TEN).starts(TEN).newest("Cancelled Replaced").counts("started 2, cancelled 1").at("2026-11-23T10:04:00Z").active(&[TEN])
    }),
    Pair("Replace × further attempt that runs", "An attempt is the run: it is replaced.", || {
        hourly().policy(Replace).retrying(3, "5m").since(EIGHT).at(NINE).starts(NINE).fails(NINE, 1).at("2026-11-23T09:05:00Z").retries(NINE, 2)
            .at(TEN).starts(TEN).newest("Cancelled Replaced").counts("started 2, cancelled 1, retried 1")
    }),
    Pair("Replace × success in that instant", "It had succeeded already: nothing was replaced.", || {
        hourly().policy(Replace).since(EIGHT).at(NINE).starts(NINE)
            .when(|world| { world.now = time(TEN); world.end(time(NINE), true, crate::plan::Exit::Unknown); })
            .starts(TEN).counts("started 2, succeeded 1")
    }),
    Pair("Replace × run-now", "Replace means that the newest runs, whoever asked for it.", || {
        hourly().policy(Replace).since(EIGHT).at(NINE).starts(NINE).at("2026-11-23T09:10:00Z").asks_to_run("now").asked(1)
            .newest("Cancelled Replaced").counts("started 2, cancelled 1, requested 1")
    }),
    Pair("Replace × backfill", "A backfill ends nobody; a slot of today ends it.", || {
        hourly().policy(Replace).since(EIGHT).at(NINE).starts(NINE).asks_to_backfill("2026-11-22T00:00:00Z/2026-11-22T02:00:00Z").asked(0)
            .succeeds(NINE).asked(1).at(TEN).starts(TEN).newest("Cancelled Replaced")
            .succeeds(TEN).asked(2)
    }),
    Pair("Forbid × backoff", "A run that is tried again still goes on: two must not overlap.", || {
        hourly().policy(Forbid).retrying(3, "59m").since(EIGHT).at(NINE).starts(NINE).at("2026-11-23T09:05:00Z").fails(NINE, 1)
            .at(TEN).starts_nothing().newest("Skipped PreviousRunActive").at("2026-11-23T10:04:00Z").retries(NINE, 2).succeeds(NINE)
            .at(ELEVEN).starts(ELEVEN).counts("started 2, succeeded 1, retried 1, skipped 1")
    }),
    Pair("Forbid × run-now", "By hand, too, only one at a time; and it says why.", || {
        hourly().policy(Forbid).since(EIGHT).at(NINE).starts(NINE).asks_to_run("now").asked(0).newest("Skipped PreviousRunActive")
            .told("Job report-1795424400 is still running, and concurrencyPolicy is Forbid").counts("started 1, requested 1, skipped 1")
            .succeeds(NINE).asked(0)
    }),
    Pair("Forbid × run-now and a slot in that instant", "The schedule is kept; my request can be made again.", || {
        hourly().policy(Forbid).since(EIGHT)
            .when(|world| { world.now = time(NINE); world.ask(|requests| requests.run_now = Some("now".into())); })
            .starts(NINE).asked(0).counts("started 1, requested 1, skipped 1")
    }),
    Pair("Forbid × backfill", "One at a time is one at a time: slots of today are skipped while the past runs.", || {
        hourly().policy(Forbid).since(EIGHT).asks_to_backfill("2026-11-22T00:00:00Z/2026-11-22T02:00:00Z").asked(1)
            .at(NINE).starts_nothing().newest("Skipped PreviousRunActive").succeeds("2026-11-22T00:00:00Z").asked(2)
            .succeeds("2026-11-22T01:00:00Z").told("every slot of the backfill is started").at(TEN).starts(TEN)
            .counts("started 3, succeeded 2, requested 2, skipped 1")
    }),
    Pair("Forbid × pendingTimeout", "28 CronJobs were dead for a week behind an image that was not there.", || {
        hourly().policy(Forbid).set("pendingTimeout", json!("10m")).since(EIGHT).at(NINE).starts(NINE)
            .never_gets_ready(NINE, "ImagePullBackOff: Back-off pulling image \"no/such\"")
            .at("2026-11-23T09:10:00Z").newest("Failed PendingTimeout").with_message("ImagePullBackOff: Back-off")
            .at(TEN).starts(TEN).counts("started 2, failed 1")
    }),
    Pair("pendingTimeout × retry", "The registry may answer the next time.", || {
        hourly().retrying(1, "1m").set("pendingTimeout", json!("10m")).since(EIGHT).at(NINE).starts(NINE).never_gets_ready(NINE, "ErrImagePull")
            .at("2026-11-23T09:10:00Z").counts("started 1").at("2026-11-23T09:11:00Z").retries(NINE, 2).succeeds(NINE)
            .counts("started 1, succeeded 1, retried 1")
    }),
    Pair("pendingTimeout × a Job that is held in a queueing system", "It waits its turn; it is not stuck.", || {
        hourly().set("pendingTimeout", json!("10m")).since(EIGHT).at(NINE).starts(NINE).never_gets_ready(NINE, "Unschedulable").sees_held(NINE, true)
            .then(|world| assert!(world.status().active[0].message.as_ref().unwrap().contains("suspended")))
            .at("2026-11-23T09:50:00Z").active(&[NINE]).sees_held(NINE, false).at("2026-11-23T09:59:59Z").active(&[NINE])
            .at(TEN).starts(TEN).active(&[TEN]).newest("Failed PendingTimeout")
    }),
    Pair("pendingTimeout × a pod that had begun", "It is slow, it is not pending.", || {
        hourly().set("pendingTimeout", json!("10m")).since(EIGHT).at(NINE).starts(NINE).at("2026-11-23T09:30:00Z").active(&[NINE]).succeeds(NINE)
            .counts("started 1, succeeded 1")
    }),
    Pair("runTimeout × pendingTimeout", "What ends the run ends its attempt: there is no other try.", || {
        hourly().retrying(5, "1m").set("pendingTimeout", json!("10m")).set("runTimeout", json!("10m")).since(EIGHT).at(NINE).starts(NINE)
            .never_gets_ready(NINE, "Unschedulable").at("2026-11-23T09:10:00Z").newest("Failed RunTimeout").counts("started 1, failed 1")
    }),
    Pair("runTimeout × backoff that would be longer", "Do not wait for a try that may not be made.", || {
        hourly().retrying(5, "5m").set("runTimeout", json!("12m")).since(EIGHT).at(NINE).starts(NINE).fails(NINE, 1)
            .at("2026-11-23T09:05:00Z").retries(NINE, 2).fails(NINE, 3).newest("Failed JobFailed").with_message("runTimeout would be over before the next attempt")
            .then(|world| assert_eq!(world.status().recent_runs[0].exit_codes, [Some(1), Some(3)]))
    }),
    Pair("runTimeout × an edit that shortens it while an attempt waits", "The limit is for the whole run, waits included.", || {
        hourly().retrying(5, "30m").set("runTimeout", json!("50m")).since(EIGHT).at(NINE).starts(NINE).fails(NINE, 7)
            .at("2026-11-23T09:10:00Z").edited(|spec| spec.run_timeout = Some("20m".parse().unwrap())).at("2026-11-23T09:20:00Z")
            .newest("Failed RunTimeout").counts("started 1, failed 1").active(&[])
    }),
    Pair("runTimeout × further attempt that runs", "All attempts together have that long.", || {
        hourly().retrying(5, "5m").set("runTimeout", json!("20m")).since(EIGHT).at(NINE).starts(NINE).at("2026-11-23T09:08:00Z").fails(NINE, 1)
            .at("2026-11-23T09:13:00Z").retries(NINE, 2).at("2026-11-23T09:20:00Z").newest("Failed RunTimeout").counts("started 1, failed 1, retried 1")
    }),
    Pair("runTimeout × success in that instant", "It made it.", || {
        hourly().set("runTimeout", json!("20m")).since(EIGHT).at(NINE).starts(NINE)
            .when(|world| { world.now = time("2026-11-23T09:20:00Z"); world.end(time(NINE), true, crate::plan::Exit::Unknown); })
            .counts("started 1, succeeded 1")
    }),
    Pair("runTimeout × Forbid", "A run that hangs must not stop the schedule.", || {
        hourly().policy(Forbid).set("runTimeout", json!("90m")).since(EIGHT).at(NINE).starts(NINE).at(TEN).starts_nothing()
            .at("2026-11-23T10:30:00Z").newest("Failed RunTimeout").at(ELEVEN).starts(ELEVEN).counts("started 2, failed 1, skipped 1")
    }),
    Pair("runTimeout × a quota that the run itself holds", "It hangs and fills my quota: end it, and the next one starts.", || {
        hourly().set("runTimeout", json!("90m")).since(EIGHT).at(NINE).starts(NINE).refuses_creates("exceeded quota: jobs=1").at(TEN).starts_nothing()
            .says(READY, "False JobRefused").at("2026-11-23T10:30:00Z").newest("Failed RunTimeout").counts("started 1, failed 1")
            .takes_everything_again().at("2026-11-23T10:35:00Z").starts(TEN)
    }),
    Pair("pendingTimeout × creates that are refused", "That nothing new may start is no reason to keep what is stuck.", || {
        hourly().set("pendingTimeout", json!("70m")).since(EIGHT).at(NINE).starts(NINE).never_gets_ready(NINE, "ErrImagePull")
            .refuses_creates("exceeded quota: jobs=1").at(TEN).starts_nothing().at("2026-11-23T10:10:00Z").newest("Failed PendingTimeout")
    }),
    Pair("Replace × deletions that are refused", "It may not end the old run, and tries again; the newest slot waits, not the ones before.", || {
        hourly().policy(Replace).since(EIGHT).at(NINE).starts(NINE).refuses_deletes("jobs.batch is forbidden").at(TEN).at(ELEVEN).starts_nothing()
            .newest("Missed Superseded").says(READY, "False DeleteRefused").takes_everything_again().at("2026-11-23T11:10:00Z").starts(ELEVEN)
    }),
    Pair("podFailurePolicy × retry", "That is Kubernetes' own way to say that these exit codes are final.", || {
        hourly().retrying(5, "1m").since(EIGHT).at(NINE).starts(NINE).fails_for_good(NINE).newest("Failed PodFailurePolicy").counts("started 1, failed 1")
    }),
    Pair("a Job that somebody deletes × retry", "I deleted it because I did not want it.", || {
        hourly().retrying(5, "1m").since(EIGHT).at(NINE).starts(NINE).sees_deleted(NINE).newest("Cancelled JobDeleted").active(&[])
    }),
    Pair("restart × backoff", "A restart neither forgets the try nor hurries it.", || {
        hourly().retrying(2, "10m").since(EIGHT).at(NINE).starts(NINE).at("2026-11-23T09:01:00Z").fails(NINE, 1).down().up().starts_nothing()
            .at("2026-11-23T09:10:59Z").starts_nothing().active(&[NINE]).at("2026-11-23T09:11:00Z").retries(NINE, 2)
    }),
    Pair("Queue × deadline", "A report of the morning is of no use in the evening.", || {
        hourly().policy(Queue).deadline(600).since(EIGHT).at(NINE).starts(NINE).at(TEN).queued(&[TEN])
            .at("2026-11-23T10:10:00Z").queued(&[TEN]).at("2026-11-23T10:10:01Z").queued(&[]).newest("Missed StartingDeadlineExceeded")
            .succeeds(NINE).at(ELEVEN).starts(ELEVEN).counts("started 2, succeeded 1, missed 1")
    }),
    Pair("Queue × endAt", "Its life is over: nothing of it starts later.", || {
        hourly().policy(Queue).set("endAt", json!("2026-11-23T10:30:00Z")).since(EIGHT).at(NINE).starts(NINE).at(TEN).queued(&[TEN])
            .at("2026-11-23T10:30:00Z").queued(&[]).newest("Skipped Ended").succeeds(NINE).counts("started 1, succeeded 1, skipped 1")
    }),
    Pair("Queue × retry", "First in, first out: the next one waits until the first is through.", || {
        hourly().policy(Queue).retrying(1, "90m").since(EIGHT).at(NINE).starts(NINE).fails(NINE, 1).at(TEN).queued(&[TEN])
            .at("2026-11-23T10:30:00Z").retries(NINE, 2).queued(&[TEN]).succeeds(NINE).starts(TEN).queued(&[])
    }),
    Pair("Queue × run-now", "It gets in line.", || {
        hourly().policy(Queue).since(EIGHT).at(NINE).starts(NINE).at(TEN).at("2026-11-23T10:10:00Z").asks_to_run("now").queued(&[TEN, "2026-11-23T10:10:00Z"])
            .at(ELEVEN).queued(&[TEN, "2026-11-23T10:10:00Z", ELEVEN]).succeeds(NINE).starts(TEN).succeeds(TEN).asked(1)
            .succeeds("2026-11-23T10:10:00Z").starts(ELEVEN).counts("started 4, succeeded 3, requested 1")
    }),
    Pair("Queue × queueLimit", "When the line is full, the newest goes home, and is counted.", || {
        hourly().policy(Queue).set("queueLimit", json!(1)).since(EIGHT).at(NINE).starts(NINE).at(TEN).at(ELEVEN).queued(&[TEN])
            .newest("Skipped QueueFull").counts("started 1, skipped 1")
    }),
    Pair("Queue × maxConcurrentRuns", "Two may run, the third waits.", || {
        hourly().policy(Queue).set("maxConcurrentRuns", json!(2)).since(EIGHT).at(NINE).starts(NINE).at(TEN).starts(TEN).at(ELEVEN).queued(&[ELEVEN])
            .succeeds(TEN).starts(ELEVEN).active(&[NINE, ELEVEN])
    }),
    Pair("Queue × an edit of the schedule", "A slot of a schedule that is no more is older than my edit.", || {
        hourly().policy(Queue).since(EIGHT).at(NINE).starts(NINE).at(TEN).queued(&[TEN])
            .edited(|spec| spec.schedule = Some("30 * * * *".into())).queued(&[]).newest("Missed ScheduleChanged").counts("started 1, missed 1")
    }),
    Pair("Queue × an edit to Allow", "What waits was promised; now there is room.", || {
        hourly().policy(Queue).since(EIGHT).at(NINE).starts(NINE).at(TEN).at(ELEVEN).queued(&[TEN, ELEVEN])
            .edited(|spec| spec.concurrency_policy = Allow).starts(TEN).starts(ELEVEN).queued(&[])
    }),
    Pair("Queue × missedRunPolicy All", "What was missed gets in line, oldest first.", || {
        hourly().policy(Queue).missed(All).since(EIGHT).down().at("2026-11-23T11:30:00Z").up().starts(NINE).queued(&[TEN, ELEVEN])
            .succeeds(NINE).starts(TEN).succeeds(TEN).starts(ELEVEN)
    }),
    Pair("Allow × maxConcurrentRuns", "As many as I allowed, and the rest is counted.", || {
        hourly().set("maxConcurrentRuns", json!(2)).since(EIGHT).at(NINE).starts(NINE).at(TEN).starts(TEN).at(ELEVEN).starts_nothing()
            .newest("Skipped MaxConcurrentRuns").succeeds(NINE).at(NOON).starts(NOON).counts("started 3, succeeded 1, skipped 1")
    }),
    Pair("endAt × retry", "The run began in time; it may end its work.", || {
        hourly().retrying(1, "30m").set("endAt", json!("2026-11-23T09:10:00Z")).since(EIGHT).at(NINE).starts(NINE).fails(NINE, 1)
            .at("2026-11-23T09:30:00Z").retries(NINE, 2).succeeds(NINE).counts("started 1, succeeded 1, retried 1").says(READY, "True Ended")
    }),
    Pair("endAt × run-now", "No slot comes any more; by hand I may.", || {
        hourly().set("endAt", json!("2026-11-23T09:10:00Z")).since(EIGHT).at(NINE).starts(NINE).succeeds(NINE).at(TEN).starts_nothing()
            .asks_to_run("once more").asked(1)
    }),
    Pair("an edit of the template × attempt that runs", "What runs goes on; the next try uses what I mended.", || {
        hourly().retrying(3, "5m").since(EIGHT).at(NINE).starts(NINE)
            .edited(|spec| edit_template(spec, |fields| fields["spec"]["template"]["spec"]["containers"][0]["image"] = json!("mended")))
            .active(&[NINE]).fails(NINE, 1).at("2026-11-23T09:05:00Z").retries(NINE, 2)
            .then(|world| assert_eq!(world.manifest["spec"]["template"]["spec"]["containers"][0]["image"], "mended"))
    }),
    Pair("an edit of the schedule × backoff", "The run was started, whatever the schedule says now.", || {
        hourly().retrying(3, "5m").since(EIGHT).at(NINE).starts(NINE).fails(NINE, 1).edited(|spec| spec.schedule = Some("30 * * * *".into()))
            .at("2026-11-23T09:05:00Z").retries(NINE, 2).succeeds(NINE).counts("started 1, succeeded 1, retried 1")
    }),
    Pair("an edit of retryPolicy × backoff", "I took the retries away: the one that was promised is the last.", || {
        hourly().retrying(3, "5m").since(EIGHT).at(NINE).starts(NINE).fails(NINE, 1).edited(|spec| spec.retry_policy = None)
            .at("2026-11-23T09:05:00Z").retries(NINE, 2).fails(NINE, 1).counts("started 1, failed 1, retried 1")
    }),
    Pair("run-now × a second reading of it", "One annotation is one run, whoever restarts.", || {
        hourly().since(EIGHT).asks_to_run("a").asked(1).down().up().asked(1).asks_to_run("b").asked(2).counts("started 2, requested 2")
    }),
    Pair("run-now × death between its claim and its Job", "Asked once, run once.", || {
        hourly().since(EIGHT).dies_after(1).asks_to_run("a").asked(0).up().asked(1).counts("started 1, requested 1")
    }),
    Pair("run-now × retry", "It is a run like any other.", || {
        hourly().retrying(1, "1m").since(EIGHT).asks_to_run("a").asked(1).fails(EIGHT, 9).at("2026-11-23T08:01:00Z").retries(EIGHT, 2).succeeds(EIGHT)
            .counts("started 1, succeeded 1, retried 1, requested 1")
            .then(|world| assert_eq!(world.status().recent_runs[0].exit_codes, [Some(9), Some(0)]))
    }),
    Pair("run-now × a task that is restored with it", "My backup holds an annotation of last year.", || {
        hourly().born_with(|world| world.task.requests.run_now = Some("2025-01-01T00:00:00Z".into())).since(EIGHT).asked(0)
            .told("was set before the task was first seen").asks_to_run("new").asked(1)
    }),
    Pair("run-now × a refusal by the API server", "It is tried again, and says why it waits.", || {
        hourly().since(EIGHT).refuses_creates("exceeded quota").asks_to_run("a").asked(0).says(READY, "False JobRefused")
            .takes_everything_again().at("2026-11-23T08:00:01Z").asked(1).counts("started 1, requested 1")
    }),
    Pair("backfill × backfillLimit", "Five hundred Jobs by a slip of the keyboard: no.", || {
        hourly().set("backfillLimit", json!(3)).since(EIGHT).asks_to_backfill("2026-11-22T00:00:00Z/2026-11-22T04:00:00Z").asked(0)
            .told("it names 4 slots, and backfillLimit is 3").asks_to_backfill("2026-11-22T00:00:00Z/PT3H").asked(3)
    }),
    Pair("backfill × the future", "Only what has passed can be filled.", || {
        hourly().since(EIGHT).asks_to_backfill("2026-11-23T07:00:00Z/2026-11-23T12:00:00Z").asked(0).told("only the past can be filled")
    }),
    Pair("backfill × its withdrawal", "I took the annotation away: stop.", || {
        hourly().policy(Forbid).since(EIGHT).asks_to_backfill("2026-11-22T00:00:00Z/PT5H").asked(1)
            .when(|world| world.ask(|requests| requests.backfill = None)).told("stopped with 4 slots left")
            .succeeds("2026-11-22T00:00:00Z").asked(1).counts("started 1, succeeded 1, requested 1")
    }),
    Pair("backfill × retry", "Each day is a run like any other.", || {
        hourly().policy(Forbid).retrying(1, "1m").since(EIGHT).asks_to_backfill("2026-11-22T00:00:00Z/PT1H").asked(1).fails("2026-11-22T00:00:00Z", 1)
            .at("2026-11-23T08:01:00Z").retries("2026-11-22T00:00:00Z", 2).succeeds("2026-11-22T00:00:00Z")
            .counts("started 1, succeeded 1, retried 1, requested 1")
    }),
    Pair("backfill × the ledger", "The past that is run again moves nothing that is counted.", || {
        hourly().since(EIGHT).at(NINE).starts(NINE).succeeds(NINE).at("2026-11-23T09:40:00Z").asks_to_backfill("2026-11-23T08:30:00Z/PT1H").asked(1)
            .succeeds(NINE).counts("started 2, succeeded 2, requested 1")
            .then(|world| assert_eq!(world.status().last_successful_slot.as_ref().unwrap().0, time(NINE)))
    }),
    Pair("history limits × retry", "Each attempt is a Job, and the limits count Jobs.", || {
        hourly().keeping(1, 1).retrying(2, "1m").since(EIGHT).at(NINE).starts(NINE).fails(NINE, 1).at("2026-11-23T09:01:00Z").retries(NINE, 2).fails(NINE, 1)
            .then(|world| assert_eq!(world.deleted, [("report-1795424400".to_owned(), Reason::HistoryLimit)]))
    }),
    Pair("history limits × ttlAfterFinished", "Whichever comes first.", || {
        hourly().set("ttlAfterFinished", json!("30m")).since(EIGHT).at(NINE).starts(NINE).at("2026-11-23T09:10:00Z").succeeds(NINE)
            .at("2026-11-23T09:39:59Z").then(|world| assert!(world.deleted.is_empty()))
            .at("2026-11-23T09:40:00Z").then(|world| assert_eq!(world.deleted[0].1, Reason::TtlAfterFinished))
    }),
    Pair("ttlSecondsAfterFinished in the template × the ledger", "The age limit is kept, and the end is counted first.", || {
        hourly().born_with(|world| world.edit(|spec| edit_template(spec, |fields| fields["spec"]["ttlSecondsAfterFinished"] = json!(60)))).since(EIGHT)
            .at(NINE).starts(NINE).then(|world| assert!(world.manifest["spec"].get("ttlSecondsAfterFinished").is_none())).succeeds(NINE)
            .at("2026-11-23T09:01:00Z").then(|world| assert_eq!(world.deleted[0].1, Reason::TtlAfterFinished)).counts("started 1, succeeded 1")
    }),
    Pair("a full quota × clean-up (S2)", "What I no longer keep must not keep the next run from starting.", || {
        hourly().keeping(1, 1).since(EIGHT).lives_until("2026-11-23T10:30:00Z").starts(NINE).starts(TEN)
            .refuses_creates("exceeded quota").at(ELEVEN).starts_nothing()
            .edited(|spec| spec.successful_jobs_history_limit = 0).then(|world| assert_eq!(world.deleted.len(), 2))
            .takes_everything_again().at("2026-11-23T11:04:00Z").starts(ELEVEN)
    }),
];

#[test]
fn each_pair_of_policies_that_meets_has_the_outcome_that_its_user_expects() {
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
fn no_pair_is_told_twice_and_each_has_its_reason() {
    let mut names: Vec<&str> = PAIRS.iter().map(|Pair(name, ..)| *name).collect();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), PAIRS.len());
    assert!(PAIRS.iter().all(|Pair(name, reason, _)| name.contains(" × ") && reason.len() > 10));
}
