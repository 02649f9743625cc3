//! What is said about a task while its plan is made.
//!
//! Each announcement becomes a log line, an event and a metric once the status that it speaks of is written. Nothing is counted here.

use super::accounting::Ledger;
use super::durations::run_seconds;
use super::records::{End, sentence};
use super::run::Run;
use super::seconds::whole_second;
use super::text::short;
use super::{Announcement, Outcome, Reason, SlotRange};
use crate::api::RefusedRequest;
use jiff::Timestamp;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;

impl Ledger {
    /// A request was not carried out: recorded in the status, for an event is gone after an hour.
    pub fn refuse_request(&mut self, annotation: &str, value: &str, now: Timestamp, message: String) {
        self.status.last_refused_request = Some(RefusedRequest {
            annotation: annotation.into(),
            value: short(value),
            at: Time(whole_second(now)),
            message: short(&message),
        });
        self.say(Outcome::Refused, Reason::RequestRefused, now, message);
    }

    /// Announces what concerns no slot.
    pub fn say(&mut self, outcome: Outcome, reason: Reason, now: Timestamp, message: String) {
        self.announce(outcome, reason, now, 0, message);
        self.urgent = true;
    }

    /// Announces what happened to slots.
    pub fn announce(&mut self, outcome: Outcome, reason: Reason, slot: Timestamp, slots: u64, message: String) {
        self.announcements.push(Announcement {
            outcome,
            reason,
            slot,
            first: slot,
            slots,
            run_seconds: None,
            message: short(&message),
        });
    }

    /// Announces the end of a run, and how long one that succeeded or failed took.
    pub fn announce_end(&mut self, run: &Run, outcome: Outcome, reason: Reason, end: &End) {
        self.announce(outcome, reason, run.slot, 1, sentence(run, outcome, end));
        if let Some(last) = self.announcements.last_mut() {
            let is_measured = matches!(outcome, Outcome::Succeeded | Outcome::Failed);
            last.run_seconds = run_seconds(run, end).filter(|_| is_measured);
        }
    }

    /// Ranges that follow each other with the same outcome are one announcement.
    pub fn announce_range(&mut self, outcome: Outcome, range: &SlotRange, message: &str) {
        if let Some(last) = self.announcements.last_mut()
            && (last.outcome, last.reason) == (outcome, range.reason)
            && last.slots > 0
            && last.slot < range.first
        {
            let all = SlotRange {
                reason: range.reason,
                first: last.first,
                last: range.last,
                slots: last.slots + range.slots,
            };
            let why = message.strip_prefix(&range.to_string()).unwrap_or_default();
            last.message = short(&format!("{all}{why}"));
            (last.slot, last.slots) = (all.last, all.slots);
            return;
        }
        self.announce(outcome, range.reason, range.last, range.slots, message.to_owned());
        if let Some(last) = self.announcements.last_mut() {
            last.first = range.first;
        }
    }
}
