//! A client that is rebuilt when the files that it was built from change.
//!
//! A function that loads a client goes in; a client comes out that stays valid when a certificate authority, a client certificate or a
//! kubeconfig is rotated. Requests that are on their way finish with the client that sent them. If loading fails, the last client
//! stays. A restart would read the same files, so no health check depends on this.

use crate::clock::Clock;
use kube::client::Body;
use ring::digest::{SHA256, digest};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::Duration;

/// How often the files are read, as often as kube reads those of a service account.
pub const RELOAD_PERIOD: Duration = Duration::from_secs(60);

/// A client, and what it was built from.
#[derive(Clone)]
pub struct LoadedClient {
    /// The client.
    pub client: kube::Client,
    /// The files whose content it holds.
    pub files: Vec<PathBuf>,
}

impl std::fmt::Debug for LoadedClient {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("LoadedClient").field("files", &self.files).finish_non_exhaustive()
    }
}

/// What the files of a client held.
type Fingerprint = Vec<(PathBuf, Option<Vec<u8>>)>;

/// Loads a client now, and again when one of its files has changed or its certificate expires, checked in this period.
///
/// # Errors
/// When the first client cannot be loaded.
pub fn reloading<E, F>(load: F, period: Duration, clock: Clock) -> Result<kube::Client, E>
where
    E: std::fmt::Display + Send + 'static,
    F: Fn() -> Result<LoadedClient, E> + Send + Sync + 'static,
{
    let loaded = load()?;
    let namespace = loaded.client.default_namespace().to_owned();
    let fingerprint = fingerprint(&loaded.files);
    let current = Arc::new(Mutex::new(loaded));
    tokio::spawn(follow(Arc::downgrade(&current), Arc::new(load), fingerprint, period, clock));
    let service = tower::service_fn(move |request: http::Request<Body>| {
        let client = current.lock().unwrap_or_else(PoisonError::into_inner).client.clone();
        async move { client.send(request).await }
    });
    Ok(kube::Client::new(service, namespace))
}

/// Runs until nobody has the client any more.
async fn follow<E, F>(current: Weak<Mutex<LoadedClient>>, load: Arc<F>, mut known: Fingerprint, period: Duration, clock: Clock)
where
    E: std::fmt::Display + Send + 'static,
    F: Fn() -> Result<LoadedClient, E> + Send + Sync + 'static,
{
    loop {
        tokio::time::sleep(period).await;
        let Some(current) = current.upgrade() else { return };
        let (files, valid_until) = {
            let current = current.lock().unwrap_or_else(PoisonError::into_inner);
            (current.files.clone(), *current.client.valid_until())
        };
        // Read before the client is loaded: a change in between is found the next time.
        let seen = fingerprint(&files);
        let is_expiring = valid_until.is_some_and(|end| clock.now() + 2 * period >= end);
        if seen == known && !is_expiring {
            continue;
        }
        let load = load.clone();
        // A credential plugin may run.
        match tokio::task::spawn_blocking(move || load()).await {
            Ok(Ok(loaded)) => {
                // The kubeconfig may name other files now.
                known = if loaded.files == files { seen } else { fingerprint(&loaded.files) };
                *current.lock().unwrap_or_else(PoisonError::into_inner) = loaded;
                tracing::info!("credentials changed: connecting to the API server with the new ones");
            }
            Ok(Err(error)) => tracing::warn!("credentials changed and cannot be loaded, keeping the old ones: {error:#}"),
            Err(error) => tracing::error!("failed to load the changed credentials (a bug in the operator): {error}"),
        }
    }
}

/// Digests, so that no key stays in memory twice.
fn fingerprint(files: &[PathBuf]) -> Fingerprint {
    let digest_of = |path: &Path| std::fs::read(path).ok().map(|bytes| digest(&SHA256, &bytes).as_ref().to_vec());
    files.iter().map(|path| (path.clone(), digest_of(path))).collect()
}
