//! What authors write into a spec: one field or a few that belong together, at random.
//!
//! Takes randomness, gives patches; null takes a field away. Never a combination that admission refuses.

use super::clock::{DAY, HOUR, Ms, at};
use super::generate::SCHEDULES;
use super::random::Random;
use super::switches::SCHEDULE_FEATURES;
use serde_json::{Value, json};

/// What an author changes in a task that lives.
pub fn edit(random: &mut Random, now: Ms) -> Value {
    let mut patch = json!({});
    let fields = if SCHEDULE_FEATURES { 11 } else { 9 };
    for _ in 0..random.between(1, 2) {
        let field = random.below(fields);
        let (Value::Object(patch), Value::Object(change)) = (&mut patch, change(random, field, now)) else {
            continue;
        };
        // A field that is taken away stays so in the patch.
        patch.extend(change);
    }
    patch
}

/// One field, or a few that belong together.
pub fn change(random: &mut Random, field: i64, now: Ms) -> Value {
    match field {
        0 => concurrency(random),
        1 => match random.below(4) {
            0 => json!({"missedRunPolicy": "Latest", "missedRunLimit": null}),
            1 => json!({"missedRunPolicy": "None", "missedRunLimit": null}),
            _ => json!({"missedRunPolicy": "All", "missedRunLimit": random.between(1, 12)}),
        },
        2 => json!({"startingDeadlineSeconds": *random.pick(&[json!(null), json!(0), json!(30), json!(200), json!(3600), json!(86_400)])}),
        3 => retries(random),
        4 => json!({"runTimeout": *random.pick(&[json!(null), json!("20s"), json!("90s"), json!("10m"), json!("2h")])}),
        5 => json!({"pendingTimeout": *random.pick(&[json!(null), json!("15s"), json!("2m")])}),
        6 => json!({"suspendAfterFailures": *random.pick(&[json!(null), json!(1), json!(3)])}),
        7 => json!({
            "successfulJobsHistoryLimit": random.below(4),
            "failedJobsHistoryLimit": random.below(4),
            "runHistoryLimit": *random.pick(&[0, 1, 10, 30, 30]),
            "ttlAfterFinished": *random.pick(&[json!(null), json!(null), json!("30s"), json!("1h")]),
            "backfillLimit": *random.pick(&[json!(null), json!(5), json!(40)]),
        }),
        8 => {
            let (schedule, _) = *random.pick(&SCHEDULES);
            let zone = *random.pick(&["UTC", "UTC", "America/New_York"]);
            let saving = json!({"gap": *random.pick(&["RunAfter", "Skip"]), "overlap": *random.pick(&["First", "Both"])});
            let saving = if random.chance(500) { saving } else { json!(null) };
            if SCHEDULE_FEATURES && random.chance(200) {
                let (other, _) = *random.pick(&SCHEDULES);
                return json!({"schedule": null, "schedules": [schedule, other], "timeZone": zone, "daylightSaving": saving, "jitter": null});
            }
            json!({"schedule": schedule, "schedules": null, "timeZone": zone, "daylightSaving": saving, "jitter": null})
        }
        9 => {
            let exclude = [
                json!(null),
                json!([{"schedule": "* 12 * * *"}]),
                json!([{"schedule": "*/2 * * * *"}]),
                json!([{"from": at(now + HOUR).to_string(), "until": at(now + 5 * HOUR).to_string()}]),
            ];
            json!({
                "jitter": *random.pick(&[json!(null), json!("5s"), json!("9s")]),
                "exclude": random.pick(&exclude).clone(),
            })
        }
        _ => {
            let moment = |ms: Ms| at(ms.div_euclid(1000) * 1000).to_string();
            let (start, end) = (now + random.between(-HOUR, HOUR), now + random.between(2 * HOUR, 4 * DAY));
            let null = json!(null);
            json!({
                "startAt": if random.chance(400) { json!(moment(start)) } else { null.clone() },
                "endAt": if random.chance(300) { json!(moment(end)) } else { null },
            })
        }
    }
}

fn concurrency(random: &mut Random) -> Value {
    let mut patch = json!({"concurrencyPolicy": "Allow", "maxConcurrentRuns": null, "queueLimit": null});
    patch["concurrencyPolicy"] = match random.below(9) {
        0 | 1 => json!("Allow"),
        2 => {
            patch["maxConcurrentRuns"] = json!(random.between(1, 3));
            json!("Allow")
        }
        3 | 4 => json!("Forbid"),
        5 | 6 => json!("Replace"),
        _ => {
            patch["queueLimit"] = random.pick(&[json!(null), json!(1), json!(3)]).clone();
            if random.chance(400) {
                patch["maxConcurrentRuns"] = json!(random.between(1, 3));
            }
            json!("Queue")
        }
    };
    patch
}

fn retries(random: &mut Random) -> Value {
    if random.chance(200) {
        return json!({"retryPolicy": null});
    }
    let delay = *random.pick(&["1s", "10s", "60s"]);
    let mut policy = json!({"limit": random.below(4), "delay": delay});
    if random.chance(300) {
        policy["factor"] = json!(random.between(1, 3));
    }
    if random.chance(300) {
        policy["maxDelay"] = json!("2m");
    }
    if random.chance(300) {
        policy["jitter"] = json!("5s");
    }
    json!({"retryPolicy": policy})
}
