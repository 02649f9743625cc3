//! The control plane's processes. Takes a directory, ports, keys and options, gives etcd, API server, controller manager
//! and scheduler ready to be started, never starts one itself.

use std::fs;
use std::io::{Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::time::Duration;

use crate::kubeconfig::{self, Login};
use crate::options::Options;
use crate::pki::Pki;
use crate::ports::Port;
use crate::process::{Component, Probe};
use crate::subnet::Subnet;
use crate::{Binaries, Result, Tool};

/// What all parts of one cluster share.
pub(crate) struct Site {
    pub dir: PathBuf,
    pub binaries: Binaries,
    pub pki: Pki,
    pub token: String,
    pub url: String,
    pub subnet: Arc<Subnet>,
}

impl Site {
    pub fn logs(&self) -> PathBuf {
        self.dir.join("logs")
    }

    pub fn admin_kubeconfig(&self) -> PathBuf {
        self.dir.join("kubeconfig")
    }

    pub fn audit_log(&self) -> PathBuf {
        self.logs().join("audit.log")
    }

    /// A kubeconfig for a part of the cluster, by certificate, so that the audit log tells them apart.
    pub fn kubeconfig_of(&self, user: &str, file: &str) -> Result<PathBuf> {
        let path = self.dir.join(file);
        let identity = self.pki.identity(user, Some("system:masters"))?;
        kubeconfig::write(&path, &self.url, self.pki.ca_pem(), &Login::Certificate(&identity))?;
        Ok(path)
    }
}

/// etcd. With `fsync` off it is as fast as the disk is not; killing the process still loses nothing, only a power cut
/// would.
pub(crate) fn etcd(site: &Site, client: &Port, peer: &Port, options: &Options) -> Result<Component> {
    let (client_url, peer_url) = (client.url("http"), peer.url("http"));
    let mut args = flags(&[
        ("data-dir", &site.dir.join("etcd").display().to_string()),
        ("listen-client-urls", &client_url),
        ("advertise-client-urls", &client_url),
        ("listen-peer-urls", &peer_url),
        ("initial-advertise-peer-urls", &peer_url),
        ("initial-cluster", &format!("default={peer_url}")),
        ("quota-backend-bytes", "8589934592"),
        ("log-level", "warn"),
    ]);
    if !options.fsync {
        args.push("--unsafe-no-fsync".into());
    }
    let port = client.number;
    let probe: Probe = Box::new(move || match http_get(port, "/health") {
        Ok(answer) if answer.contains(r#""health":"true""#) => Ok(()),
        Ok(answer) => Err(format!("/health says {}", answer.lines().last().unwrap_or_default())),
        Err(error) => Err(format!("/health: {error}")),
    });
    Ok(Component::new("etcd", site.binaries.path(Tool::Etcd)?, args, &site.logs(), probe))
}

/// The API server, with an audit log of every request that a person or a controller makes.
pub(crate) fn api_server(site: &Site, port: &Port, etcd: &Port, options: &Options) -> Result<Component> {
    let tokens = site.dir.join("tokens.csv");
    crate::claims::write_private(&tokens, format!("{},admin,admin,\"system:masters\"\n", site.token).as_bytes())?;
    let policy = site.dir.join("audit-policy.yaml");
    fs::write(&policy, AUDIT_POLICY)?;
    let file = |name: &str| site.pki.path(name).display().to_string();
    let mut args = flags(&[
        ("etcd-servers", &etcd.url("http")),
        ("bind-address", "127.0.0.1"),
        ("secure-port", &port.number.to_string()),
        ("tls-cert-file", &file("apiserver.crt")),
        ("tls-private-key-file", &file("apiserver.key")),
        ("client-ca-file", &file("ca.crt")),
        ("token-auth-file", &tokens.display().to_string()),
        ("authorization-mode", "RBAC"),
        ("service-account-issuer", "https://localhost"),
        ("service-account-key-file", &file("sa.pub")),
        ("service-account-signing-key-file", &file("sa.key")),
        ("service-cluster-ip-range", &site.subnet.services()),
        ("endpoint-reconciler-type", "none"),
        ("kubelet-preferred-address-types", "Hostname,InternalIP"),
        ("kubelet-client-certificate", &file("kubelet-client.crt")),
        ("kubelet-client-key", &file("kubelet-client.key")),
        ("allow-privileged", "true"),
        ("audit-policy-file", &policy.display().to_string()),
        ("audit-log-path", &site.audit_log().display().to_string()),
        ("audit-log-maxsize", "100000"),
        ("profiling", "false"),
        ("shutdown-watch-termination-grace-period", "1s"),
    ]);
    if !options.controller_manager {
        args.push("--disable-admission-plugins=ServiceAccount".into()); // nobody would make the accounts
    }
    args.extend(options.api_server_args.iter().cloned());
    let kubectl = site.binaries.path(Tool::Kubectl)?;
    let kubeconfig = site.admin_kubeconfig();
    let number = port.number;
    let probe: Probe = Box::new(move || {
        connect(number).map_err(|error| format!("port {number}: {error}"))?;
        ask(Command::new(&kubectl)
            .arg("--kubeconfig")
            .arg(&kubeconfig)
            .args(["get", "--raw=/readyz"]))
    });
    Ok(Component::new(
        "kube-apiserver",
        site.binaries.path(Tool::ApiServer)?,
        args,
        &site.logs(),
        probe,
    ))
}

/// The controller manager, CronJob controller included.
pub(crate) fn controller_manager(site: &Site, port: &Port, options: &Options) -> Result<Component> {
    let kubeconfig = site.kubeconfig_of("system:kube-controller-manager", "controller-manager.kubeconfig")?;
    let mut args = controller_flags(site, &kubeconfig, port);
    args.extend(flags(&[
        ("service-account-private-key-file", &site.pki.path("sa.key").display().to_string()),
        ("root-ca-file", &site.pki.path("ca.crt").display().to_string()),
        ("kube-api-qps", "1000"),
        ("kube-api-burst", "2000"),
    ]));
    args.extend(options.controller_manager_args.iter().cloned());
    let healthy = health_probe(site, port)?;
    let (kubectl, kubeconfig) = (site.binaries.path(Tool::Kubectl)?, site.admin_kubeconfig());
    let probe: Probe = Box::new(move || {
        healthy()?;
        // Its controllers work when the first thing that pods need has been made by one.
        let mut account = Command::new(&kubectl);
        ask(account
            .arg("--kubeconfig")
            .arg(&kubeconfig)
            .args(["get", "serviceaccount", "default", "-n", "default"]))
    });
    let program = site.binaries.path(Tool::ControllerManager)?;
    Ok(Component::new("kube-controller-manager", program, args, &site.logs(), probe))
}

/// The scheduler.
pub(crate) fn scheduler(site: &Site, port: &Port) -> Result<Component> {
    let kubeconfig = site.kubeconfig_of("system:kube-scheduler", "scheduler.kubeconfig")?;
    let mut args = controller_flags(site, &kubeconfig, port);
    args.push("--kube-api-qps=1000".into());
    args.push("--kube-api-burst=2000".into());
    let program = site.binaries.path(Tool::Scheduler)?;
    Ok(Component::new(
        "kube-scheduler",
        program,
        args,
        &site.logs(),
        health_probe(site, port)?,
    ))
}

fn controller_flags(site: &Site, kubeconfig: &Path, port: &Port) -> Vec<String> {
    flags(&[
        ("kubeconfig", &kubeconfig.display().to_string()),
        ("leader-elect", "false"),
        ("bind-address", "127.0.0.1"),
        ("secure-port", &port.number.to_string()),
        ("authentication-skip-lookup", "true"),
        ("tls-cert-file", &site.pki.path("apiserver.crt").display().to_string()),
        ("tls-private-key-file", &site.pki.path("apiserver.key").display().to_string()),
    ])
}

/// Asks `/healthz` over TLS; kubectl is the client, so that this crate needs none.
fn health_probe(site: &Site, port: &Port) -> Result<Probe> {
    let kubectl = site.binaries.path(Tool::Kubectl)?;
    let (number, url) = (port.number, port.url("https"));
    let kubeconfig = site.admin_kubeconfig();
    Ok(Box::new(move || {
        connect(number).map_err(|error| format!("port {number}: {error}"))?;
        let mut healthz = Command::new(&kubectl);
        healthz
            .arg("--kubeconfig")
            .arg(&kubeconfig)
            .args(["--server", &url, "get", "--raw=/healthz"]);
        ask(&mut healthz)
    }))
}

fn ask(command: &mut Command) -> Result<(), String> {
    match command.arg("--request-timeout=5s").output() {
        Ok(output) if output.status.success() => Ok(()),
        Ok(output) => Err(String::from_utf8_lossy(&output.stderr).trim().to_string()),
        Err(error) => Err(error.to_string()),
    }
}

fn connect(port: u16) -> std::io::Result<TcpStream> {
    TcpStream::connect_timeout(&SocketAddr::from((Ipv4Addr::LOCALHOST, port)), Duration::from_secs(1))
}

/// A plain HTTP GET on loopback; the whole answer, head and body.
pub(crate) fn http_get(port: u16, path: &str) -> std::io::Result<String> {
    let mut stream = connect(port)?;
    stream.set_read_timeout(Some(Duration::from_secs(2)))?;
    write!(stream, "GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n")?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    Ok(answer)
}

pub(crate) fn flags(pairs: &[(&str, &str)]) -> Vec<String> {
    pairs.iter().map(|(name, value)| format!("--{name}={value}")).collect()
}

/// Who did what when (in microseconds), without what nobody asks about.
const AUDIT_POLICY: &str = r#"apiVersion: audit.k8s.io/v1
kind: Policy
omitStages: [RequestReceived]
rules:
- level: None
  users: ["system:apiserver"]
- level: None
  users: ["admin"]
  nonResourceURLs: ["/readyz*", "/healthz*"]
- level: None
  userGroups: ["system:masters"]
  resources:
  - group: coordination.k8s.io
    resources: [leases]
- level: Metadata
"#;
