//! Loads the configuration of a client from a kubeconfig, as kubectl does, or from the service account of a pod.
//!
//! kube's own loader decides wrongly about proxies (see [`super::proxy`]) and fails where kubectl does not, so that only its types and
//! its file reader are used.

use super::proxy::{self, ProxyEnvironment};
use anyhow::{Context, Result, anyhow};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;
use kube::config::{AuthInfo, Cluster, Config, Kubeconfig};
use serde_json::Value;
use std::path::{Path, PathBuf};

/// A configuration, and what is known about its credentials.
pub struct Loaded {
    pub config: Config,
    /// When the id-token of an OIDC user expires.
    pub token_expires: Option<Timestamp>,
    /// The files whose content the configuration holds, so that a change of them takes effect by loading it again only.
    pub files: Vec<PathBuf>,
    /// The context of the kubeconfig, if there is one.
    pub context: Option<String>,
}

/// Loads a kubeconfig file, `$KUBECONFIG`, `~/.kube/config` or the service account of a pod.
///
/// # Errors
/// When none is found, or the kubeconfig is invalid.
pub fn load(file: Option<&Path>, context: Option<&str>) -> Result<Loaded> {
    let kubeconfig = match file {
        Some(path) => Kubeconfig::read_from(path).with_context(|| format!("cannot read --kubeconfig {}", path.display()))?,
        None => match Kubeconfig::read() {
            Ok(kubeconfig) => kubeconfig,
            Err(error) if context.is_some() => return Err(error).context("cannot read the kubeconfig"),
            Err(error) => {
                let says = "no cluster configured: use --kubeconfig, or set $KUBECONFIG";
                return in_cluster(anyhow!("{says} ({error})"));
            }
        },
    };
    let selected = select(kubeconfig, context, &ProxyEnvironment::of_process());
    let selected = selected.map(|mut loaded| {
        loaded.files.extend(file.map_or_else(default_files, |path| vec![path.to_owned()]));
        loaded
    });
    match selected {
        Err(error) if file.is_none() && context.is_none() => in_cluster(error),
        selected => selected,
    }
}

/// The kubeconfig files that are read without `--kubeconfig`.
fn default_files() -> Vec<PathBuf> {
    let listed = std::env::var_os("KUBECONFIG").map(|list| std::env::split_paths(&list).collect::<Vec<_>>());
    let listed: Vec<PathBuf> = listed
        .unwrap_or_default()
        .into_iter()
        .filter(|path| !path.as_os_str().is_empty())
        .collect();
    match listed.is_empty() {
        true => std::env::home_dir().map(|home| home.join(".kube/config")).into_iter().collect(),
        false => listed,
    }
}

/// The service account of the pod, or the error of the kubeconfig if this is not a pod.
fn in_cluster(error: anyhow::Error) -> Result<Loaded> {
    let config = Config::incluster().map_err(|_| error)?;
    Ok(Loaded {
        config,
        token_expires: None,
        // kube reads the files of a service account again by itself.
        files: Vec::new(),
        context: None,
    })
}

/// The configuration of a context.
fn select(kubeconfig: Kubeconfig, selected: Option<&str>, environment: &ProxyEnvironment) -> Result<Loaded> {
    let name = selected
        .map(str::to_owned)
        .or(kubeconfig.current_context)
        .context("the kubeconfig has no current-context: use --context")?;
    let context = kubeconfig.contexts.into_iter().find(|known| known.name == name);
    let context = context
        .and_then(|known| known.context)
        .with_context(|| format!("context {name:?} does not exist in the kubeconfig"))?;
    let cluster = kubeconfig.clusters.into_iter().find(|known| known.name == context.cluster);
    let cluster = cluster
        .and_then(|known| known.cluster)
        .with_context(|| format!("cluster {:?} of context {name:?} does not exist in the kubeconfig", context.cluster))?;
    // Like client-go, without a user requests are anonymous.
    let user = kubeconfig
        .auth_infos
        .into_iter()
        .find(|known| Some(&known.name) == context.user.as_ref());
    let mut user: AuthInfo = user.and_then(|known| known.auth_info).unwrap_or_default();
    if let Some(exec) = user.exec.as_mut().filter(|exec| exec.provide_cluster_info) {
        exec.cluster = Some(
            (&cluster)
                .try_into()
                .context("cannot describe the cluster to the credential plugin")?,
        );
    }
    let server = cluster.server.clone().context("the cluster has no server in the kubeconfig")?;
    let url: http::Uri = server
        .parse()
        .with_context(|| format!("invalid server {server:?} in the kubeconfig"))?;
    // A proxy-url applies to every server, as in client-go.
    let configured = cluster.proxy_url.as_deref().filter(|proxy| !proxy.is_empty());
    let proxy = configured.or_else(|| environment.proxy_for(&url));
    let proxy = proxy.map(proxy::parse).transpose().map_err(|error| anyhow!(error))?;
    let mut config = Config::new(url);
    config.proxy_url = proxy;
    config.root_cert = certificate_authority(&cluster)?;
    config.accept_invalid_certs = cluster.insecure_skip_tls_verify.unwrap_or(false);
    config.disable_compression = cluster.disable_compression.unwrap_or(false);
    config.tls_server_name = cluster.tls_server_name;
    config.default_namespace = context
        .namespace
        .filter(|name| !name.is_empty())
        .unwrap_or_else(|| "default".to_owned());
    let token_expires = token_expires(&user);
    let named = [&cluster.certificate_authority, &user.client_certificate, &user.client_key];
    let files = named
        .into_iter()
        .flatten()
        .filter(|path| !path.is_empty())
        .map(PathBuf::from)
        .collect();
    config.auth_info = user;
    Ok(Loaded {
        config,
        token_expires,
        files,
        context: Some(name),
    })
}

fn certificate_authority(cluster: &Cluster) -> Result<Option<Vec<Vec<u8>>>> {
    let pem = match (&cluster.certificate_authority_data, &cluster.certificate_authority) {
        (Some(data), _) if !data.is_empty() => STANDARD.decode(data).context("certificate-authority-data is not base64")?,
        (_, Some(path)) if !path.is_empty() => std::fs::read(path).with_context(|| format!("cannot read certificate-authority {path}"))?,
        _ => return Ok(None),
    };
    let blocks = pem::parse_many(pem).context("the certificate authority in the kubeconfig is not PEM")?;
    let certificates = blocks.into_iter().filter(|block| block.tag() == "CERTIFICATE");
    Ok(Some(certificates.map(pem::Pem::into_contents).collect()))
}

/// The time in the `exp` claim of the id-token.
fn token_expires(user: &AuthInfo) -> Option<Timestamp> {
    let provider = user.auth_provider.as_ref().filter(|provider| provider.name == "oidc")?;
    let claims = provider.config.get("id-token")?.split('.').nth(1)?;
    let claims = base64::engine::general_purpose::URL_SAFE_NO_PAD
        .decode(claims.trim_end_matches('='))
        .ok()?;
    let claims: Value = serde_json::from_slice(&claims).ok()?;
    Timestamp::from_second(claims.get("exp")?.as_i64()?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// F13: what is read again when one of these files changes.
    #[test]
    fn the_files_of_a_configuration_are_known() {
        let dir = tempfile::tempdir().unwrap();
        let here = |name: &str| dir.path().join(name);
        let config = "{current-context: c, contexts: [{name: c, context: {cluster: c, user: u}}], \
            clusters: [{name: c, cluster: {server: 'https://127.0.0.1:1', certificate-authority: ca.crt}}], \
            users: [{name: u, user: {client-certificate: u.crt, client-key: u.key}}]}";
        std::fs::write(here("config"), config).unwrap();
        std::fs::write(here("ca.crt"), pem::encode(&pem::Pem::new("CERTIFICATE", "x"))).unwrap();
        let loaded = load(Some(&here("config")), None).unwrap();
        assert_eq!(loaded.files, ["ca.crt", "u.crt", "u.key", "config"].map(here));
    }
}
