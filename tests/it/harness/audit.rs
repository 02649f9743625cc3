//! What somebody did, by the API server's audit log. Takes a log and a user, gives the requests. Never asks who sent them.

use serde_json::Value;
use std::fmt;
use std::io::{Read, Seek, SeekFrom};
use std::path::Path;

/// One request, as the API server saw it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Request {
    pub verb: String,
    /// `group/resource/subresource`
    pub what: String,
    pub namespace: String,
    pub name: String,
    pub code: i64,
    /// Whether the rights were missing.
    pub denied: bool,
}

impl fmt::Display for Request {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} {}/{}: {}", self.verb, self.what, self.namespace, self.name, self.code)
    }
}

/// The user that a ServiceAccount is.
pub fn service_account(namespace: &str, name: &str) -> String {
    format!("system:serviceaccount:{namespace}:{name}")
}

/// What this user did, from this byte of the log on.
pub fn requests(log: &Path, user: &str, since: u64) -> Vec<Request> {
    let user = format!("\"username\":\"{user}\"");
    let mut log = std::fs::File::open(log).expect("the audit log");
    log.seek(SeekFrom::Start(since)).expect("as long as before");
    let mut bytes = Vec::new();
    log.read_to_end(&mut bytes).expect("it can be read");
    // The last line may be half written.
    let end = bytes.iter().rposition(|byte| *byte == b'\n').unwrap_or(0);
    let text = std::str::from_utf8(&bytes[..end]).expect("UTF-8");
    let theirs = text.lines().filter(|line| line.contains(&user));
    theirs.map(|line| request(&serde_json::from_str(line).expect("JSON"))).collect()
}

fn request(event: &Value) -> Request {
    let object = &event["objectRef"];
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let mut what = format!("{}/{}", text(&object["apiGroup"]), text(&object["resource"]));
    if let Some(sub) = object["subresource"].as_str() {
        what = format!("{what}/{sub}");
    }
    if object.is_null() {
        what = text(&event["requestURI"]);
    }
    Request {
        verb: text(&event["verb"]),
        what,
        namespace: text(&object["namespace"]),
        name: text(&object["name"]),
        code: event["responseStatus"]["code"].as_i64().unwrap_or_default(),
        denied: event["annotations"]["authorization.k8s.io/decision"] == "forbid",
    }
}
