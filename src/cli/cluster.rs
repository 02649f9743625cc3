//! The cluster that a command speaks to, chosen as kubectl chooses it, and its errors in kubectl's words.
//!
//! Takes flags, gives a client with its namespace. Never retries: a person waits, and can ask again.

use super::output;
use crate::api::{GROUP, ScheduledTask};
use anyhow::{Context, Result};
use kube::api::{Api, DynamicObject, ListParams};
use kube::config::{KubeConfigOptions, Kubeconfig};
use kube::core::ApiResource;
use serde_json::Value;
use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

/// A connection that says nothing for this long is dead. Longer than a watch lasts.
const SILENCE: Duration = Duration::from_secs(60);
/// So many objects are asked for at once, as kubectl does.
const PAGE: u32 = 500;

/// Which cluster.
#[derive(clap::Args, Debug)]
pub struct Access {
    /// Kubeconfig file to use. Default: $KUBECONFIG, ~/.kube/config, or the pod's service account
    #[arg(long, value_name = "FILE")]
    kubeconfig: Option<PathBuf>,
    /// Context of the kubeconfig to use
    #[arg(long, value_name = "NAME")]
    context: Option<String>,
}

/// Which cluster, and which namespace of it.
#[derive(clap::Args, Debug)]
pub struct Target {
    #[command(flatten)]
    access: Access,
    /// Namespace of the tasks. Default: that of the context
    #[arg(short, long, value_name = "NAMESPACE")]
    namespace: Option<String>,
}

/// A cluster, and the namespace in which tasks are looked for.
pub struct Cluster {
    client: kube::Client,
    server: String,
    pub namespace: String,
}

/// A whole line for standard error, where `error:` is not what kubectl would put before it.
#[derive(Debug)]
pub struct Said(pub String);

impl fmt::Display for Said {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Said {}

/// Runs a command that speaks to a cluster.
pub fn block_on<T>(work: impl Future<Output = Result<T>>) -> Result<T> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .context("cannot start the runtime")?;
    runtime.block_on(work)
}

impl Access {
    /// What the flags, or the surroundings, say of the cluster.
    pub async fn config(&self) -> Result<kube::Config> {
        let options = KubeConfigOptions {
            context: self.context.clone(),
            ..KubeConfigOptions::default()
        };
        let mut config = match (&self.kubeconfig, &self.context) {
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
        // Requests have deadlines of their own: the client's 15 silent retries would hide a POST's fate.
        config.default_retry = false;
        // Lists and watches have none; a watch ends by itself before this one.
        config.read_timeout = Some(SILENCE);
        config.reset_reader_on_write = true;
        Ok(config)
    }
}

impl Target {
    /// A client for that cluster.
    pub async fn connect(&self) -> Result<Cluster> {
        let config = self.access.config().await?;
        let namespace = self.namespace.clone().unwrap_or_else(|| config.default_namespace.clone());
        let server = config.cluster_url.to_string().trim_end_matches('/').to_owned();
        let client = kube::Client::try_from(config).context("cannot make a client from the kubeconfig")?;
        Ok(Cluster { client, server, namespace })
    }
}

impl Cluster {
    /// The tasks of the namespace, as raw as the API server has them: one that cannot be read harms no other.
    pub fn tasks(&self) -> Api<DynamicObject> {
        Api::namespaced_with(self.client.clone(), &self.namespace, &resource())
    }

    /// All tasks of the namespace, or of all namespaces, that a selector selects.
    pub async fn list(&self, everywhere: bool, selector: Option<&str>) -> Result<Vec<Value>> {
        let tasks = if everywhere {
            Api::all_with(self.client.clone(), &resource())
        } else {
            self.tasks()
        };
        let mut params = ListParams::default().limit(PAGE);
        params.label_selector = selector.map(str::to_owned);
        let mut objects = Vec::new();
        loop {
            let page = tasks.list(&params).await.map_err(|error| self.said(error))?;
            for object in page.items {
                objects.push(as_kubectl_shows(object)?);
            }
            match page.metadata.continue_.filter(|token| !token.is_empty()) {
                Some(token) => params.continue_token = Some(token),
                None => return Ok(objects),
            }
        }
    }

    /// What kubectl says of an error.
    pub fn said(&self, error: kube::Error) -> anyhow::Error {
        let line = match error {
            kube::Error::Api(status) => match (status.code, status.reason.as_str()) {
                (404, "Failed to parse error data") => {
                    let hint = "install it with: punctual crd | kubectl apply --server-side -f -";
                    format!("error: the server doesn't have a resource type \"scheduledtasks\" in group {GROUP:?}; {hint}")
                }
                (401, _) => "error: You must be logged in to the server (Unauthorized)".to_owned(),
                (_, "") => format!("Error from server: {}", status.message),
                (_, reason) => format!("Error from server ({reason}): {}", status.message),
            },
            kube::Error::Service(error) => {
                let mut cause: &dyn std::error::Error = error.as_ref();
                while let Some(deeper) = cause.source() {
                    cause = deeper;
                }
                format!("Unable to connect to the server {}: {cause}", self.server)
            }
            other => format!("error: {other}"),
        };
        anyhow::Error::new(Said(line))
    }
}

fn resource() -> ApiResource {
    ApiResource::erase::<ScheduledTask>(&())
}

/// The object as JSON, without what kubectl hides.
pub fn as_kubectl_shows(mut object: DynamicObject) -> Result<Value> {
    object.metadata.managed_fields = None;
    Ok(serde_json::to_value(object)?)
}

/// A task as people name it: `nightly`, `stask/nightly`, `scheduledtask.punctual.dev/nightly`.
pub fn bare_name(argument: &str) -> &str {
    let (kind, name) = argument.split_once('/').unwrap_or(("", argument));
    let kind = kind.strip_suffix(&format!(".{GROUP}")).unwrap_or(kind);
    match kind {
        "scheduledtask" | "scheduledtasks" | "stask" => name,
        _ => argument,
    }
}

/// How kubectl names an object after it did something to it.
pub fn full_name(name: &str) -> String {
    format!("scheduledtask.{GROUP}/{name}")
}

/// Writes a line to standard error: kubectl's, or one that begins with `error:`.
pub fn complain(error: &anyhow::Error) {
    match error.downcast_ref::<Said>() {
        Some(Said(line)) => output::complain(line),
        None => output::complain(&format!("error: {error:#}")),
    }
}
