//! What became of a write whose sender was told nothing clear: one that arrives late and changes nothing harms nobody.
//!
//! Takes the requests and what the witness saw, gives whether such a write changed something. Never judges whose turn it was.

use crate::harness::Request;
use crate::witness::Seen;

/// The writes without a clear answer that may have changed something, and those that surely changed nothing.
pub struct Effects<'a> {
    all: &'a [Request],
    seen: &'a Seen,
}

impl<'a> Effects<'a> {
    pub fn of(all: &'a [Request], seen: &'a Seen) -> Self {
        Self { all, seen }
    }

    /// Whether what `write` asked for came to be by it, as far as can be told: a refusal changes nothing, and what an
    /// unclear answer left open is seen in the Jobs and in the versions of the task.
    pub fn changed_something(&self, write: &Request) -> bool {
        if write.is_done() || write.is_refused() {
            return write.is_done();
        }
        match (write.resource.as_str(), write.verb.as_str()) {
            ("jobs", "create") => self.seen.jobs.contains_key(&write.name) && !self.somebody_was_told(write),
            ("jobs", "delete") => self.seen.deleted.contains(&write.name) && !self.somebody_was_told(write),
            ("scheduledtasks/status", _) => self.versions_nobody_was_told_of(&write.name) > 0,
            // An event decides nothing, and the operator writes nothing else.
            (resource, _) => resource != "events",
        }
    }

    fn somebody_was_told(&self, write: &Request) -> bool {
        self.all
            .iter()
            .any(|one| one.is_done() && (&one.verb, &one.resource, &one.name) == (&write.verb, &write.resource, &write.name))
    }

    /// Versions of a task beside the first, which its author made, and those whose writers were told.
    fn versions_nobody_was_told_of(&self, task: &str) -> usize {
        let told = self.all.iter().filter(|one| one.is_done() && one.is_write());
        let told = told
            .filter(|one| one.resource.starts_with("scheduledtasks") && one.name == task)
            .count();
        let versions = self.seen.versions.get(task).map_or(0, std::collections::BTreeSet::len);
        versions.saturating_sub(1 + told)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn request(verb: &str, resource: (&str, &str), name: &str, code: u64) -> Request {
        let at = "2026-03-27T02:00:00.000000Z";
        let object = json!({"resource": resource.0, "subresource": resource.1, "name": name});
        let entry = json!({"user": {"username": "x"}, "verb": verb, "objectRef": object, "responseStatus": {"code": code},
            "requestReceivedTimestamp": at, "stageTimestamp": at, "requestURI": "/"});
        Request::read(&entry).unwrap()
    }

    #[test]
    fn a_write_without_a_clear_answer_is_judged_by_what_came_of_it() {
        let (job, status) = (("jobs", ""), ("scheduledtasks", "status"));
        let all = [
            request("create", job, "forbid-6", 504),
            request("create", job, "forbid-9", 504),
            request("create", job, "forbid-9", 201),
            request("create", job, "forbid-12", 504),
            request("delete", job, "forbid-6", 504),
            request("delete", job, "forbid-9", 504),
            request("update", status, "forbid", 200),
            request("update", status, "forbid", 504),
            request("update", status, "allow", 504),
            request("update", status, "allow", 409),
            request("update", status, "allow", 200),
            request("create", ("events", ""), "forbid.1", 504),
        ];
        let set = |names: &[&str]| names.iter().map(ToString::to_string).collect();
        let mut seen = Seen::default();
        seen.jobs = [("forbid-6".to_owned(), set(&["1"])), ("forbid-9".to_owned(), set(&["2"]))].into();
        seen.deleted = set(&["forbid-6"]);
        seen.versions = [("forbid".to_owned(), set(&["1", "2", "3"])), ("allow".to_owned(), set(&["4", "5"]))].into();
        let effects = Effects::of(&all, &seen);
        let changed: Vec<bool> = all.iter().map(|write| effects.changed_something(write)).collect();
        let expected = [true, false, true, false, true, false, true, true, false, false, true, false];
        assert_eq!(changed, expected);
    }
}
