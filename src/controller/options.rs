//! How the operator is run: what its flags say.

use super::config_map::ConfigMapRef;
use super::lease::LeaderElectionConfig;
use crate::notify::TraceEnv;
use std::path::PathBuf;

/// The metrics of so many tasks are shown by default.
pub const TASK_METRICS: usize = 20_000;

/// How the operator is run.
#[derive(Clone, Debug)]
pub struct Options {
    /// Only these namespaces; all of them, if there are none.
    pub namespaces: Vec<String>,
    /// How replicas agree on a leader; without, this process leads.
    pub leader_election: Option<LeaderElectionConfig>,
    /// Where decisions to start are made durable.
    pub claims_log: ConfigMapRef,
    /// How many requests are on their way at once: as many connections to the API server.
    pub workers: usize,
    /// The metrics of so many tasks are shown; of none, if there is no limit.
    pub task_metrics: Option<usize>,
    /// Who is told outside of the cluster, if anybody.
    pub notifications: Option<NotificationOptions>,
}

/// Where notifications are configured.
#[derive(Clone, Debug)]
pub struct NotificationOptions {
    /// The administrator's file, if there is one.
    pub file: Option<PathBuf>,
    /// How an OpenTelemetry collector gets the traces of slots, if it does.
    pub traces: Option<TraceEnv>,
    /// The ConfigMap that says what each sink was told, beside the claims log.
    pub book: String,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            namespaces: Vec::new(),
            leader_election: None,
            claims_log: ConfigMapRef {
                namespace: "punctual-system".into(),
                name: "punctual-claims".into(),
            },
            workers: 64,
            task_metrics: Some(TASK_METRICS),
            notifications: None,
        }
    }
}
