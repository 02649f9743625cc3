//! An outcome as spans: one trace for each slot.
//!
//! ```text
//! RUN nightly        slot ─────────────────────────────► end of the run
//!   WAIT             slot ──────► first Job
//!   JOB nightly-…                 first Job ───────────► end of the run
//! ```
//!
//! A message goes in, spans come out; the same message gives the same spans again, with the same ids. Names of attributes are those of
//! <https://opentelemetry.io/docs/specs/semconv/> where there is one, and begin with `punctual.` where there is none.

use super::message::{Message, What};
use super::position::FINAL;
use crate::api::RunRecord;
use crate::plan::{TraceIds, is_plain_name};
use jiff::Timestamp;
use opentelemetry::trace::{SpanContext, SpanId, SpanKind, Status, TraceFlags, TraceId, TraceState};
use opentelemetry::{InstrumentationScope, KeyValue};
use opentelemetry_sdk::trace::{SpanData, SpanEvents, SpanLinks};

/// The spans of an outcome; none of what is about no slot.
#[must_use]
pub fn spans(message: &Message) -> Vec<SpanData> {
    let Some(run) = message.run.as_ref().filter(|_| FINAL.contains(&message.what)) else {
        return Vec::new();
    };
    let (ids, slot) = (TraceIds::of(&message.subject.uid, run.slot.0), run.slot.0);
    let started = run.started.as_ref().map(|at| at.0);
    let end = run.finished.as_ref().map(|at| at.0).or(started).unwrap_or(slot);
    let failed = matches!(message.what, What::Failed | What::Missed);
    let status = || match failed {
        true => Status::error(format!("{}: {}", message.reason, message.text)),
        false => Status::Unset,
    };
    let trace = Trace { ids, message };
    let mut spans = vec![trace.span(ids.slot, None, format!("RUN {}", message.subject.name), (slot, end), status())];
    if let Some(slot_span) = spans.first_mut() {
        slot_span.attributes.extend(about_the_slot(message, run));
    }
    if let Some(started) = started {
        spans.push(trace.span(ids.wait, Some(ids.slot), "WAIT".into(), (slot, started), Status::Unset));
        let name = job_of(run).map_or_else(|| "JOB".to_owned(), |job| format!("JOB {job}"));
        let mut job = trace.span(ids.run, Some(ids.slot), name, (started, end), status());
        job.attributes.extend(about_the_job(message, run));
        spans.push(job);
    }
    spans
}

struct Trace<'a> {
    ids: TraceIds,
    message: &'a Message,
}

impl Trace<'_> {
    fn span(&self, id: u64, parent: Option<u64>, name: String, (from, until): (Timestamp, Timestamp), status: Status) -> SpanData {
        let subject = &self.message.subject;
        SpanData {
            span_context: SpanContext::new(
                TraceId::from(self.ids.trace),
                SpanId::from(id),
                TraceFlags::SAMPLED,
                false,
                TraceState::default(),
            ),
            parent_span_id: parent.map_or(SpanId::INVALID, SpanId::from),
            parent_span_is_remote: false,
            span_kind: SpanKind::Internal,
            name: name.into(),
            start_time: from.into(),
            // A clock that was set back gives no span that ends before it begins.
            end_time: until.max(from).into(),
            attributes: vec![
                KeyValue::new("k8s.namespace.name", subject.namespace.clone()),
                KeyValue::new("punctual.scheduledtask.name", subject.name.clone()),
                KeyValue::new("punctual.scheduledtask.uid", subject.uid.clone()),
            ],
            dropped_attributes_count: 0,
            events: SpanEvents::default(),
            links: SpanLinks::default(),
            status,
            instrumentation_scope: InstrumentationScope::builder("punctual")
                .with_version(env!("CARGO_PKG_VERSION"))
                .build(),
        }
    }
}

fn about_the_slot(message: &Message, run: &RunRecord) -> Vec<KeyValue> {
    // https://opentelemetry.io/docs/specs/semconv/registry/attributes/cicd/
    let result = match message.what {
        What::Succeeded => "success",
        What::Failed => "failure",
        What::Cancelled => "cancellation",
        _ => "skip",
    };
    let mut all = vec![
        KeyValue::new("cicd.pipeline.name", message.subject.name.clone()),
        KeyValue::new("cicd.pipeline.run.id", message.id.clone()),
        KeyValue::new("cicd.pipeline.result", result),
        KeyValue::new("punctual.slot", run.slot.0.to_string()),
        KeyValue::new("punctual.slots", run.slots),
        KeyValue::new("punctual.trigger", run.trigger.as_str()),
        KeyValue::new("punctual.outcome", message.what.as_str()),
        KeyValue::new("punctual.reason", message.reason.clone()),
    ];
    all.extend(
        run.first_slot
            .as_ref()
            .map(|first| KeyValue::new("punctual.first_slot", first.0.to_string())),
    );
    all
}

/// A name that no Job can have, which only somebody who writes a status could bring about, is not shown.
fn job_of(run: &RunRecord) -> Option<&str> {
    run.job.as_deref().filter(|job| is_plain_name(job))
}

fn about_the_job(message: &Message, run: &RunRecord) -> Vec<KeyValue> {
    let mut all = vec![KeyValue::new("punctual.attempts", i64::from(run.attempts))];
    all.extend(job_of(run).map(|job| KeyValue::new("k8s.job.name", job.to_owned())));
    all.extend(run.exit_code.map(|code| KeyValue::new("process.exit.code", i64::from(code))));
    if message.what == What::Failed {
        all.push(KeyValue::new("error.type", message.reason.clone()));
    }
    all
}
