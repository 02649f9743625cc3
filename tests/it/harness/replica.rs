//! One of several replicas: the real process, under a user of its own with the chart's rights, on a wire of its own.
//!
//! Takes a namespace and a pace, gives a process that can be killed, frozen, cut off and asked. Never leaves one behind.

use super::{Link, Proxy, Wire, World, until};
use cluster::Cluster;
use punctual::controller::LeaderElectionConfig;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

/// How fast leadership changes: lease duration, renew deadline, retry period.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pace {
    pub name: &'static str,
    pub lease: Duration,
    pub renew: Duration,
    pub retry: Duration,
}

impl Pace {
    pub const SHORT: Pace = Pace {
        name: "3/2/0.5 s",
        lease: Duration::from_secs(3),
        renew: Duration::from_secs(2),
        retry: Duration::from_millis(500),
    };
    pub const DEFAULT: Pace = Pace {
        name: "15/10/2 s",
        lease: Duration::from_secs(15),
        renew: Duration::from_secs(10),
        retry: Duration::from_secs(2),
    };

    /// The same for an operator in this process.
    pub fn terms(self, identity: &str, namespace: &str) -> LeaderElectionConfig {
        LeaderElectionConfig {
            identity: identity.into(),
            name: "punctual".into(),
            namespace: namespace.into(),
            lease_duration: self.lease,
            renew_deadline: self.renew,
            retry_period: self.retry,
        }
    }
}

/// A replica.
pub struct Replica {
    pub identity: String,
    /// Its name in the audit log.
    pub user: String,
    wire: Option<Wire>,
    kubeconfig: PathBuf,
    namespace: String,
    pace: Pace,
    env: Vec<(String, String)>,
    args: Vec<String>,
    dir: tempfile::TempDir,
    starts: usize,
    child: Option<Child>,
}

impl Replica {
    /// A replica that has the rights of the chart and does not run yet.
    pub async fn new(world: &World, cluster: &'static Cluster, identity: &str, pace: Pace) -> Replica {
        let user = format!("{}-{identity}", world.namespace);
        let group = World::replicas_of(&world.namespace);
        let kubeconfig = cluster.kubeconfig_for(&user, Some(&group)).expect("a user");
        let wire = Wire::start(&kubeconfig, cluster.url()).await;
        let kubeconfig = wire.kubeconfig().to_owned();
        Self::idle(world, identity, pace, user, kubeconfig, Some(wire))
    }

    /// The same behind a proxy, and as whom the proxy passes it on.
    pub fn behind(world: &World, proxy: &Proxy, identity: &str, pace: Pace) -> Replica {
        Self::idle(world, identity, pace, "admin".into(), proxy.kubeconfig().to_owned(), None)
    }

    fn idle(world: &World, identity: &str, pace: Pace, user: String, kubeconfig: PathBuf, wire: Option<Wire>) -> Replica {
        Replica {
            identity: identity.to_owned(),
            user,
            wire,
            kubeconfig,
            namespace: world.namespace.clone(),
            pace,
            env: Vec::new(),
            args: Vec::new(),
            dir: tempfile::tempdir().expect("a directory"),
            starts: 0,
            child: None,
        }
    }

    /// With a variable in its environment, from the next start on.
    pub fn with_env(mut self, name: &str, value: impl Into<String>) -> Replica {
        self.env.push((name.to_owned(), value.into()));
        self
    }

    /// With a further argument, from the next start on.
    pub fn with_arg(mut self, arg: String) -> Replica {
        self.args.push(arg);
        self
    }

    /// Starts it, without waiting.
    pub fn start(&mut self) {
        assert!(self.child.is_none(), "{} runs", self.identity);
        self.starts += 1;
        let log = std::fs::File::create(self.log_file()).expect("a log");
        let duration = |duration: Duration| format!("{}ms", duration.as_millis());
        let child = Command::new(env!("CARGO_BIN_EXE_punctual"))
            .args(["controller", "--log-format=json", "--metrics-addr=127.0.0.1:0", "--leader-elect"])
            .args(["--watch-namespaces", &self.namespace])
            .args(["--leader-elect-resource-namespace", &self.namespace])
            .args(["--leader-elect-identity", &self.identity])
            .args(["--leader-elect-lease-duration", &duration(self.pace.lease)])
            .args(["--leader-elect-renew-deadline", &duration(self.pace.renew)])
            .args(["--leader-elect-retry-period", &duration(self.pace.retry)])
            .arg("--kubeconfig")
            .arg(&self.kubeconfig)
            .args(&self.args)
            .envs(self.env.iter().map(|(name, value)| (name, value)))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(log)
            .spawn()
            .expect("the binary starts");
        self.child = Some(child);
    }

    /// Starts it and waits until it is ready.
    pub async fn start_ready(&mut self) {
        self.start();
        until(&format!("{} to be ready", self.identity), || async {
            self.is_ready().then_some(())
        })
        .await;
    }

    fn log_file(&self) -> PathBuf {
        self.dir.path().join(format!("{}.log", self.starts))
    }

    /// What it has logged since its last start.
    pub fn log(&self) -> String {
        std::fs::read_to_string(self.log_file()).unwrap_or_default()
    }

    pub fn runs(&mut self) -> bool {
        self.child
            .as_mut()
            .is_some_and(|child| child.try_wait().is_ok_and(|ended| ended.is_none()))
    }

    pub fn pid(&self) -> u32 {
        self.child.as_ref().expect("it runs").id()
    }

    /// SIGKILL.
    pub fn kill(&mut self) {
        let mut child = self.child.take().expect("it runs");
        child.kill().expect("it can be killed");
        child.wait().expect("it ends");
    }

    /// SIGSTOP: it stands still, its connections stay open.
    pub fn freeze(&self) {
        signal(self.pid(), "STOP");
    }

    /// SIGCONT.
    pub fn thaw(&self) {
        signal(self.pid(), "CONT");
    }

    /// SIGTERM, without waiting for what comes of it.
    pub fn ask_to_stop(&self) {
        signal(self.pid(), "TERM");
    }

    /// Waits until it has ended; gives its exit code.
    pub async fn ended(&mut self) -> Option<i32> {
        let mut child = self.child.take().expect("it runs");
        let ended = tokio::task::spawn_blocking(move || child.wait());
        let ended = tokio::time::timeout(Duration::from_secs(60), ended).await;
        ended.expect("it ends within a minute").unwrap().expect("it ends").code()
    }

    /// Cuts it off, or not any more.
    pub fn link(&self, link: Link) {
        self.wire.as_ref().expect("a wire").set(link);
    }

    /// Where it serves probes and metrics, once it says so.
    pub fn address(&self) -> Option<String> {
        let log = self.log();
        let said = log.lines().find(|line| line.contains("operator started"))?;
        let said: serde_json::Value = serde_json::from_str(said).ok()?;
        said["address"].as_str().map(str::to_owned)
    }

    /// What it answers to a GET; nothing if it does not.
    pub fn get(&self, path: &str) -> Option<String> {
        let mut stream = TcpStream::connect(self.address()?).ok()?;
        stream.set_read_timeout(Some(Duration::from_secs(2))).ok()?;
        write!(stream, "GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n").ok()?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer).ok()?;
        Some(answer)
    }

    pub fn is_ready(&self) -> bool {
        self.get("/readyz").is_some_and(|answer| answer.starts_with("HTTP/1.1 200"))
    }

    /// The value of a metric.
    pub fn metric(&self, name: &str) -> Option<f64> {
        let text = self.get("/metrics")?;
        text.lines().find_map(|line| line.strip_prefix(name)?.trim().parse().ok())
    }

    /// Whether it says that it leads.
    pub fn leads(&self) -> bool {
        self.metric("punctual_leader ") == Some(1.0)
    }

    /// Waits until it says that it leads, or that it does not.
    pub async fn until_it_leads(&self, leads: bool) {
        let what = format!("{} to say that it {}", self.identity, if leads { "leads" } else { "does not lead" });
        let said = if leads { 1.0 } else { 0.0 };
        until(&what, || async { (self.metric("punctual_leader ") == Some(said)).then_some(()) }).await;
    }
}

impl Drop for Replica {
    fn drop(&mut self) {
        if let Some(mut child) = self.child.take() {
            let _ = child.kill();
            let _ = child.wait();
        }
        if std::thread::panicking() {
            eprintln!("--- {} ---\n{}", self.identity, self.log());
        }
    }
}

/// Sends a signal to a process that the test started. A stop is in force when this returns.
pub fn signal(pid: u32, name: &str) {
    let sent = Command::new("kill").args([format!("-{name}"), pid.to_string()]).status();
    assert!(sent.expect("kill runs").success(), "SIG{name}");
    // One thread takes the signal and stops the others; on a busy machine these go on until it has its turn.
    while name == "STOP" && !is_stopped(pid) {
        std::thread::yield_now();
    }
}

/// Whether each thread of the process is stopped.
fn is_stopped(pid: u32) -> bool {
    let threads = std::fs::read_dir(format!("/proc/{pid}/task")).expect("the process is there");
    threads.flatten().all(|thread| {
        let stat = std::fs::read_to_string(thread.path().join("stat")).unwrap_or_default();
        // The name of the program stands in parentheses, and may hold anything.
        stat.rsplit_once(") ").is_none_or(|(_, rest)| rest.starts_with('T'))
    })
}
