//! A record that has nothing to do for a while, packed: a tenth of the memory.
//!
//! A record goes in, compressed text comes out, and the same record again. What a list needs in order to see that nothing has changed
//! stays readable. A record that remembers more than its task and its Jobs (a refusal, a Job that is gone) is not packed.

use super::record::Record;
use super::seen_again::Source;
use super::task_sample::{TaskPart, TaskSample};
use super::writes::Writes;
use crate::api::{ScheduledTaskSpec, ScheduledTaskStatus};
use crate::plan::{DryRun, Job, JobObject, Requests, Spec, Task, Unusable};
use crate::schedule::hash;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

/// What most packed records have in common: compression refers to it instead of repeating it.
const COMMON: &[u8] = include_bytes!("rest/common.json");

/// A record at rest.
#[derive(Clone, Debug)]
pub struct Packed {
    text: PackedText,
    /// `resourceVersion` of the task.
    version: Box<str>,
    /// Which Jobs it has, and in which state.
    jobs: Box<[JobHash]>,
    /// Jobs of a first list that came after it was packed.
    listed: Vec<Box<[u8]>>,
}

/// The text of a record, compressed.
#[derive(Clone, Debug)]
pub struct PackedText {
    compressed: Box<[u8]>,
    /// Length of the text before it was compressed.
    length: usize,
}

/// A Job, told from others by hashes of its UID and of its version.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct JobHash {
    uid: u64,
    version: u64,
}

/// The hash by which a packed record knows a Job.
#[must_use]
pub fn uid_hash(uid: &str) -> u64 {
    hash(uid)
}

impl JobHash {
    fn of(object: &JobObject) -> Self {
        Self {
            uid: uid_hash(&object.uid),
            version: uid_hash(&object.version),
        }
    }
}

/// How a task stands: what notifications tell of it.
#[derive(Clone, Debug, Deserialize)]
pub struct Standing {
    /// `metadata.namespace`
    pub namespace: String,
    /// `metadata.name`
    pub name: String,
    /// `metadata.uid`
    pub uid: String,
    /// `metadata.creationTimestamp`
    pub created: Timestamp,
    /// `metadata.labels`
    #[serde(default)]
    pub labels: BTreeMap<String, String>,
    /// The status.
    pub status: ScheduledTaskStatus,
}

impl Standing {
    /// How this task stands.
    #[must_use]
    pub fn of(task: &Task) -> Self {
        Self {
            namespace: task.namespace.clone(),
            name: task.name.clone(),
            uid: task.uid.clone(),
            created: task.created,
            labels: task.labels.clone(),
            status: (*task.status).clone(),
        }
    }
}

/// The text, as it is written.
#[derive(Serialize)]
struct Written<'a> {
    namespace: &'a str,
    name: &'a str,
    uid: &'a str,
    generation: i64,
    version: &'a str,
    created: Timestamp,
    deleting: bool,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    labels: &'a BTreeMap<String, String>,
    requests: &'a Requests,
    spec: Result<&'a ScheduledTaskSpec, &'a Unusable>,
    status: &'a ScheduledTaskStatus,
    damage: &'a Option<String>,
    jobs: Vec<&'a Job>,
    dry_run: DryRun,
}

/// The text, as it is read.
#[derive(Deserialize)]
struct Read {
    namespace: String,
    name: String,
    uid: String,
    generation: i64,
    version: String,
    created: Timestamp,
    deleting: bool,
    #[serde(default)]
    labels: BTreeMap<String, String>,
    requests: Requests,
    spec: Result<ScheduledTaskSpec, Unusable>,
    status: ScheduledTaskStatus,
    damage: Option<String>,
    jobs: Vec<Job>,
    dry_run: DryRun,
}

impl Packed {
    /// The record, packed, if it is at rest.
    #[must_use]
    pub fn of(record: &Record) -> Option<Self> {
        let task = record.task().filter(|_| record.is_at_rest())?;
        let jobs: Vec<&Job> = record.known_jobs().collect();
        let hashes = jobs.iter().map(|job| JobHash::of(&job.object)).collect();
        let written = Written {
            namespace: &task.namespace,
            name: &task.name,
            uid: &task.uid,
            generation: task.generation,
            version: &task.resource_version,
            created: task.created,
            deleting: task.deleting,
            labels: &task.labels,
            requests: &task.requests,
            spec: task.spec.as_ref().map(|spec| &spec.fields),
            status: &task.status,
            damage: &task.damage,
            jobs,
            dry_run: record.writes.dry_run(),
        };
        let text = serde_json::to_vec(&written).ok()?;
        Some(Self {
            text: PackedText::of(&text),
            version: task.resource_version.as_str().into(),
            jobs: hashes,
            listed: Vec::new(),
        })
    }

    /// The record again. Nothing, if what was packed cannot be read, which would be a defect.
    #[must_use]
    pub fn unpack(&self, now: Timestamp) -> Option<Record> {
        let text = self.text.read()?;
        let read: Read = serde_json::from_slice(&text).ok()?;
        let key = format!("{}/{}", read.namespace, read.name);
        let task = Task {
            namespace: read.namespace,
            name: read.name,
            uid: read.uid,
            generation: read.generation,
            resource_version: read.version,
            created: read.created,
            deleting: read.deleting,
            labels: read.labels,
            requests: read.requests,
            spec: read.spec.map(|fields| Arc::new(Spec::new(fields, &key))),
            status: Arc::new(read.status),
            damage: read.damage,
        };
        let jobs: HashMap<String, Job> = read.jobs.into_iter().map(|job| (job.object.uid.clone(), job)).collect();
        let mut record = Record::again(Arc::new(task), jobs, Writes::again(read.dry_run));
        for object in self.listed.iter().filter_map(|text| serde_json::from_slice(text).ok()) {
            record.put_job(object, Source::List, now);
        }
        Some(record)
    }

    /// The text of the record, from which metrics can be read.
    #[must_use]
    pub fn text(&self) -> &PackedText {
        &self.text
    }

    /// `resourceVersion` of the task.
    #[must_use]
    pub fn version(&self) -> &str {
        &self.version
    }

    /// Whether a list that shows this Job says nothing new.
    #[must_use]
    pub fn has_job(&self, object: &JobObject) -> bool {
        self.jobs.contains(&JobHash::of(object))
    }

    /// Whether each of its Jobs is among those with these hashes of their UIDs.
    #[must_use]
    pub fn is_among(&self, listed: impl Fn(u64) -> bool) -> bool {
        self.jobs.iter().all(|job| listed(job.uid))
    }

    /// A list shows this Job: it is taken in when the record is unpacked.
    pub fn add_listed(&mut self, object: &JobObject) {
        if let Ok(text) = serde_json::to_vec(object) {
            self.jobs = self.jobs.iter().copied().chain([JobHash::of(object)]).collect();
            self.listed.push(text.into());
        }
    }

    /// How many Jobs it has.
    #[must_use]
    pub fn jobs(&self) -> usize {
        self.jobs.len()
    }

    /// Bytes on the heap.
    #[must_use]
    pub fn size(&self) -> usize {
        let listed: usize = self.listed.iter().map(|text| text.len()).sum();
        self.text.compressed.len() + self.version.len() + std::mem::size_of_val(&*self.jobs) + listed
    }
}

impl PackedText {
    fn of(text: &[u8]) -> Self {
        Self {
            compressed: lz4_flex::block::compress_with_dict(text, COMMON).into(),
            length: text.len(),
        }
    }

    fn read(&self) -> Option<Vec<u8>> {
        lz4_flex::block::decompress_with_dict(&self.compressed, self.length, COMMON).ok()
    }

    /// What the metrics show of the task. Nothing, if what was packed cannot be read, which would be a defect.
    #[must_use]
    pub fn sample(&self) -> Option<TaskSample> {
        let text = self.read()?;
        let part: TaskPart = serde_json::from_slice(&text).ok()?;
        Some(part.sample())
    }

    /// What notifications tell of the task. Nothing, if what was packed cannot be read, which would be a defect.
    #[must_use]
    pub fn standing(&self) -> Option<Standing> {
        serde_json::from_slice(&self.read()?).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::WriteKind;
    use crate::state::{RawJob, RawTask, Seal};
    use serde_json::{Value, json};

    const NOW: &str = "2027-01-01T10:02:00Z";

    fn now() -> Timestamp {
        NOW.parse().unwrap()
    }

    fn task(spec: &Value, status: &Value) -> Record {
        let metadata = json!({"name": "t", "namespace": "n", "uid": "task", "resourceVersion": "7", "generation": 1,
            "annotations": {"punctual.dev/run-now": "x"}});
        let raw: RawTask = serde_json::from_value(json!({"metadata": metadata, "spec": spec, "status": status})).unwrap();
        let mut record = Record::default();
        record.put_task(Arc::new(raw.to_task(None)), now());
        record
    }

    fn job(version: &str) -> JobObject {
        let owner =
            json!([{"apiVersion": "punctual.dev/v1alpha1", "kind": "ScheduledTask", "name": "t", "uid": "task", "controller": true}]);
        let metadata = json!({"name": "t-1798797660", "namespace": "n", "uid": "job", "resourceVersion": version,
            "annotations": {"punctual.dev/slot": "2027-01-01T10:01:00Z"}, "ownerReferences": owner});
        let raw: RawJob = serde_json::from_value(json!({"metadata": metadata, "status": {}})).unwrap();
        raw.into_object()
    }

    fn shown(record: &Record) -> String {
        format!("{:?}", record.observe(now(), &Seal::alone(b"key")))
    }

    #[test]
    fn a_record_is_the_same_after_its_rest() {
        let good = json!({"schedules": ["*/5 * * * *", "H 3 L * *"], "timeZone": "Europe/Berlin", "jitter": "30s", "suspend": true,
            "exclude": [{"from": "2026-08-01", "until": "2026-08-15"}], "retryPolicy": {"limit": 3, "delay": "10s"},
            "jobTemplate": {"spec": {"ttlSecondsAfterFinished": 5, "template": {"spec": {"containers": [{"cpu": 0.5}]}}}}});
        let wrong = json!({"schedule": "61 * * * *", "timeZone": "Mars/Olympus", "jobTemplate": {}});
        let unreadable = json!({"schedule": 7});
        let active = json!({"slot": "2027-01-01T10:01:00Z", "trigger": "Schedule", "attempt": 1, "job": "t-1798797660", "uid": "job",
            "started": NOW, "message": "\u{7f}\"odd\"\n", "exitCodes": [null, 3]});
        let run = |outcome: &str| {
            json!({"slot": NOW, "slots": 1, "trigger": "Schedule", "attempts": 1, "outcome": outcome,
            "reason": "JobFailed", "started": NOW, "finished": NOW})
        };
        let status = json!({"scheduleSince": NOW, "started": 4, "active": [active], "nextRuns": [NOW, NOW],
            "recentRuns": [run("Skipped"), run("Failed"), run("Succeeded")], "recentRunSeconds": [1, 2, 3, 4, 5]});
        for spec in [good, wrong, unreadable] {
            for status in [Value::Null, status.clone(), json!("damaged")] {
                let mut record = task(&spec, &status);
                record.put_job(job("1"), Source::List, now());
                record.writes.set_dry_run(Some("no".into()), now());
                let packed = Packed::of(&record).unwrap();
                assert_eq!(shown(&packed.unpack(now()).unwrap()), shown(&record));
                assert_eq!(packed.text().sample(), record.task().map(TaskSample::of));
            }
        }
    }

    #[test]
    fn a_list_that_says_something_new_is_taken_in_after_the_rest() {
        let status = json!({"keptJobs": [{"job": "t-1798797660", "uid": "job", "succeeded": true}], "accountedUntil": NOW});
        let spec = json!({"schedule": "* * * * *", "jobTemplate": {}});
        let mut awake = task(&spec, &status);
        let mut packed = Packed::of(&awake).unwrap();
        assert!(!packed.has_job(&job("1")));
        packed.add_listed(&job("1"));
        assert!(packed.has_job(&job("1")) && !packed.has_job(&job("2")));
        assert!(packed.is_among(|uid| uid == uid_hash("job")) && !packed.is_among(|_| false));
        awake.put_job(job("1"), Source::List, now());
        assert_eq!(shown(&packed.unpack(now()).unwrap()), shown(&awake));
    }

    #[test]
    fn a_record_that_remembers_more_is_not_packed() {
        let mut record = task(&json!({"schedule": "* * * * *", "jobTemplate": {}}), &Value::Null);
        assert!(Packed::of(&record).is_some());
        record
            .writes
            .refuse(WriteKind::Create, crate::plan::Reason::JobRefused, "no", now());
        assert!(Packed::of(&record).is_none());
        assert!(Packed::of(&Record::default()).is_none(), "nothing is known of its task");
    }
}
