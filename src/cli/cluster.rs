//! Connects to the cluster that flags and kubeconfig select, as kubectl does, and reports errors in kubectl's words.
//!
//! Requests are not retried: a person waits, and can repeat the command.

pub use super::argument::bare_name;

use super::{argument, kubeconfig, output};
use crate::api::{GROUP, ScheduledTask};
use crate::clock::Clock;
use crate::controller::{LoadedClient, connect};
use anyhow::{Context, Result};
use jiff::Timestamp;
use kube::api::{Api, DynamicObject, ListParams};
use kube::core::ApiResource;
use serde_json::Value;
use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

/// The timeout for reading from a connection, longer than a watch.
const READ_TIMEOUT: Duration = Duration::from_secs(60);
/// How many objects a list request asks for, as in kubectl.
const PAGE: u32 = 500;

/// Flags that select the cluster.
#[derive(clap::Args, Clone, Debug, Default)]
pub struct Access {
    /// Kubeconfig file to use. Default: $KUBECONFIG, ~/.kube/config, or the pod's service account
    #[arg(long, value_name = "FILE")]
    kubeconfig: Option<PathBuf>,
    /// Context of the kubeconfig to use
    #[arg(long, value_name = "NAME")]
    context: Option<String>,
}

/// Flags that select the cluster and the namespace.
#[derive(clap::Args, Clone, Debug, Default)]
pub struct Target {
    #[command(flatten)]
    access: Access,
    /// Namespace of the tasks. Default: the namespace of the context
    #[arg(short, long, value_name = "NAMESPACE")]
    namespace: Option<String>,
}

/// A client of the cluster, and the namespace of the tasks.
pub struct Cluster {
    client: kube::Client,
    server: String,
    context: Option<String>,
    token_expires: Option<Timestamp>,
    pub namespace: String,
}

/// A line for standard error that does not begin with `error:`, as kubectl words it.
#[derive(Debug)]
pub struct CliError(pub String);

impl fmt::Display for CliError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for CliError {}

/// Runs a command that makes requests to a cluster.
pub fn block_on<T>(work: impl Future<Output = Result<T>>) -> Result<T> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .context("cannot start the runtime")?;
    runtime.block_on(work)
}

impl Access {
    /// The operator's client by flags, environment and kubeconfig, and the files that it was built from. What is sent and not received
    /// `in_flight` later is given up.
    pub fn client(&self, in_flight: Option<Duration>) -> Result<LoadedClient> {
        let kubeconfig::Loaded { config, files, .. } = self.load()?;
        let client = connect(config, in_flight).context("cannot create a client from the kubeconfig")?;
        Ok(LoadedClient { client, files })
    }

    /// These flags; those before the command apply where they are absent.
    pub fn or(&mut self, before: &Self) {
        self.kubeconfig = self.kubeconfig.take().or_else(|| before.kubeconfig.clone());
        self.context = self.context.take().or_else(|| before.context.clone());
    }

    fn load(&self) -> Result<kubeconfig::Loaded> {
        let mut loaded = kubeconfig::load(self.kubeconfig.as_deref(), self.context.as_deref())?;
        // The client's 15 silent retries would hide whether a POST succeeded; requests have deadlines of their own.
        loaded.config.default_retry = false;
        // Lists and watches have no deadline; a watch ends before this timeout.
        loaded.config.read_timeout = Some(READ_TIMEOUT);
        loaded.config.reset_reader_on_write = true;
        Ok(loaded)
    }
}

impl Target {
    /// These flags; those before the command apply where they are absent.
    pub fn or(&mut self, before: &Self) {
        self.access.or(&before.access);
        self.namespace = self.namespace.take().or_else(|| before.namespace.clone());
    }

    /// The flags without the namespace.
    pub fn access(&self) -> &Access {
        &self.access
    }

    /// A flag that is set, as it is written.
    pub fn flag(&self) -> Option<&'static str> {
        let flags = [
            ("--namespace", self.namespace.is_some()),
            ("--context", self.access.context.is_some()),
            ("--kubeconfig", self.access.kubeconfig.is_some()),
        ];
        flags.into_iter().find(|(_, is_set)| *is_set).map(|(flag, _)| flag)
    }

    /// Creates the client.
    pub async fn connect(&self) -> Result<Cluster> {
        let kubeconfig::Loaded {
            config,
            token_expires,
            context,
            ..
        } = self.access.load()?;
        let namespace = self.namespace.clone().unwrap_or_else(|| config.default_namespace.clone());
        let server = config.cluster_url.to_string().trim_end_matches('/').to_owned();
        let client = kube::Client::try_from(config).context("cannot create a client from the kubeconfig")?;
        Ok(Cluster {
            client,
            server,
            context,
            namespace,
            token_expires,
        })
    }
}

impl Cluster {
    /// The tasks of the namespace as untyped objects, so that an invalid one does not affect the others.
    pub fn tasks(&self) -> Api<DynamicObject> {
        Api::namespaced_with(self.client.clone(), &self.namespace, &resource())
    }

    /// The tasks of the namespace, or of all namespaces.
    pub fn tasks_of(&self, everywhere: bool) -> Api<DynamicObject> {
        match everywhere {
            true => Api::all_with(self.client.clone(), &resource()),
            false => self.tasks(),
        }
    }

    /// The client, for other kinds of objects.
    pub fn client(&self) -> kube::Client {
        self.client.clone()
    }

    /// A task.
    ///
    /// # Errors
    /// When it cannot be read.
    pub async fn task(&self, name: &str) -> Result<Value> {
        let object = self.tasks().get(name).await;
        as_kubectl_shows(object.map_err(|error| self.error(error))?)
    }

    /// All tasks of the namespace, or of all namespaces, that match a selector.
    pub async fn list(&self, everywhere: bool, selector: Option<&str>) -> Result<Vec<Value>> {
        let tasks = self.tasks_of(everywhere);
        let mut params = ListParams::default().limit(PAGE);
        params.label_selector = selector.map(str::to_owned);
        let mut objects = Vec::new();
        loop {
            let page = tasks.list(&params).await.map_err(|error| self.error(error))?;
            for object in page.items {
                objects.push(as_kubectl_shows(object)?);
            }
            match page.metadata.continue_.filter(|token| !token.is_empty()) {
                Some(token) => params.continue_token = Some(token),
                None => return Ok(objects),
            }
        }
    }

    /// The error in the words of kubectl.
    pub fn error(&self, error: kube::Error) -> anyhow::Error {
        let line = match error {
            kube::Error::Api(status) => match (status.code, status.reason.as_str()) {
                (404, "Failed to parse error data") => {
                    let cluster = match &self.context {
                        Some(context) => format!("context {context}"),
                        None => self.server.clone(),
                    };
                    format!(
                        "error: Punctual is not installed in this cluster ({cluster}): install it with Helm (see docs/install.md), or select another cluster with --context"
                    )
                }
                (401, _) => {
                    let expired = self.token_expires.filter(|at| *at <= Clock::System.now());
                    let fix = expired.map(|at| {
                        format!(": the id-token in the kubeconfig expired at {at}: run kubectl once to refresh it, or use an exec plugin such as kubelogin")
                    });
                    format!(
                        "error: You must be logged in to the server (Unauthorized){}",
                        fix.unwrap_or_default()
                    )
                }
                (404, "NotFound") if status.details.as_ref().is_some_and(|of| argument::is_file(&of.name)) => {
                    format!(
                        "Error from server (NotFound): {}: expected the name of a task, not a file: use its metadata.name",
                        status.message
                    )
                }
                (_, "") => format!("Error from server: {}", status.message),
                (_, reason) => format!("Error from server ({reason}): {}", status.message),
            },
            kube::Error::Service(error) => {
                let mut cause: &dyn std::error::Error = error.as_ref();
                while let Some(deeper) = cause.source() {
                    cause = deeper;
                }
                let cause = cause.to_string();
                let fix = match cause.contains("UnknownIssuer") || cause.contains("CaUsedAsEndEntity") {
                    true => {
                        ": certificate-authority-data in the kubeconfig must be the CA that signed the server's certificate, not that certificate itself"
                    }
                    false => "",
                };
                format!("Unable to connect to the server {}: {cause}{fix}", self.server)
            }
            other => format!("error: {other}"),
        };
        anyhow::Error::new(CliError(line))
    }
}

fn resource() -> ApiResource {
    ApiResource::erase::<ScheduledTask>(&())
}

/// The object as JSON, without the fields that kubectl hides.
pub fn as_kubectl_shows(mut object: DynamicObject) -> Result<Value> {
    object.metadata.managed_fields = None;
    Ok(serde_json::to_value(object)?)
}

/// The name that kubectl prints for an object that it changed.
pub fn full_name(name: &str) -> String {
    format!("scheduledtask.{GROUP}/{name}")
}

/// Writes an error to standard error.
pub fn print_error(error: &anyhow::Error) {
    match error.downcast_ref::<CliError>() {
        Some(CliError(line)) => output::print_error(line),
        None => output::print_error(&format!("error: {error:#}")),
    }
}
