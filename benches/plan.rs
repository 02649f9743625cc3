//! The cost of one reconcile: `plan()` at rest, at a slot with each policy, and after a long absence.
//!
//! Run it with `make bench`. Figures and the machine that they were measured on are in docs/decisions/08-policies.md. No time is
//! asserted.

use criterion::{BatchSize, Criterion, criterion_group, criterion_main};
use jiff::{SignedDuration, Timestamp};
use punctual::api::ScheduledTaskSpec;
use punctual::plan::{DryRun, Effect, Observed, Spec, Task, plan};
use serde_json::{Value, json};
use std::hint::black_box;
use std::sync::Arc;

const CREATED: &str = "2025-10-19T08:00:00Z";

fn at(text: &str) -> Timestamp {
    text.parse().expect("a time")
}

/// The fields of a spec, with a template.
fn template(mut fields: Value) -> Value {
    let container = json!({"name": "main", "image": "busybox", "command": ["true"]});
    fields["jobTemplate"] = json!({"spec": {"template": {"spec": {"restartPolicy": "Never", "containers": [container]}}}});
    fields
}

/// A task that the operator first saw at `CREATED` and has not reconciled since, at `now`.
fn observed(fields: Value, now: Timestamp) -> Observed {
    let spec = ScheduledTaskSpec::read(&template(fields)).expect("a good spec");
    let task = Task::new("shop", "report", "b0b1b2b3", at(CREATED), spec);
    let mut observed = Observed::new(at(CREATED), Arc::new(task));
    observed.dry_run = DryRun::Accepted;
    settle(&mut observed);
    observed.now = now;
    observed
}

/// Writes down what the plan wants written, as the API server would.
fn settle(observed: &mut Observed) {
    for effect in plan(observed).effects {
        if let Effect::WriteStatus { status, .. } = effect {
            let mut task = (*observed.task).clone();
            task.status = Arc::new(*status);
            observed.task = Arc::new(task);
        }
    }
}

fn measure(c: &mut Criterion, name: &str, observed: &Observed) {
    c.bench_function(name, |b| {
        b.iter_batched(
            || observed.clone(),
            |observed| black_box(plan(black_box(&observed))),
            BatchSize::SmallInput,
        );
    });
}

fn plans(c: &mut Criterion) {
    let soon = at(CREATED) + SignedDuration::from_secs(30);
    let slot = at(CREATED) + SignedDuration::from_secs(60);
    let later = at(CREATED) + SignedDuration::from_hours(400 * 24);
    let minutely = |policy: &str| json!({"schedule": "* * * * *", "concurrencyPolicy": policy});
    measure(c, "at rest", &observed(minutely("Allow"), soon));
    for policy in ["Allow", "Forbid", "Replace", "Queue"] {
        measure(c, &format!("a slot under {policy}"), &observed(minutely(policy), slot));
    }
    let rich = json!({
        "schedules": ["*/5 9-17 * * MON-FRI", "H 3 L * *", "@every 7m"], "timeZone": "America/New_York", "jitter": "30s",
        "exclude": [{"schedule": "* * 24-26 12 *"}, {"from": "2026-08-01", "until": "2026-08-15"}],
        "concurrencyPolicy": "Queue", "retryPolicy": {"limit": 3}, "runTimeout": "1h", "pendingTimeout": "10m",
    });
    measure(c, "at rest, every field set", &observed(rich.clone(), soon));
    measure(c, "400 days away, every field set", &observed(rich, later));
    for missed in ["Latest", "None", "All"] {
        let every_second = json!({"schedule": "* * * * * *", "missedRunPolicy": missed});
        measure(
            c,
            &format!("400 days of every second away, {missed}"),
            &observed(every_second, later),
        );
    }
    let union = json!({"schedules": ["* * * * * *", "*/7 * * * *", "@every 11s"], "exclude": [{"schedule": "* 2-4 * * *"}]});
    measure(c, "400 days of every second away, a union less its nights", &observed(union, later));
    let hostile = hostile();
    let spec = ScheduledTaskSpec::read(&template(hostile.clone())).expect("a good spec");
    c.bench_function("compiling nine excluded schedules and one that is not", |b| {
        b.iter(|| black_box(Spec::new(black_box(spec.clone()), "shop/report")));
    });
    measure(
        c,
        "at rest, nine schedules that are wholly excluded and one that is not",
        &observed(hostile, soon),
    );
    let all = json!({"schedules": ["0 7 * * * *", "30 * 3 * * *"], "exclude": [{"schedule": "1-59 * * * * *"}, {"schedule": "* 9-17 * * MON-FRI"}],
                     "missedRunPolicy": "All", "missedRunLimit": 1000, "jitter": "2s"});
    let plain = json!({"schedule": "0 7 * * * *", "missedRunPolicy": "All", "missedRunLimit": 1000});
    measure(c, "400 days away, a thousand runs", &observed(plain, later));
    measure(c, "400 days away, a thousand runs of a union less its days", &observed(all, later));
}

/// What took 47 CPU seconds to read.
fn hostile() -> Value {
    let nine = (0..9).map(|n| format!("* {n} 0-11 * * *")).chain(["0 7 15 1 1 *".to_owned()]);
    let one_by_one = (0..31).map(|n| format!("{n} {n} 12-23 {} {} *", n % 28 + 1, n % 12 + 1));
    let exclude = ["* 0-11 * * *".to_owned()].into_iter().chain(one_by_one);
    let exclude: Vec<Value> = exclude.map(|schedule| json!({"schedule": schedule})).collect();
    json!({"schedules": nine.collect::<Vec<_>>(), "exclude": exclude, "jitter": "2s"})
}

criterion_group! { name = benches; config = Criterion::default().sample_size(30); targets = plans }
criterion_main!(benches);
