//! `punctual controller`: the operator as a process.
//!
//! Takes flags, runs until SIGTERM or SIGINT, then finishes what is in flight.

use crate::clock::Clock;
use crate::controller::{Controller, Options};
use crate::metrics::Metrics;
use crate::server;
use crate::telemetry::{self, LogFormat};
use anyhow::{Context, Result};
use kube::config::{KubeConfigOptions, Kubeconfig};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;
use tokio::signal::unix::{SignalKind, signal};

/// A connection that says nothing for this long is dead. Longer than a watch lasts.
const SILENCE: Duration = Duration::from_secs(60);

#[derive(clap::Args, Debug)]
pub struct Args {
    /// Kubeconfig file to use. Default: $KUBECONFIG, ~/.kube/config, or the pod's service account
    #[arg(long, value_name = "FILE")]
    kubeconfig: Option<PathBuf>,
    /// Context of the kubeconfig to use
    #[arg(long, value_name = "NAME")]
    context: Option<String>,
    /// Only look after tasks in this namespace. Default: all
    #[arg(short, long, value_name = "NAMESPACE")]
    namespace: Option<String>,
    /// Address of /livez, /readyz and /metrics; port 0 takes a free one and logs it
    #[arg(long, value_name = "ADDRESS", default_value = "0.0.0.0:8080")]
    metrics_addr: SocketAddr,
    /// How many tasks are worked on at once
    #[arg(long, value_name = "N", default_value_t = 64, value_parser = clap::value_parser!(u16).range(1..=1024))]
    workers: u16,
    /// How log lines look
    #[arg(long, value_enum, default_value_t)]
    log_format: LogFormat,
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
    let client = client(&args).await?;
    let options = Options {
        namespace: args.namespace,
        workers: args.workers.into(),
    };
    let controller = Controller::new(client, Clock::System, Metrics::new(), options);
    let listener = server::bind(args.metrics_addr)
        .await
        .with_context(|| format!("cannot listen on --metrics-addr {}", args.metrics_addr))?;
    tracing::info!(version = env!("CARGO_PKG_VERSION"), address = %listener.local_addr()?, "operator starts");
    let serving = tokio::spawn(server::serve(listener, controller.health()));
    let stop = async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
    };
    controller.run(stop).await;
    serving.abort();
    tracing::info!("operator leaves");
    Ok(())
}

async fn client(args: &Args) -> Result<kube::Client> {
    let options = KubeConfigOptions {
        context: args.context.clone(),
        ..KubeConfigOptions::default()
    };
    let mut config = match (&args.kubeconfig, &args.context) {
        (Some(path), _) => {
            let file = Kubeconfig::read_from(path).with_context(|| format!("cannot read --kubeconfig {}", path.display()))?;
            kube::Config::from_custom_kubeconfig(file, &options)
                .await
                .with_context(|| format!("--kubeconfig {}", path.display()))?
        }
        (None, Some(context)) => kube::Config::from_kubeconfig(&options)
            .await
            .with_context(|| format!("--context {context}"))?,
        (None, None) => kube::Config::infer()
            .await
            .context("no cluster: neither a kubeconfig nor a pod's service account was found; use --kubeconfig")?,
    };
    // Requests have deadlines and backoff of their own: the client's 15 silent retries would hide a POST's fate.
    config.default_retry = false;
    // Lists and watches have no deadline of their own; a watch ends by itself before this one.
    config.read_timeout = Some(SILENCE);
    config.reset_reader_on_write = true;
    kube::Client::try_from(config).context("cannot make a client from the kubeconfig")
}
