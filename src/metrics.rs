//! Every metric of the operator, in one place.
//!
//! Takes counts from the shell, gives Prometheus' text format. Never decides.

use prometheus::{Encoder, Histogram, HistogramOpts, IntCounter, IntCounterVec, IntGauge, Opts, Registry, TextEncoder};

/// The metrics. Cloning shares.
#[derive(Clone, Debug)]
pub struct Metrics {
    registry: Registry,
    /// `punctual_slots_total{outcome, reason}`: what became of slots.
    pub slots: IntCounterVec,
    /// `punctual_start_lateness_seconds`: from a slot to the answer that its Job was made.
    pub lateness: Histogram,
    /// `punctual_reconcile_errors_total{kind}`: looks at a task that ended with an error.
    pub reconcile_errors: IntCounterVec,
    /// `punctual_api_requests_total{verb}`: requests to the API server, watches left out.
    pub requests: IntCounterVec,
    /// `punctual_watch_errors_total{resource}`: interruptions of a watch.
    pub watch_errors: IntCounterVec,
    /// `punctual_quarantined_total{resource}`: objects on which the operator failed by a defect.
    pub quarantined: IntCounterVec,
    /// `punctual_events_dropped_total`: events that were not written.
    pub events_dropped: IntCounter,
    /// `punctual_leader`: 1 while this process may write, else 0.
    pub leader: IntGauge,
    tasks: IntGauge,
    jobs: IntGauge,
    queue_depth: IntGauge,
}

impl Metrics {
    /// Metrics in a registry of their own.
    ///
    /// # Panics
    /// Never: the names are fixed and differ.
    #[must_use]
    pub fn new() -> Self {
        let registry = Registry::new();
        let counters = |name: &str, help: &str, labels: &[&str]| {
            let counters = IntCounterVec::new(Opts::new(name, help), labels).expect("a fixed name");
            registry.register(Box::new(counters.clone())).expect("registered once");
            counters
        };
        let gauge = |name: &str, help: &str| {
            let gauge = IntGauge::new(name, help).expect("a fixed name");
            registry.register(Box::new(gauge.clone())).expect("registered once");
            gauge
        };
        let buckets = vec![
            0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 30.0, 60.0, 300.0, 3600.0, 86400.0,
        ];
        let lateness = HistogramOpts::new("punctual_start_lateness_seconds", "From a slot to the answer that its Job was made");
        let lateness = Histogram::with_opts(lateness.buckets(buckets)).expect("a fixed name");
        registry.register(Box::new(lateness.clone())).expect("registered once");
        let events_dropped = IntCounter::new("punctual_events_dropped_total", "Events that were not written").expect("a fixed name");
        registry.register(Box::new(events_dropped.clone())).expect("registered once");
        Self {
            slots: counters("punctual_slots_total", "What became of slots", &["outcome", "reason"]),
            reconcile_errors: counters(
                "punctual_reconcile_errors_total",
                "Looks at a task that ended with an error",
                &["kind"],
            ),
            requests: counters(
                "punctual_api_requests_total",
                "Requests to the API server, watches left out",
                &["verb"],
            ),
            watch_errors: counters("punctual_watch_errors_total", "Interruptions of a watch", &["resource"]),
            quarantined: counters(
                "punctual_quarantined_total",
                "Objects on which the operator failed by a defect",
                &["resource"],
            ),
            leader: gauge("punctual_leader", "1 while this process leads, that is: may write"),
            tasks: gauge("punctual_tasks", "Tasks that are known"),
            jobs: gauge("punctual_jobs", "Jobs that are known"),
            queue_depth: gauge("punctual_queue_depth", "Tasks whose time has come and that wait for a worker"),
            lateness,
            events_dropped,
            registry,
        }
    }

    /// The text that a scrape gets.
    #[must_use]
    pub fn render(&self, tasks: usize, jobs: usize, queue_depth: usize) -> String {
        for (gauge, value) in [(&self.tasks, tasks), (&self.jobs, jobs), (&self.queue_depth, queue_depth)] {
            gauge.set(i64::try_from(value).unwrap_or(i64::MAX));
        }
        let mut text = Vec::new();
        if let Err(error) = TextEncoder::new().encode(&self.registry.gather(), &mut text) {
            tracing::error!("metrics not rendered: {error}");
        }
        String::from_utf8_lossy(&text).into_owned()
    }
}

impl Default for Metrics {
    fn default() -> Self {
        Self::new()
    }
}
