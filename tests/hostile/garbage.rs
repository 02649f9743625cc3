//! Arbitrary objects, without a cluster: mutated Jobs, tasks and statuses go the whole way from JSON to the plan.
//!
//! Nothing that anybody can write brings that way to a panic, two looks at the same are the same, and what only a forger made is never
//! deleted and moves no counter. `PROPTEST_CASES` says how many (256).

use jiff::{SignedDuration, Timestamp};
use proptest::collection::vec;
use proptest::prelude::*;
use punctual::api::ScheduledTaskStatus;
use punctual::plan::{Effect, Observed, job_name, plan};
use punctual::state::{RawJob, RawTask, Record, Seal, Source};
use serde_json::{Map, Value, json};
use std::sync::Arc;

const NOW: &str = "2027-01-01T10:00:30Z";

fn now() -> Timestamp {
    NOW.parse().unwrap()
}

fn shared() -> Seal {
    let mut seal = Seal::alone(b"of this process");
    seal.share("7e4d1c52-a6a5-4c8d-b1f6-lease");
    seal
}

/// Words from everywhere: other writing, escapes, far times, numbers that do not fit, paths, and long ones.
fn word() -> impl Strategy<Value = String> {
    prop_oneof![
        3 => prop::sample::select(WORDS).prop_map(str::to_owned),
        1 => "\\PC{0,40}",
        1 => any::<String>(),
        1 => ("[a-zé日🦀\\-.]{1,3}", 1..400_usize).prop_map(|(part, times)| part.repeat(times)),
        1 => (-377_705_116_800_i64..253_402_207_200).prop_map(|second| Timestamp::from_second(second).unwrap().to_string()),
    ]
}

const WORDS: &[&str] = &[
    "",
    " ",
    "t",
    "T",
    "a",
    "../../x",
    "é",
    "t-1798797660",
    "t-1798797660-2",
    "t-m000000012",
    "t-b00000001f",
    "Schedule",
    "Manual",
    "Backfill",
    "Complete",
    "Failed",
    "Suspended",
    "True",
    "False",
    "0",
    "-1",
    "1",
    "2",
    "101",
    "2147483648",
    "9223372036854775808",
    "NaN",
    "null",
    "2027-01-01T10:01:00Z",
    "2027-01-01T10:00:00Z",
    "9999-12-31T23:59:59Z",
    "9999-12-30T22:00:00.999999999Z",
    "-009999-01-02T01:59:59Z",
    "0000-01-01T00:00:00Z",
    "2027-01-01T10:01:00+25:00",
    "2027-06-31T00:00:00Z",
    "uid",
    "job",
    "\u{1b}[2J",
    "\u{202e}",
    "\u{0}",
    "* * * * *",
    "* * * * * *",
    "@yearly",
    "0 0 30 2 *",
    "Europe/Berlin",
    "Mars/Olympus",
    "1h",
    "P1000000Y",
    "9999999999h",
];

/// JSON of any shape.
fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        prop::num::f64::NORMAL.prop_map(Value::from),
        word().prop_map(Value::from),
    ];
    leaf.prop_recursive(6, 48, 6, |inner| {
        prop_oneof![
            vec(inner.clone(), 0..6).prop_map(Value::from),
            vec((word(), inner), 0..6).prop_map(|all| Value::from(all.into_iter().collect::<Map<_, _>>())),
        ]
    })
}

/// One change of an object: at the place that these numbers lead to, this value.
type Change = (Vec<usize>, Option<Value>);

fn changes() -> impl Strategy<Value = Vec<Change>> {
    vec((vec(0..12_usize, 1..7), prop::option::weighted(0.8, any_json())), 0..4)
}

fn changed(mut object: Value, changes: &[Change]) -> Value {
    changes.iter().for_each(|(path, value)| change(&mut object, path, value));
    object
}

fn change(at: &mut Value, path: &[usize], value: &Option<Value>) {
    let parts: Vec<&mut Value> = match at {
        Value::Object(map) => map.values_mut().collect(),
        Value::Array(all) => all.iter_mut().collect(),
        _ => Vec::new(),
    };
    match path.split_first() {
        Some((step, rest)) if !parts.is_empty() => {
            let step = step % parts.len();
            parts.into_iter().nth(step).into_iter().for_each(|part| change(part, rest, value));
        }
        _ => *at = value.clone().unwrap_or(Value::Null),
    }
}

fn spec() -> Value {
    json!({"schedule": "* * * * *", "timeZone": "Europe/Berlin", "concurrencyPolicy": "Forbid", "missedRunPolicy": "All",
        "retryPolicy": {"limit": 3, "delay": "10s"}, "runTimeout": "1h", "pendingTimeout": "5m", "exclude": [{"schedule": "* 3 * * *"}],
        "jobTemplate": {"metadata": {"labels": {"a": "b"}}, "spec": {"template": {"spec": {"containers": [{"name": "main", "env": []}]}}}}})
}

fn status() -> Value {
    let slot = "2027-01-01T10:00:00Z";
    json!({"scheduleSince": "2027-01-01T09:00:00Z", "accountedUntil": slot, "observedGeneration": 1,
        "observedSchedule": {"schedule": "* * * * *", "timeZone": "Europe/Berlin", "gap": "RunAfter", "overlap": "First"},
        "active": [{"slot": slot, "trigger": "Schedule", "attempt": 1, "job": "t-1798797600", "uid": "active", "started": slot}],
        "queued": [{"slot": slot, "trigger": "Manual", "job": "t-m000000012"}],
        "recentRuns": [{"slot": slot, "slots": 1, "trigger": "Schedule", "attempts": 1, "outcome": "Succeeded", "reason": "JobCompleted"}],
        "keptJobs": [{"job": "t-1798797540", "uid": "kept", "succeeded": true}],
        "backfill": {"from": "2026-01-01T00:00:00Z", "until": "2026-01-02T00:00:00Z", "remaining": 3},
        "started": 3, "succeeded": 2, "running": 1, "lastSuccessfulSlot": slot, "lastHandledRunNow": "x"})
}

fn task(version: usize, spec: &Value, status: &Value, annotations: &Value) -> Value {
    json!({"apiVersion": "punctual.dev/v1alpha1", "kind": "ScheduledTask", "spec": spec, "status": status,
        "metadata": {"name": "t", "namespace": "n", "uid": "task", "generation": version, "resourceVersion": version.to_string(),
            "creationTimestamp": "2027-01-01T09:00:00Z", "annotations": annotations}})
}

/// A forged Job: one that the schedule could name, without the mark.
fn job(number: i64, stands: usize) -> Value {
    let slot = Timestamp::from_second(1_798_797_600 + 60 * (number - 3)).unwrap();
    let conditions = match stands % 4 {
        0 => json!([]),
        1 => json!([{"type": "Complete", "status": "True", "lastTransitionTime": NOW}]),
        2 => json!([{"type": "Failed", "status": "True", "reason": "é", "message": "m"}]),
        _ => json!([{"type": "Suspended", "status": "True"}]),
    };
    json!({"apiVersion": "batch/v1", "kind": "Job", "spec": {"suspend": stands > 7}, "status": {"conditions": conditions},
        "metadata": {"name": job_name("t", slot, 1), "namespace": "n", "uid": format!("forged-{number}-{stands}"), "resourceVersion": "7",
            "creationTimestamp": NOW, "labels": {"punctual.dev/task-uid": "task"},
            "annotations": {"punctual.dev/slot": slot.to_string(), "punctual.dev/attempt": "1", "punctual.dev/mark": "00000000000000ff"},
            "ownerReferences": [{"apiVersion": "punctual.dev/v1alpha1", "kind": "ScheduledTask", "name": "t", "uid": "task", "controller": true}]}})
}

/// What is done to the record.
#[derive(Clone, Debug)]
enum Deed {
    Task(Value, Value, Value),
    Job(Value),
    Gone(usize),
    List(usize),
    Wait(i64),
}

fn deed() -> impl Strategy<Value = Deed> {
    let requests = (word(), word()).prop_map(|(one, other)| {
        json!({"punctual.dev/run-now": one, "punctual.dev/backfill": other, "punctual.dev/reset-ledger": one, "punctual.dev/resume": other})
    });
    prop_oneof![
        2 => (changes(), changes(), requests).prop_map(|(of_spec, of_status, requests)| Deed::Task(
            changed(spec(), &of_spec), changed(status(), &of_status), requests)),
        4 => (0..8_i64, 0..10_usize, changes()).prop_map(|(number, stands, changes)| Deed::Job(changed(job(number, stands), &changes))),
        1 => any::<usize>().prop_map(Deed::Gone),
        1 => any::<usize>().prop_map(Deed::List),
        1 => (-100_000..1_000_000_i64).prop_map(Deed::Wait),
    ]
}

/// The plan, twice: the same knowledge is the same plan.
fn planned(record: &Record, now: Timestamp, seal: &Seal) -> Option<(Observed, Vec<Effect>)> {
    let observed = record.observe(now, seal)?;
    let effects = plan(&observed).effects;
    let again = plan(&record.observe(now, seal).expect("it was there"));
    assert_eq!(effects, again.effects, "the same knowledge is the same plan");
    Some((observed, effects))
}

/// Takes in what can be read: of the rest the API server has nothing.
fn put_job(record: &mut Record, object: &Value, now: Timestamp, known: &mut Vec<String>) {
    let Ok(raw) = serde_json::from_value::<RawJob>(object.clone()) else {
        return;
    };
    let Some(task) = record.task_shared() else { return };
    let _ = (raw.made_by(), raw.owner());
    if !raw.claims(&task) {
        return;
    }
    let job = raw.into_object();
    known.push(job.uid.clone());
    record.put_job(job, Source::Watch, now);
}

proptest! {
    #![proptest_config(ProptestConfig { max_shrink_iters: 2_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn nothing_that_anybody_writes_brings_the_way_to_the_plan_to_a_panic(deeds in vec(deed(), 1..12), is_shared in any::<bool>()) {
        let seal = if is_shared { shared() } else { Seal::alone(b"alone") };
        let (mut record, mut now, mut known) = (Record::default(), now(), Vec::new());
        for (at, deed) in deeds.iter().enumerate() {
            match deed {
                Deed::Task(spec, status, annotations) => {
                    let object = task(at + 1, spec, status, annotations);
                    let raw: RawTask = serde_json::from_value(object).expect("spec and status may be anything");
                    record.put_task(Arc::new(raw.to_task(record.task())), now);
                }
                Deed::Job(object) => put_job(&mut record, object, now, &mut known),
                Deed::Gone(which) if !known.is_empty() => {
                    record.remove_job(&known[which % known.len()], &seal, now);
                }
                Deed::List(which) => {
                    record.keep_jobs(|uid| uid.len() % (which % 3 + 1) == 0, &seal, now);
                }
                Deed::Wait(seconds) => now = now.saturating_add(SignedDuration::from_secs(*seconds)).unwrap_or(now),
                Deed::Gone(_) => {}
            }
            planned(&record, now, &seal);
        }
    }

    #[test]
    fn what_only_a_forger_made_is_never_deleted_and_moves_no_counter(jobs in vec((0..8_i64, 0..10_usize, changes()), 0..12), minutes in 0..4_i64,
        gone in vec(any::<usize>(), 0..4)) {
        let seal = shared();
        let now = now() + SignedDuration::from_mins(minutes);
        let raw: RawTask = serde_json::from_value(task(1, &spec(), &status(), &Value::Null)).unwrap();
        let told = Arc::new(raw.to_task(None));
        let mut record = Record::default();
        record.put_task(told.clone(), now);
        let (_, alone) = planned(&record, now, &seal).expect("the task is there");
        let mut known = Vec::new();
        for (number, stands, changes) in &jobs {
            let mut object = changed(job(*number, *stands), changes);
            // UIDs are the API server's.
            if let Some(metadata) = object["metadata"].as_object_mut() {
                metadata.insert("uid".into(), json!(format!("forged-{number}-{stands}")));
            }
            put_job(&mut record, &object, now, &mut known);
        }
        for which in gone.iter().filter(|_| !known.is_empty()) {
            record.remove_job(&known[which % known.len()], &seal, now);
        }
        let (observed, beside) = planned(&record, now, &seal).expect("the task is there");
        prop_assert!(observed.jobs.is_empty(), "{:#?}", observed.jobs);
        prop_assert_eq!(alone, beside);
    }

    #[test]
    fn a_status_that_anybody_wrote_is_read_or_begun_anew(object in any_json(), changes in changes()) {
        for status in [object, changed(status(), &changes)] {
            let raw: RawTask = serde_json::from_value(task(1, &spec(), &status, &Value::Null)).unwrap();
            let task = raw.to_task(None);
            let is_read = serde_json::from_value::<Option<ScheduledTaskStatus>>(status).is_ok();
            prop_assert_eq!(task.damage.is_none(), is_read);
            let mut record = Record::default();
            record.put_task(Arc::new(task), now());
            planned(&record, now(), &shared());
        }
    }
}

/// Times that Go reads and jiff does not, and the other way round: whoever may write a Job's status ends no watch by them.
#[test]
fn a_job_whose_times_are_unreadable_is_still_read() {
    for time in [
        "9999-12-31T23:59:59Z",
        "0000-01-01T00:00:00Z",
        "0001-01-01T00:00:00+14:00",
        "2027-01-01T24:00:00Z",
        "soon",
    ] {
        for (path, kind) in [
            ("/status/startTime", 1),
            ("/status/completionTime", 1),
            ("/status/conditions/0/lastTransitionTime", 1),
        ] {
            let mut object = job(1, kind);
            object["status"]["startTime"] = json!(NOW);
            object["status"]["completionTime"] = json!(NOW);
            *object.pointer_mut(path).unwrap() = json!(time);
            let read = serde_json::from_value::<RawJob>(object);
            assert!(read.is_ok(), "{path} {time}: {}", read.unwrap_err());
        }
    }
}

/// JSON that nests deeper than a parser follows (serde_json: 128) would end the watch of tasks for everybody: the CRD admits none.
#[test]
fn no_task_that_the_api_server_takes_is_nested_deeper_than_the_watch_follows() {
    let text = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/crds/scheduledtasks.punctual.dev.yaml")).expect("the CRD");
    let crd: Value = serde_yaml::from_str(&text).expect("YAML");
    for version in crd["spec"]["versions"].as_array().unwrap() {
        let depth = deepest(&version["schema"]["openAPIV3Schema"]);
        assert!((10..100).contains(&depth), "{depth}");
    }
}

/// How deep what a schema admits can be. What it does not name is pruned, unless it says that it is kept.
fn deepest(schema: &Value) -> usize {
    let is_kept = schema["x-kubernetes-preserve-unknown-fields"] == true;
    assert!(!is_kept || schema["maxProperties"] == 0 && schema["maxItems"] == 0, "{schema}");
    let named = schema["properties"].as_object().into_iter().flat_map(Map::values);
    let listed = [&schema["items"], &schema["additionalProperties"]]
        .into_iter()
        .filter(|part| part.is_object());
    1 + named.chain(listed).map(deepest).max().unwrap_or(0)
}

/// Jobs that come and go under the name of a slot that is not yet due: what is remembered of them is bounded.
#[test]
fn a_thousand_times_a_thousand_jobs_that_come_and_go_are_not_remembered() {
    let seal = shared();
    let raw: RawTask = serde_json::from_value(task(1, &spec(), &status(), &Value::Null)).unwrap();
    let mut record = Record::default();
    record.put_task(Arc::new(raw.to_task(None)), now());
    let mut known = Vec::new();
    for number in 0..5_000_usize {
        let mut object = job(i64::try_from(number % 1_000).unwrap() + 4, 0);
        object["metadata"]["uid"] = json!(format!("forged-{number}"));
        put_job(&mut record, &object, now(), &mut known);
        record.remove_job(known.last().unwrap(), &seal, now());
        if number % 7 == 0 {
            put_job(&mut record, &object, now(), &mut known);
            record.keep_jobs(|_| false, &seal, now());
        }
    }
    let held = format!("{record:?}").matches("forged-").count();
    assert!(held <= 2_500, "{held} words about them");
    assert!(record.observe(now(), &seal).unwrap().gone.len() <= 1_024);
}
