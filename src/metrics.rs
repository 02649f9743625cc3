//! All Prometheus metrics of the operator.
//!
//! The controller counts; a scrape renders the text format. Those of each task are in `task_series`. Nothing here influences a decision.

mod task_series;

pub use task_series::{FAMILIES, Family, TaskSeries};

use prometheus::{
    Encoder, Histogram, HistogramOpts, HistogramVec, IntCounter, IntCounterVec, IntGauge, IntGaugeVec, Opts, Registry, TextEncoder,
};

/// The metrics. Cloning shares.
#[derive(Clone, Debug)]
pub struct Metrics {
    registry: Registry,
    /// `punctual_slots_total{outcome, reason}`: slots by outcome.
    pub slots: IntCounterVec,
    /// `punctual_start_lateness_seconds`: time from the slot to the response that confirms the Job's creation.
    pub lateness: Histogram,
    /// `punctual_run_duration_seconds{outcome}`: time from the creation of a run's first Job to the end of its last.
    pub run_duration: HistogramVec,
    /// `punctual_reconcile_errors_total{kind}`: reconciliations that failed.
    pub reconcile_errors: IntCounterVec,
    /// `punctual_api_requests_total{verb}`: requests to the API server, without watches.
    pub requests: IntCounterVec,
    /// `punctual_watch_errors_total{resource}`: interrupted watches.
    pub watch_errors: IntCounterVec,
    /// `punctual_watches_forbidden{resource}`: watches that the API server does not allow, one of each watched namespace.
    pub watches_forbidden: IntGaugeVec,
    /// `punctual_quarantined_total{resource}`: objects that were set aside after a panic.
    pub quarantined: IntCounterVec,
    /// `punctual_events_dropped_total`: events that were dropped (rate limit or write errors).
    pub events_dropped: IntCounter,
    /// `punctual_claims_log_bytes_total`: bytes of the claims log that were written.
    pub claims_log_bytes: IntCounter,
    /// `punctual_notifications_total{sink, result}`: messages that a sink acknowledged (delivered) or will never take (dropped).
    pub notifications: IntCounterVec,
    /// `punctual_notification_failures_total{sink}`: deliveries that failed and are made again.
    pub notification_failures: IntCounterVec,
    /// `punctual_notification_tasks_waiting{sink}`: tasks of which the sink may not know everything yet.
    pub notification_tasks_waiting: IntGaugeVec,
    /// `punctual_notification_config_errors`: mistakes in the configuration of notifications.
    pub notification_config_errors: IntGauge,
    /// `punctual_leader`: 1 while this replica is the leader, else 0.
    pub leader: IntGauge,
    /// `punctual_task_metrics_left_out`: tasks that are above the limit of the metrics of tasks.
    pub task_metrics_left_out: IntGauge,
    tasks: IntGauge,
    jobs: IntGauge,
    queue_depth: IntGauge,
}

impl Metrics {
    /// Creates the metrics in a registry of their own.
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
        let forbidden = Opts::new(
            "punctual_watches_forbidden",
            "Watches that the API server does not allow, one of each watched namespace",
        );
        let watches_forbidden = IntGaugeVec::new(forbidden, &["resource"]).expect("a fixed name");
        registry.register(Box::new(watches_forbidden.clone())).expect("registered once");
        let waiting = Opts::new(
            "punctual_notification_tasks_waiting",
            "Tasks of which the sink may not know everything yet",
        );
        let notification_tasks_waiting = IntGaugeVec::new(waiting, &["sink"]).expect("a fixed name");
        registry
            .register(Box::new(notification_tasks_waiting.clone()))
            .expect("registered once");
        let buckets = vec![
            0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 30.0, 60.0, 300.0, 3600.0, 86400.0,
        ];
        let lateness = HistogramOpts::new(
            "punctual_start_lateness_seconds",
            "Time from the slot to the response that confirms the Job's creation",
        );
        let lateness = Histogram::with_opts(lateness.buckets(buckets)).expect("a fixed name");
        registry.register(Box::new(lateness.clone())).expect("registered once");
        let durations = HistogramOpts::new(
            "punctual_run_duration_seconds",
            "Time from the creation of a run's first Job to the end of its last, of runs that succeeded or failed",
        );
        let buckets = vec![1.0, 5.0, 15.0, 60.0, 300.0, 900.0, 3600.0, 14_400.0, 86_400.0];
        let run_duration = HistogramVec::new(durations.buckets(buckets), &["outcome"]).expect("a fixed name");
        registry.register(Box::new(run_duration.clone())).expect("registered once");
        // From the start: a series that appears with its first observation has no increase.
        for outcome in ["Succeeded", "Failed"] {
            run_duration.with_label_values(&[outcome]);
        }
        let events_dropped = IntCounter::new(
            "punctual_events_dropped_total",
            "Events that were dropped (rate limit or write errors)",
        )
        .expect("a fixed name");
        registry.register(Box::new(events_dropped.clone())).expect("registered once");
        let claims_log_bytes =
            IntCounter::new("punctual_claims_log_bytes_total", "Bytes of the claims log that were written").expect("a fixed name");
        registry.register(Box::new(claims_log_bytes.clone())).expect("registered once");
        Self {
            slots: counters("punctual_slots_total", "Slots by outcome and reason", &["outcome", "reason"]),
            reconcile_errors: counters("punctual_reconcile_errors_total", "Reconciliations that failed", &["kind"]),
            requests: counters(
                "punctual_api_requests_total",
                "Requests to the API server, without watches",
                &["verb"],
            ),
            watch_errors: counters("punctual_watch_errors_total", "Interrupted watches", &["resource"]),
            quarantined: counters(
                "punctual_quarantined_total",
                "Objects that were set aside after a panic (a bug in the operator)",
                &["resource"],
            ),
            notifications: counters(
                "punctual_notifications_total",
                "Notifications by sink, delivered or dropped (the receiver will never take them)",
                &["sink", "result"],
            ),
            notification_failures: counters(
                "punctual_notification_failures_total",
                "Deliveries to a sink that failed; they are made again",
                &["sink"],
            ),
            notification_tasks_waiting,
            notification_config_errors: gauge(
                "punctual_notification_config_errors",
                "Mistakes in the configuration of notifications; the log names them",
            ),
            leader: gauge("punctual_leader", "1 while this replica is the leader and may write, else 0"),
            task_metrics_left_out: gauge(
                "punctual_task_metrics_left_out",
                "Tasks without metrics of their own, because there are more than --task-metrics-limit",
            ),
            tasks: gauge("punctual_tasks", "ScheduledTasks in the cache"),
            jobs: gauge("punctual_jobs", "Jobs in the cache"),
            queue_depth: gauge("punctual_queue_depth", "Tasks that are due and wait for a worker"),
            watches_forbidden,
            lateness,
            run_duration,
            events_dropped,
            claims_log_bytes,
            registry,
        }
    }

    /// Renders the text format for a scrape.
    #[must_use]
    pub fn render(&self, tasks: usize, jobs: usize, queue_depth: usize) -> String {
        for (gauge, value) in [(&self.tasks, tasks), (&self.jobs, jobs), (&self.queue_depth, queue_depth)] {
            gauge.set(i64::try_from(value).unwrap_or(i64::MAX));
        }
        let mut text = Vec::new();
        if let Err(error) = TextEncoder::new().encode(&self.registry.gather(), &mut text) {
            tracing::error!("failed to render metrics: {error}");
        }
        String::from_utf8_lossy(&text).into_owned()
    }
}

impl Default for Metrics {
    fn default() -> Self {
        Self::new()
    }
}
