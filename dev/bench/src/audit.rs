//! What the API server did, by its audit log.
//!
//! Input: lines of the log. Output: requests with the times at which they were received and answered, in microseconds. Never asks a
//! scheduler about itself.

use std::borrow::Cow;
use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::Path;

use anyhow::{Context, Result};
use jiff::Timestamp;
use serde::Deserialize;

/// One finished request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    pub user: String,
    pub agent: String,
    pub verb: String,
    pub resource: String,
    pub subresource: String,
    pub namespace: String,
    pub name: String,
    pub code: u16,
    /// Whether nothing is stored: `dryRun=All`.
    pub dry_run: bool,
    pub received: Timestamp,
    pub answered: Timestamp,
}

impl Request {
    /// Whether it created a Job.
    pub fn is_start(&self) -> bool {
        self.verb == "create" && self.resource == "jobs" && self.subresource.is_empty() && self.code == 201 && !self.dry_run
    }

    /// Whether it is a renewal of a Lease.
    pub fn is_lease(&self) -> bool {
        self.resource == "leases"
    }

    /// Whether it is long-running.
    pub fn is_watch(&self) -> bool {
        self.verb == "watch"
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Line<'a> {
    #[serde(borrow)]
    verb: Cow<'a, str>,
    #[serde(borrow)]
    user: User<'a>,
    #[serde(borrow, default)]
    user_agent: Cow<'a, str>,
    #[serde(borrow, rename = "requestURI", default)]
    uri: Cow<'a, str>,
    #[serde(borrow)]
    stage: Cow<'a, str>,
    #[serde(borrow, default)]
    object_ref: Option<Object<'a>>,
    #[serde(default)]
    response_status: Option<Status>,
    request_received_timestamp: Timestamp,
    stage_timestamp: Timestamp,
}

#[derive(Deserialize)]
struct User<'a> {
    #[serde(borrow, default)]
    username: Cow<'a, str>,
}

#[derive(Deserialize, Default)]
struct Object<'a> {
    #[serde(borrow, default)]
    resource: Cow<'a, str>,
    #[serde(borrow, default)]
    subresource: Cow<'a, str>,
    #[serde(borrow, default)]
    namespace: Cow<'a, str>,
    #[serde(borrow, default)]
    name: Cow<'a, str>,
}

#[derive(Deserialize)]
struct Status {
    #[serde(default)]
    code: u16,
}

/// Reads one line; nothing if it is not the end of a request.
pub fn parse(line: &str) -> Result<Option<Request>> {
    let line: Line = serde_json::from_str(line).with_context(|| format!("not an audit event: {line}"))?;
    if line.stage != "ResponseComplete" {
        return Ok(None);
    }
    let object = line.object_ref.unwrap_or_default();
    Ok(Some(Request {
        user: line.user.username.into(),
        agent: line.user_agent.into(),
        verb: line.verb.into(),
        resource: object.resource.into(),
        subresource: object.subresource.into(),
        namespace: object.namespace.into(),
        name: object.name.into(),
        code: line.response_status.map_or(0, |status| status.code),
        dry_run: line.uri.contains("dryRun="),
        received: line.request_received_timestamp,
        answered: line.stage_timestamp,
    }))
}

/// Reads all requests of a log that `wanted` takes.
pub fn read(log: &Path, wanted: impl Fn(&Request) -> bool) -> Result<Vec<Request>> {
    let mut log = BufReader::new(File::open(log).with_context(|| format!("cannot open {}", log.display()))?);
    let (mut requests, mut line) = (Vec::new(), String::new());
    loop {
        line.clear();
        // The last line may be half written.
        if log.read_line(&mut line)? == 0 || !line.ends_with('\n') {
            return Ok(requests);
        }
        requests.extend(parse(&line)?.filter(&wanted));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::peer::Peer;

    const START: &str = r#"{"kind":"Event","stage":"ResponseComplete","requestURI":"/apis/batch/v1/namespaces/herd/jobs?fieldManager=punctual","verb":"create","user":{"username":"system:serviceaccount:punctual-system:punctual"},"userAgent":"punctual/0.1.0","objectRef":{"resource":"jobs","namespace":"herd","name":"t-1","apiGroup":"batch","apiVersion":"v1"},"responseStatus":{"metadata":{},"code":201},"requestReceivedTimestamp":"2026-11-26T12:00:00.001500Z","stageTimestamp":"2026-11-26T12:00:00.004000Z"}"#;

    #[test]
    fn a_start_is_read_with_its_times() {
        let start = parse(START).unwrap().unwrap();
        assert!(start.is_start() && Peer::Ours.sent(&start) && !Peer::CronJobTuned.sent(&start));
        assert_eq!(start.answered.duration_since(start.received).as_micros(), 2500);
        assert_eq!((start.namespace.as_str(), start.name.as_str()), ("herd", "t-1"));
    }

    #[test]
    fn a_dry_run_or_a_conflict_starts_nothing() {
        let dry = START.replace("?fieldManager", "?dryRun=All&fieldManager");
        assert!(!parse(&dry).unwrap().unwrap().is_start());
        let conflict = START.replace("\"code\":201", "\"code\":409");
        assert!(!parse(&conflict).unwrap().unwrap().is_start());
    }

    #[test]
    fn a_half_written_line_is_left_for_later() {
        let dir = tempfile::tempdir().unwrap();
        let log = dir.path().join("audit.log");
        let begun = START.replace("ResponseComplete", "ResponseStarted");
        std::fs::write(&log, format!("{begun}\n{START}\n{}", &START[..40])).unwrap();
        assert_eq!(read(&log, |_| true).unwrap().len(), 1);
        assert_eq!(read(&log, |request| request.namespace == "other").unwrap().len(), 0);
    }
}
