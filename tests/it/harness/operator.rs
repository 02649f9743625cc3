//! The operator under test: in this process with a clock that the test sets, or as the real process.

use jiff::{SignedDuration, Timestamp};
use punctual::clock::Clock;
use punctual::controller::{ConfigMapRef, Controller, Health, LeaderElectionConfig, NotificationOptions, Options, Stopped};
use punctual::metrics::Metrics;
use punctual::notify::{Protocol, Secret, TraceEnv};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;
use tokio::sync::{oneshot, watch};
use tokio::task::JoinHandle;

/// An operator in this process.
pub struct Operator {
    clock: watch::Sender<Timestamp>,
    stop: Option<oneshot::Sender<()>>,
    running: JoinHandle<Result<(), Stopped>>,
    health: Health,
}

impl Operator {
    pub fn start(client: kube::Client, namespace: &str, now: Timestamp) -> Operator {
        Self::start_by(client, namespace, now, None)
    }

    /// One that leads by these terms.
    pub fn start_by(client: kube::Client, namespace: &str, now: Timestamp, terms: Option<LeaderElectionConfig>) -> Operator {
        Self::start_in(client, vec![namespace.to_owned()], now, terms)
    }

    /// One that tells whom the file names.
    pub fn start_telling(client: kube::Client, namespace: &str, now: Timestamp, file: &Path) -> Operator {
        let options = NotificationOptions {
            file: Some(file.to_owned()),
            traces: None,
            book: "punctual-told".into(),
        };
        Self::start_with(client, vec![namespace.to_owned()], now, None, Some(options))
    }

    /// One that sends the traces of slots to this endpoint.
    pub fn start_tracing(client: kube::Client, namespace: &str, now: Timestamp, endpoint: String) -> Operator {
        let options = NotificationOptions {
            file: None,
            traces: Some(TraceEnv {
                endpoint: Some(Secret::Text(endpoint)),
                protocol: Protocol::Http,
                certificate: None,
                is_named: false,
            }),
            book: "punctual-told".into(),
        };
        Self::start_with(client, vec![namespace.to_owned()], now, None, Some(options))
    }

    /// One that looks after these namespaces.
    pub fn start_in(client: kube::Client, namespaces: Vec<String>, now: Timestamp, terms: Option<LeaderElectionConfig>) -> Operator {
        Self::start_with(client, namespaces, now, terms, None)
    }

    fn start_with(
        client: kube::Client,
        namespaces: Vec<String>,
        now: Timestamp,
        terms: Option<LeaderElectionConfig>,
        notifications: Option<NotificationOptions>,
    ) -> Operator {
        // To see what an operator thought: RUST_LOG=info cargo test --test it …
        if std::env::var_os("RUST_LOG").is_some() {
            punctual::telemetry::init(punctual::telemetry::LogFormat::Text);
        }
        let (sender, clock) = Clock::manual(now);
        if terms.is_some() {
            tokio::spawn(tick(sender.clone()));
        }
        // Beside the Lease, as the process of the operator has it.
        let (lease, home) = match &terms {
            Some(terms) => (terms.name.as_str(), terms.namespace.as_str()),
            None => ("punctual", namespaces[0].as_str()),
        };
        let claims_log = ConfigMapRef {
            namespace: home.to_owned(),
            name: format!("{lease}-claims"),
        };
        let options = Options {
            namespaces,
            claims_log,
            leader_election: terms,
            notifications,
            ..Options::default()
        };
        let controller = Controller::new(client, clock, Metrics::new(), options);
        let health = controller.health();
        let (stop, stopped) = oneshot::channel();
        let running = tokio::spawn(controller.run(async move {
            let _ = stopped.await;
        }));
        Operator {
            clock: sender,
            stop: Some(stop),
            running,
            health,
        }
    }

    /// Sets the clock, forwards or backwards.
    pub fn set(&self, now: &str) {
        self.set_to(super::at(now));
    }

    /// The same, to an instant.
    pub fn set_to(&self, now: Timestamp) {
        self.clock.send_replace(now);
    }

    /// Waits until it has done all that is due: what is not there then does not come before the clock is set on.
    pub async fn rests(&self) {
        super::until("the operator to have nothing to do", || async { self.is_quiet().then_some(()) }).await;
    }

    /// How many requests it has sent, of all kinds; watches are not among them.
    pub fn requests(&self) -> f64 {
        let text = self.health.metrics();
        let counted = text.lines().filter(|line| line.starts_with("punctual_api_requests_total{"));
        counted.filter_map(|line| line.rsplit(' ').next()?.parse::<f64>().ok()).sum()
    }

    /// The value of a metric, such as `punctual_api_requests_total{verb="create"}`; 0 if it was never counted.
    pub fn metric(&self, name: &str) -> f64 {
        let text = self.health.metrics();
        text.lines()
            .find_map(|line| line.strip_prefix(name)?.trim().parse().ok())
            .unwrap_or(0.0)
    }

    /// The series of a task, as a scrape shows them, without the labels that name it.
    pub fn series(&self, namespace: &str, task: &str) -> Vec<String> {
        let scrape = self.health.scrape();
        let text: String = (0..).map_while(|number| scrape.part(number)).collect();
        let names = format!(r#"namespace="{namespace}",task="{task}""#);
        let lines = text.lines().filter(|line| line.contains(&names));
        lines
            .map(|line| line.replace(&names, "").replace("{,", "{").replace("{}", ""))
            .collect()
    }

    /// Whether it has listed tasks and Jobs.
    pub fn is_ready(&self) -> bool {
        self.health.is_ready()
    }

    /// Whether it is ready and has nothing to do.
    pub fn is_quiet(&self) -> bool {
        self.is_ready() && self.health.is_idle()
    }

    /// Whether it may write.
    pub fn leads(&self) -> bool {
        self.health.is_leader()
    }

    /// How it ended by itself.
    pub async fn ended(mut self) -> Result<(), Stopped> {
        (&mut self.running).await.expect("the operator does not panic")
    }

    /// Ends as by SIGKILL: nothing is written any more.
    pub async fn crash(self) {
        self.running.abort();
        let _ = self.running.await;
    }

    /// Leaves as on SIGTERM.
    pub async fn stop(mut self) {
        let _ = self.stop.take().expect("stopped once").send(());
        (&mut self.running)
            .await
            .expect("the operator does not panic")
            .expect("no part of it ends by itself");
    }
}

/// Moves a clock that stands still by microseconds: a renewal that says the same time again changes nothing, so others would
/// take the lease for dead.
async fn tick(clock: watch::Sender<Timestamp>) {
    let mut beat = tokio::time::interval(Duration::from_millis(50));
    while !clock.is_closed() {
        beat.tick().await;
        clock.send_modify(|now| *now += SignedDuration::from_micros(1));
    }
}

/// The operator as the process that people run.
pub struct Process {
    child: Child,
}

impl Process {
    pub fn start(kubeconfig: &Path, namespace: &str) -> Process {
        Self::start_logging(kubeconfig, namespace, Stdio::null())
    }

    pub fn start_logging(kubeconfig: &Path, namespace: &str, log: impl Into<Stdio>) -> Process {
        let child = Command::new(env!("CARGO_BIN_EXE_punctual"))
            .args([
                "controller",
                "--metrics-addr",
                "127.0.0.1:0",
                "--log-format",
                "json",
                "--watch-namespaces",
                namespace,
                "--leader-elect-resource-namespace",
                namespace,
                "--kubeconfig",
            ])
            .arg(kubeconfig)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(log)
            .spawn()
            .expect("the binary starts");
        Process { child }
    }

    /// SIGKILL.
    pub fn kill(mut self) {
        self.child.kill().expect("it can be killed");
        self.child.wait().expect("it ends");
    }

    /// SIGTERM; gives the exit code.
    pub fn terminate(mut self) -> Option<i32> {
        let sent = Command::new("kill").arg(self.child.id().to_string()).status().expect("kill runs");
        assert!(sent.success());
        self.child.wait().expect("it ends").code()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
