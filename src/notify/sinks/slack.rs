//! Writes to a chat, with an incoming webhook as Slack has it: one text for all messages of a delivery.
//!
//! What a container said is shown as code, so that it can neither mention people or channels nor make a link.

use super::super::message::Message;
use super::super::sink_config::Slack;
use super::super::text::{Digest, Line};
use super::failure::NotDelivered;
use super::timeouts::Timeouts;
use super::web::{self, Web};
use crate::api::shortened;
use reqwest::header::CONTENT_TYPE;
use serde_json::json;

/// How many messages are one text.
pub const MOST: usize = 1000;
const MOST_LINES: usize = 20;
const MOST_CHARACTERS: usize = 3000;
/// Names have 253 characters at most, and those of namespaces 63.
const MOST_OF_HEAD: usize = 450;
/// What a container said is cut after so many characters.
const MOST_OF_WORDS: usize = 200;

/// A chat.
#[derive(Debug)]
pub struct SlackSink {
    config: Slack,
    web: Web,
}

impl SlackSink {
    /// Connects when there is something to say.
    pub fn new(config: Slack, timeouts: Timeouts) -> Self {
        Self {
            config,
            web: Web::new(timeouts),
        }
    }

    /// Sends one text, and returns when it is acknowledged.
    pub async fn deliver(&mut self, messages: &[Message]) -> Result<(), NotDelivered> {
        let url = web::address(&self.config.url).await?;
        let client = self.web.client(self.config.ca.as_deref()).await?;
        let body = json!({ "text": text(messages) }).to_string();
        let request = client.post(url.clone()).header(CONTENT_TYPE, "application/json").body(body);
        web::send(request, &url).await
    }
}

/// The text, within its limits.
fn text(messages: &[Message]) -> String {
    let digest = Digest::of(messages, MOST_LINES);
    let mut text = String::new();
    let mut hidden = digest.hidden;
    // Room for the last line.
    let mut left = MOST_CHARACTERS - 40;
    for line in &digest.lines {
        let shown = shown(line);
        let length = shown.chars().count() + 1;
        // A line that is too long hides none of the others.
        if length > left {
            hidden += line.count;
            continue;
        }
        left -= length;
        text.push_str(&shown);
        text.push('\n');
    }
    if hidden > 0 {
        text.push_str(&format!("and {hidden} more\n"));
    }
    text.truncate(text.trim_end().len());
    text
}

fn shown(line: &Line) -> String {
    let head = escaped(&shortened(line.head.clone(), MOST_OF_HEAD));
    let said: String = line
        .words
        .chars()
        .take(MOST_OF_WORDS)
        .map(|c| if c == '`' { '\'' } else { c })
        .collect();
    let cut = if line.words.chars().nth(MOST_OF_WORDS).is_some() {
        "…"
    } else {
        ""
    };
    match said.trim() {
        "" => head,
        said => format!("{head}: `{}{cut}`", escaped(said)),
    }
}

/// As <https://docs.slack.dev/messaging/formatting-message-text/#escaping> asks for.
fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

#[cfg(test)]
mod tests {
    use super::super::super::message::{Subject, What};
    use super::*;

    fn message(number: usize, text: &str) -> Message {
        Message {
            what: What::Failed,
            subject: Subject {
                namespace: "prod".into(),
                name: format!("report-{number}"),
                uid: number.to_string(),
            },
            id: number.to_string(),
            sequence: None,
            slots: 1,
            time: jiff::Timestamp::UNIX_EPOCH,
            is_repeat: false,
            reason: "JobFailed".into(),
            text: text.into(),
            run: None,
            lost: Vec::new(),
        }
    }

    #[test]
    fn a_container_mentions_nobody_and_makes_no_link() {
        let said = "<!channel> @here `<https://evil.example|click>`\n*&amp;*";
        let text = text(&[message(1, said)]);
        assert_eq!(
            text,
            "prod/report-1: run failed (JobFailed): `&lt;!channel&gt; @here '&lt;https://evil.example|click&gt;' *&amp;amp;*`"
        );
    }

    #[test]
    fn a_line_of_any_length_hides_no_other() {
        let long = Message {
            reason: "x".repeat(9000),
            ..message(1, "words")
        };
        let text = text(&[long, message(2, "")]);
        let lines: Vec<&str> = text.lines().collect();
        assert!(
            lines[0].starts_with("prod/report-1: run failed (xxx") && lines[0].chars().count() < MOST_OF_HEAD + 20,
            "{text}"
        );
        assert_eq!(lines[1..], ["prod/report-2: run failed (JobFailed)"]);
    }

    #[test]
    fn a_storm_is_a_short_text() {
        for said in ["", "short", "a\u{1b}[2J`<>&\n", &"<".repeat(5000)] {
            let messages: Vec<_> = (0..MOST).map(|number| message(number, said)).collect();
            let text = text(&messages);
            assert!(text.chars().count() <= MOST_CHARACTERS, "{}", text.chars().count());
            let lines: Vec<_> = text.lines().collect();
            assert!((2..=MOST_LINES + 1).contains(&lines.len()), "{text}");
            let hidden = MOST + 1 - lines.len();
            assert_eq!(lines.last(), Some(&format!("and {hidden} more").as_str()));
            assert!(lines.iter().all(|line| line.matches('`').count() % 2 == 0), "{text}");
        }
    }
}
