//! `punctual controller`: runs the operator until SIGTERM or SIGINT, then finishes the requests in flight.

use super::cluster::Access;
use crate::clock::Clock;
use crate::controller::{
    ConfigMapRef, Controller, LeaderElectionConfig, NotificationOptions, Options, RELOAD_PERIOD, TASK_METRICS, identity_of, reloading,
};
use crate::metrics::Metrics;
use crate::notify::TraceEnv;
use crate::server;
use crate::telemetry::{self, LogFormat};
use anyhow::{Context, Result};
use kube::core::Duration;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;
use tokio::signal::unix::{SignalKind, signal};

#[derive(clap::Args, Debug)]
pub struct Args {
    #[command(flatten)]
    pub access: Access,
    /// Namespaces whose tasks are reconciled. Default: all
    #[arg(long, value_name = "NAMESPACES", value_delimiter = ',')]
    watch_namespaces: Vec<String>,
    /// Address of /livez, /readyz and /metrics. Port 0 selects a free port, which is logged
    #[arg(long, value_name = "ADDRESS", default_value = "0.0.0.0:8080")]
    metrics_addr: SocketAddr,
    /// Serve metrics of each task. They contain names of tasks and namespaces, and schedules
    #[arg(long, num_args = 0..=1, require_equals = true, default_value_t = true, default_missing_value = "true", hide_possible_values = true, value_name = "BOOL", action = clap::ArgAction::Set)]
    task_metrics: bool,
    /// Number of tasks that have metrics of their own. Where there are more, the namespaces with most tasks give way
    #[arg(long, value_name = "N", default_value_t = TASK_METRICS)]
    task_metrics_limit: usize,
    /// Number of tasks that are reconciled concurrently
    #[arg(long, value_name = "N", default_value_t = 64, value_parser = clap::value_parser!(u16).range(1..=1024))]
    workers: u16,
    /// File that says who is told of outcomes outside of the cluster: docs/notifications.md. It is read again when it changes
    #[arg(long, value_name = "FILE")]
    notifications: Option<PathBuf>,
    /// Format of log lines
    #[arg(long, value_enum, default_value_t)]
    log_format: LogFormat,
    #[command(flatten)]
    election: Election,
}

/// Flags of leader election, as in Kubernetes' controllers.
#[derive(clap::Args, Debug)]
#[command(next_help_heading = "Leader election")]
struct Election {
    /// Elect one of several replicas as leader by a Lease. The others are on standby
    #[arg(long, num_args = 0..=1, require_equals = true, default_value_t = false, default_missing_value = "true", hide_possible_values = true, value_name = "BOOL", action = clap::ArgAction::Set)]
    leader_elect: bool,
    /// How long other replicas wait for a lease that is not renewed
    #[arg(long, value_name = "DURATION", default_value = "15s")]
    leader_elect_lease_duration: Duration,
    /// How long the leader tries to renew its lease before it stops writing; shorter than the lease duration
    #[arg(long, value_name = "DURATION", default_value = "10s")]
    leader_elect_renew_deadline: Duration,
    /// How long to wait between attempts to acquire or renew the lease
    #[arg(long, value_name = "DURATION", default_value = "2s")]
    leader_elect_retry_period: Duration,
    /// Name of the Lease; with -claims behind it, of the ConfigMap that is the claims log
    #[arg(long, value_name = "NAME", default_value = "punctual")]
    leader_elect_resource_name: String,
    /// Namespace of both. Default: $POD_NAMESPACE, or punctual-system
    #[arg(
        long,
        value_name = "NAMESPACE",
        env = "POD_NAMESPACE",
        default_value = "punctual-system",
        hide_env = true
    )]
    leader_elect_resource_namespace: String,
    /// Identity of this process. Default: $POD_NAME, or a name made of host and process
    #[arg(long, value_name = "NAME", env = "POD_NAME", hide_env = true)]
    leader_elect_identity: Option<String>,
}

impl Election {
    /// It stands beside the Lease, also where there is none.
    fn claims_log(&self) -> ConfigMapRef {
        ConfigMapRef {
            namespace: self.leader_elect_resource_namespace.clone(),
            name: format!("{}-claims", self.leader_elect_resource_name),
        }
    }

    /// As does what notifications told.
    fn book(&self) -> String {
        format!("{}-told", self.leader_elect_resource_name)
    }

    fn terms(self) -> Result<Option<LeaderElectionConfig>> {
        if !self.leader_elect {
            return Ok(None);
        }
        let own = || {
            let host = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_else(|_| "unknown".into());
            identity_of(host.trim(), std::process::id(), Clock::System.now())
        };
        let terms = LeaderElectionConfig {
            identity: self.leader_elect_identity.unwrap_or_else(own),
            name: self.leader_elect_resource_name,
            namespace: self.leader_elect_resource_namespace,
            lease_duration: self.leader_elect_lease_duration.into(),
            renew_deadline: self.leader_elect_renew_deadline.into(),
            retry_period: self.leader_elect_retry_period.into(),
        };
        terms.check().map_err(|wrong| anyhow::anyhow!("leader election: {wrong}"))?;
        Ok(Some(terms))
    }
}

pub fn run(args: Args) -> Result<ExitCode> {
    telemetry::init(args.log_format);
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .context("cannot start the runtime")?;
    runtime.block_on(operate(args))?;
    Ok(ExitCode::SUCCESS)
}

async fn operate(args: Args) -> Result<()> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    let access = args.access;
    let traces = TraceEnv::read(|name| std::env::var(name).ok()).map_err(|wrong| anyhow::anyhow!("traces: {wrong}"))?;
    let book = args.election.book();
    let claims_log = args.election.claims_log();
    let leader_election = args.election.terms()?;
    let in_flight = leader_election.as_ref().map(LeaderElectionConfig::margin);
    let client = reloading(move || access.client(in_flight), RELOAD_PERIOD, Clock::System)?;
    let options = Options {
        notifications: (args.notifications.is_some() || traces.is_some()).then_some(NotificationOptions {
            file: args.notifications,
            traces,
            book,
        }),
        namespaces: args.watch_namespaces,
        claims_log,
        leader_election,
        workers: args.workers.into(),
        task_metrics: args.task_metrics.then_some(args.task_metrics_limit),
    };
    let controller = Controller::new(client, Clock::System, Metrics::new(), options);
    let listener = server::bind(args.metrics_addr)
        .await
        .with_context(|| format!("cannot listen on --metrics-addr {}", args.metrics_addr))?;
    tracing::info!(version = env!("CARGO_PKG_VERSION"), address = %listener.local_addr()?, "operator started");
    let serving = tokio::spawn(server::serve(listener, controller.health()));
    let stop = async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
    };
    let ended = controller.run(stop).await;
    serving.abort();
    tracing::info!("operator stopped");
    Ok(ended?)
}
