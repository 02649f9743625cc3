//! Tells a dead-man switch outside of the cluster what becomes of runs: <https://healthchecks.io/docs/http_api/>.
//!
//! | of a run | request |
//! |---|---|
//! | started | `POST URL/SLUG/start` |
//! | succeeded | `POST URL/SLUG` |
//! | failed | `POST URL/SLUG/EXITCODE`, or `/fail` without one |
//! | retrying, skipped, cancelled, and what is about the task | `POST URL/SLUG/log`, which changes no state |
//! | missed, overdue | none |
//!
//! What was missed or is late sends nothing, because that is what the other side waits for: its own alarm rings, even when nothing in this
//! cluster works any more. Requests of one check keep their order, and those of a run have the same `rid`.

use super::super::message::{Message, What};
use super::super::sink_config::Heartbeat;
use super::super::text::Line;
use super::failure::NotDelivered;
use super::lanes::in_lanes;
use super::timeouts::Timeouts;
use super::web::{self, AT_ONCE, Web};
use reqwest::Url;
use ring::digest;
use std::fmt::Write;

/// More of a body is not kept by the other side.
const MOST_BYTES: usize = 10_000;

/// A monitor.
#[derive(Debug)]
pub struct HeartbeatSink {
    config: Heartbeat,
    web: Web,
}

impl HeartbeatSink {
    /// Connects when there is something to send.
    pub fn new(config: Heartbeat, timeouts: Timeouts) -> Self {
        Self {
            config,
            web: Web::new(timeouts),
        }
    }

    /// Sends messages, and returns when all of them are acknowledged.
    pub async fn deliver(&mut self, messages: &[Message]) -> Result<(), NotDelivered> {
        let url = web::address(&self.config.url).await?;
        let client = self.web.client(self.config.ca.as_deref()).await?;
        let (url, client, this) = (&url, &client, &*self);
        let send = |index: usize| async move {
            let Some(message) = messages.get(index) else { return Ok(()) };
            let Some(signal) = signal(message) else { return Ok(()) };
            let ping = this.ping(url, message, &signal)?;
            let sent = web::send(client.post(ping).body(body(message)), url).await;
            sent.map_err(|error| this.explained(error, message))
        };
        in_lanes(messages.len(), AT_ONCE, |index| messages.get(index).map(slug), send).await
    }

    fn ping(&self, url: &Url, message: &Message, signal: &str) -> Result<Url, NotDelivered> {
        let mut url = url.clone();
        {
            let cannot = |()| NotDelivered::new("url: must begin with http:// or https://");
            let mut path = url.path_segments_mut().map_err(cannot)?;
            path.pop_if_empty().push(&slug(message));
            if !signal.is_empty() {
                path.push(signal);
            }
        }
        if let Some(run) = run_id(message) {
            url.query_pairs_mut().append_pair("rid", &run);
        }
        if self.config.create {
            url.query_pairs_mut().append_pair("create", "1");
        }
        Ok(url)
    }

    fn explained(&self, error: NotDelivered, message: &Message) -> NotDelivered {
        let slug = slug(message);
        let hint = match () {
            () if error.message.contains("answered 404") && self.config.create => {
                format!(": there is no check {slug:?}, or the ping key is wrong")
            }
            () if error.message.contains("answered 404") => {
                format!(": there is no check {slug:?}: create it, or set create: true")
            }
            () if error.message.contains("answered 409") => format!(": several checks have the slug {slug:?}: rename one"),
            () => String::new(),
        };
        let text = format!("{}{hint}", error.message);
        NotDelivered { message: text, ..error }
    }
}

/// The end of the path; nothing if nothing is sent.
fn signal(message: &Message) -> Option<String> {
    let code = message.run.as_ref().and_then(|run| run.exit_code);
    let signal = match message.what {
        What::Missed | What::Overdue => return None,
        What::Started => "start".into(),
        What::Succeeded => String::new(),
        // 0 would be a success.
        What::Failed => code
            .filter(|code| (1..=255).contains(code))
            .map_or_else(|| "fail".into(), |code| code.to_string()),
        _ => "log".into(),
    };
    Some(signal)
}

/// A slug has small letters, digits, `-` and `_`. A namespace has neither `.` nor `_`, so no two tasks have the same slug.
fn slug(message: &Message) -> String {
    let name = format!("{}_{}", message.subject.namespace, message.subject.name);
    let allowed = |c: char| {
        if c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-' {
            c
        } else {
            '_'
        }
    };
    name.chars().map(allowed).collect()
}

/// A UUID of version 8 (RFC 9562) of the task and the slot.
fn run_id(message: &Message) -> Option<String> {
    let slot = message.run.as_ref()?.slot.0;
    let name = format!("{} {slot}", message.subject.uid);
    let hash = digest::digest(&digest::SHA256, name.as_bytes());
    let mut id = String::new();
    for (index, byte) in hash.as_ref().iter().take(16).enumerate() {
        let byte = match index {
            6 => byte & 0x0f | 0x80,
            8 => byte & 0x3f | 0x80,
            _ => *byte,
        };
        let dash = if matches!(index, 4 | 6 | 8 | 10) { "-" } else { "" };
        let _ = write!(id, "{dash}{byte:02x}");
    }
    Some(id)
}

fn body(message: &Message) -> String {
    let line = Line::of(message);
    let logs = line.logs.as_ref().map_or_else(String::new, |logs| format!("\n{logs}"));
    let mut text = line.sentence();
    let most = MOST_BYTES.saturating_sub(logs.len());
    while text.len() > most {
        text.pop();
    }
    text + &logs
}

#[cfg(test)]
mod tests {
    use super::super::super::message::Subject;
    use super::*;
    use serde_json::json;

    fn run(uid: &str, slot: &str, what: What) -> Message {
        let run = json!({
            "slot": slot, "slots": 1, "trigger": "Schedule", "attempts": 1, "outcome": "Failed", "reason": "JobFailed",
        });
        Message {
            what,
            subject: Subject {
                namespace: "prod".into(),
                name: "a.b".into(),
                uid: uid.into(),
            },
            id: String::new(),
            sequence: None,
            slots: 1,
            time: jiff::Timestamp::UNIX_EPOCH,
            is_repeat: false,
            reason: String::new(),
            text: String::new(),
            run: Some(serde_json::from_value(run).unwrap()),
            lost: Vec::new(),
        }
    }

    #[test]
    fn a_run_keeps_its_id() {
        let (first, second) = ("2026-11-26T02:00:00Z", "2026-11-26T02:01:00Z");
        let id = run_id(&run("u1", first, What::Started)).unwrap();
        assert_eq!(run_id(&run("u1", first, What::Failed)).unwrap(), id);
        assert_ne!(run_id(&run("u1", second, What::Failed)).unwrap(), id);
        assert_ne!(run_id(&run("u2", first, What::Failed)).unwrap(), id);
        // Of version 8, and of the variant of RFC 9562.
        let parts: Vec<&str> = id.split('-').collect();
        assert_eq!(parts.iter().map(|part| part.len()).collect::<Vec<_>>(), [8, 4, 4, 4, 12]);
        assert!(parts[2].starts_with('8') && parts[3].starts_with(['8', '9', 'a', 'b']), "{id}");
    }

    #[test]
    fn the_address_keeps_what_it_has() {
        let sink = |create| {
            let config = Heartbeat {
                url: crate::notify::Secret::Text(String::new()),
                create,
                ca: None,
            };
            HeartbeatSink::new(config, Timeouts::default())
        };
        let mut message = run("u1", "2026-11-26T02:00:00Z", What::Started);
        let rid = run_id(&message).unwrap();
        let ping = |create, url: &str, message: &Message| {
            let ping = sink(create).ping(&url.parse().unwrap(), message, "start");
            ping.unwrap().to_string()
        };
        let expected = format!("https://hc.test/ping/key/prod_a_b/start?rid={rid}&create=1");
        assert_eq!(ping(true, "https://hc.test/ping/key", &message), expected);
        assert_eq!(ping(true, "https://hc.test/ping/key/", &message), expected);
        message.run = None;
        assert_eq!(ping(false, "https://hc.test", &message), "https://hc.test/prod_a_b/start");
        assert_eq!(ping(false, "https://hc.test/?x=1", &message), "https://hc.test/prod_a_b/start?x=1");
    }
}
