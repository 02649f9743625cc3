//! The memory of one task and of its finished Jobs, and what a scrape of 10,000 tasks costs, on the heap, by a counting allocator. Run it
//! with `make bench`.
//!
//! Objects are read from JSON as a watch reads them. What a process takes beyond this is the allocator's, and is measured on a
//! cluster (`make bench-cluster`).

use jiff::{SignedDuration, Timestamp};
use punctual::metrics::TaskSeries;
use punctual::state::{Packed, RawJob, RawTask, Record, Seal, Source};
use serde_json::{Value, json};
use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::time::Instant;

struct Counting;

static HELD: AtomicUsize = AtomicUsize::new(0);

// SAFETY: everything is passed on to the system's allocator; only sizes are counted.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        // As glibc rounds: 16 bytes and a header of 8, at least 32.
        HELD.fetch_add(rounded(layout.size()), Relaxed);
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        HELD.fetch_sub(rounded(layout.size()), Relaxed);
        unsafe { System.dealloc(pointer, layout) }
    }
}

fn rounded(size: usize) -> usize {
    (size + 8).next_multiple_of(16).max(32)
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

const TASKS: usize = 1_000;
const FIRST: &str = "2026-11-23T09:00:00Z";

fn slot(number: i64) -> Timestamp {
    FIRST.parse::<Timestamp>().expect("a time") + SignedDuration::from_mins(number)
}

fn uid(task: usize, job: i64) -> String {
    format!("{task:08x}-0000-4000-8000-{job:012x}")
}

/// So much text that does not compress better than scripts do: words that repeat.
fn text(length: usize) -> String {
    let mut seed: u32 = 1;
    let mut text = String::new();
    while text.len() < length {
        seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        text.push_str(&format!("{:x} ", seed >> 20));
    }
    text
}

/// A template with so many bytes of JSON in one environment variable.
fn template(length: usize) -> Value {
    let container = json!({"name": "main", "image": "busybox", "command": ["true"],
        "env": [{"name": "TEXT", "value": text(length)}]});
    json!({"spec": {"template": {"spec": {"restartPolicy": "Never", "containers": [container]}}}})
}

fn status(task: usize) -> Value {
    let runs: Vec<Value> = (0..10)
        .rev()
        .map(|run| {
            json!({"slot": slot(run).to_string(), "slots": 1, "trigger": "Schedule", "attempts": 1, "outcome": "Succeeded",
                "reason": "Completed", "job": job_name(task, run), "started": slot(run).to_string(), "finished": slot(run).to_string()})
        })
        .collect();
    let durations: Vec<i64> = (0..20).map(|run| 90 + run * 7 % 30).collect();
    let kept: Vec<Value> = (7..10)
        .map(|run| json!({"job": job_name(task, run), "uid": uid(task, run), "succeeded": true}))
        .collect();
    let conditions: Vec<Value> = ["Ready", "Suspended", "Healthy", "Overdue"]
        .map(|kind| {
            json!({"type": kind, "status": "True", "reason": "ReasonOfIt", "message": "A sentence about it.", "observedGeneration": 1,
                "lastTransitionTime": FIRST})
        })
        .to_vec();
    let next: Vec<String> = (11..16).map(|run| slot(run).to_string()).collect();
    json!({"observedGeneration": 1, "acceptedGeneration": 1, "scheduleSince": FIRST, "accountedUntil": slot(9).to_string(),
        "observedSchedule": {"schedule": "* * * * *", "timeZone": "UTC"}, "lastScheduleTime": slot(9).to_string(),
        "lastSuccessfulTime": slot(9).to_string(), "lastSuccessfulSlot": slot(9).to_string(), "started": 10, "succeeded": 10,
        "nextRuns": next, "recentRuns": runs, "recentRunSeconds": durations, "keptJobs": kept, "conditions": conditions})
}

fn job_name(task: usize, run: i64) -> String {
    format!("task-{task}-{}", slot(run).as_second())
}

fn raw_task(task: usize, template: &Value, status: &Value) -> RawTask {
    let metadata = json!({"name": format!("task-{task}"), "namespace": "shop", "uid": uid(task, 0), "generation": 1,
        "resourceVersion": format!("{}", 100_000 + task), "creationTimestamp": FIRST});
    let spec = json!({"schedule": "* * * * *", "concurrencyPolicy": "Forbid", "jobTemplate": template});
    serde_json::from_value(json!({"metadata": metadata, "spec": spec, "status": status})).expect("a task")
}

fn raw_job(task: usize, run: i64) -> RawJob {
    let owner = json!([{"apiVersion": "punctual.dev/v1alpha1", "kind": "ScheduledTask", "name": format!("task-{task}"),
        "uid": uid(task, 0), "controller": true}]);
    let annotations = json!({"punctual.dev/slot": slot(run).to_string(), "punctual.dev/attempt": "1"});
    let metadata = json!({"name": job_name(task, run), "namespace": "shop", "uid": uid(task, run), "annotations": annotations,
        "resourceVersion": format!("{}", 200_000 + task), "creationTimestamp": FIRST, "ownerReferences": owner});
    let condition = |kind: &str, reason: &str| {
        json!({"type": kind, "status": "True", "reason": reason, "message": "Reached expected number of succeeded pods",
            "lastTransitionTime": FIRST})
    };
    let conditions = [
        condition("SuccessCriteriaMet", "CompletionsReached"),
        condition("Complete", "CompletionsReached"),
    ];
    let status = json!({"conditions": conditions, "succeeded": 1, "startTime": FIRST, "completionTime": FIRST});
    serde_json::from_value(json!({"metadata": metadata, "status": status})).expect("a Job")
}

/// Records of tasks with this template and status, and so many finished Jobs each; bytes on the heap a task, awake and at rest.
fn measure(template: &Value, with_status: bool, jobs: i64) -> (usize, usize) {
    let (now, seal) = (slot(10), Seal::alone(b"key"));
    let before = HELD.load(Relaxed);
    let mut records: Vec<Box<Record>> = (0..TASKS)
        .map(|task| {
            let status = if with_status { status(task) } else { Value::Null };
            let mut record = Box::<Record>::default();
            record.put_task(Arc::new(raw_task(task, template, &status).to_task(None)), now);
            for run in 10 - jobs..10 {
                record.put_job(raw_job(task, run).into_object(), Source::List, now);
            }
            assert!(
                record
                    .observe(now, &seal)
                    .is_some_and(|observed| observed.jobs.len() == usize::try_from(jobs).unwrap_or(0))
            );
            record
        })
        .collect();
    let awake = HELD.load(Relaxed) - before;
    let before = HELD.load(Relaxed) - awake;
    let packed: Vec<Packed> = records.drain(..).filter_map(|record| Packed::of(&record)).collect();
    drop(records);
    let at_rest = HELD.load(Relaxed) - before;
    assert_eq!(packed.len(), TASKS);
    (awake / TASKS, at_rest / TASKS)
}

/// What one scrape of so many tasks at rest takes: time, bytes of text, and bytes on the heap while it is sent and after it.
fn scrape(tasks: usize) {
    let (template, status) = (template(4096), status(0));
    let packed: Vec<Packed> = (0..tasks)
        .filter_map(|task| {
            let mut record = Box::<Record>::default();
            record.put_task(Arc::new(raw_task(task, &template, &status).to_task(None)), slot(10));
            Packed::of(&record)
        })
        .collect();
    for _ in 0..3 {
        let (before, start) = (HELD.load(Relaxed), Instant::now());
        let series = TaskSeries::new(packed.iter().filter_map(|packed| packed.text().clone().sample()).collect());
        let collected = start.elapsed();
        let (mut bytes, mut held) = (0, 0);
        for part in (0..).map_while(|number| series.part(number)) {
            bytes += part.len();
            held = held.max(HELD.load(Relaxed) - before);
        }
        let sent = start.elapsed();
        drop(series);
        let kept = HELD.load(Relaxed) - before;
        println!(
            "scrape of {tasks} tasks: collected after {} ms, rendered after {} ms, {bytes} bytes of text, {held} on the heap at most, {kept} after it",
            collected.as_millis(),
            sent.as_millis()
        );
    }
}

fn main() {
    // `cargo test --benches` asks for nothing.
    if !std::env::args().any(|argument| argument == "--bench") {
        return;
    }
    println!("bytes on the heap a task, {TASKS} tasks: awake, at rest");
    for (name, template, with_status, jobs) in [
        ("no status", template(0), false, 0),
        ("10 runs in the status", template(0), true, 0),
        ("10 runs, 3 finished Jobs", template(0), true, 3),
        ("10 runs, 3 finished Jobs, a template of 4 KiB", template(4096), true, 3),
        ("10 runs, 3 finished Jobs, a template of 20 KiB", template(20 * 1024), true, 3),
    ] {
        let (awake, at_rest) = measure(&template, with_status, jobs);
        println!("{awake:8} {at_rest:8}  {name}");
    }
    scrape(10_000);
}
