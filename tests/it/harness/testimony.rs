//! What the API server's audit log says: who sent what, when, to the microsecond.
//!
//! Takes the log, gives the requests of the users that are asked about. Never asks the operator.

use cluster::Cluster;
use jiff::Timestamp;
use serde_json::Value;
use std::io::{BufRead, BufReader};

/// A finished request.
#[derive(Clone, Debug)]
pub struct Request {
    pub user: String,
    pub verb: String,
    /// With its subresource: `jobs`, `scheduledtasks/status`.
    pub resource: String,
    pub name: String,
    pub code: u64,
    pub received: Timestamp,
    pub answered: Timestamp,
    dry: bool,
}

impl Request {
    /// A line of the audit log.
    pub fn read(entry: &Value) -> Option<Request> {
        let text = |pointer: &str| entry.pointer(pointer).and_then(Value::as_str).unwrap_or_default().to_owned();
        let subresource = text("/objectRef/subresource");
        let resource = text("/objectRef/resource");
        Some(Request {
            user: text("/user/username"),
            verb: text("/verb"),
            resource: if subresource.is_empty() {
                resource
            } else {
                format!("{resource}/{subresource}")
            },
            name: text("/objectRef/name"),
            code: entry.pointer("/responseStatus/code").and_then(Value::as_u64).unwrap_or(0),
            received: text("/requestReceivedTimestamp").parse().ok()?,
            answered: text("/stageTimestamp").parse().ok()?,
            dry: text("/requestURI").contains("dryRun"),
        })
    }

    /// Whether it was done.
    pub fn is_done(&self) -> bool {
        (200..300).contains(&self.code)
    }

    /// Whether it surely changed nothing. A time-out, another 5xx or a sender that has gone leaves it open.
    pub fn is_refused(&self) -> bool {
        (400..500).contains(&self.code)
    }

    /// Whether it is about who leads.
    pub fn is_about_the_lease(&self) -> bool {
        self.resource == "leases"
    }

    /// Whether it changes something, or would if it were not refused.
    pub fn is_write(&self) -> bool {
        !matches!(self.verb.as_str(), "get" | "list" | "watch") && !self.dry
    }

    /// Whether it is a write for a task: a Job or a status.
    pub fn is_work(&self) -> bool {
        self.is_write() && matches!(self.resource.as_str(), "jobs" | "scheduledtasks/status")
    }
}

/// The requests of all users whose name begins so, in the order in which the API server received them.
pub fn requests(cluster: &Cluster, users: &str) -> Vec<Request> {
    let log = std::fs::File::open(cluster.audit_log()).expect("an audit log");
    let needle = format!("\"username\":\"{users}");
    let lines = BufReader::new(log).lines().map_while(Result::ok);
    let mut requests: Vec<Request> = lines
        .filter(|line| line.contains(&needle))
        // The last line may be half written.
        .filter_map(|line| serde_json::from_str(&line).ok())
        .filter_map(|entry: Value| Request::read(&entry))
        .collect();
    requests.sort_by_key(|request| request.received);
    requests
}
