//! Punctual as the process that people run.

use std::fs::File;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};

use crate::peer::OPERATOR_NAMESPACE;

/// How long it may take to be ready, to have nothing to do, or to stop.
const LIMIT: Duration = Duration::from_secs(180);
/// It has nothing to do if it has sent no request for so long.
const QUIET: Duration = Duration::from_millis(1500);

/// A running operator. It ends when it is dropped, and when the benchmark ends in any way.
pub struct Operator {
    child: Child,
    log: PathBuf,
    started: Instant,
}

impl Operator {
    /// Starts it for these namespaces. The log goes to `log`. To be called on the main thread: the kernel ends the process when the thread
    /// that started it ends.
    pub fn start(binary: &Path, kubeconfig: &Path, namespaces: &[String], log: PathBuf) -> Result<Operator> {
        let file = File::create(&log).with_context(|| format!("cannot write {}", log.display()))?;
        let mut command = Command::new(binary);
        command
            .args(["controller", "--metrics-addr=127.0.0.1:0", "--log-format=json", "--leader-elect"])
            .args(["--leader-elect-resource-namespace", OPERATOR_NAMESPACE])
            .args(["--watch-namespaces", &namespaces.join(",")])
            .arg("--kubeconfig")
            .arg(kubeconfig)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(file)
            .process_group(0);
        // SAFETY: between fork and exec only one system call is made, on constants.
        unsafe {
            command.pre_exec(|| match libc::prctl(libc::PR_SET_PDEATHSIG, libc::SIGKILL) {
                0 => Ok(()),
                _ => Err(std::io::Error::last_os_error()),
            });
        }
        let started = Instant::now();
        let child = command.spawn().with_context(|| format!("cannot start {}", binary.display()))?;
        Ok(Operator { child, log, started })
    }

    /// Its process id.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Waits until it is ready; returns how long that took since its start.
    pub async fn ready(&mut self) -> Result<Duration> {
        let deadline = Instant::now() + LIMIT;
        loop {
            if self.get("/readyz").is_some_and(|answer| answer.starts_with("HTTP/1.1 200")) {
                return Ok(self.started.elapsed());
            }
            if let Some(status) = self.child.try_wait()? {
                bail!("the operator ended ({status}): {}", self.last_words());
            }
            ensure!(Instant::now() < deadline, "the operator is not ready: {}", self.last_words());
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }

    /// Waits until it sends no more requests.
    pub async fn quiet(&self) -> Result<()> {
        let deadline = Instant::now() + LIMIT;
        let mut last = (f64::NAN, Instant::now());
        while last.1.elapsed() < QUIET {
            ensure!(Instant::now() < deadline, "the operator is still busy: {}", self.last_words());
            tokio::time::sleep(Duration::from_millis(100)).await;
            let sent = self.requests().context("the operator does not show its metrics")?;
            if sent != last.0 {
                last = (sent, Instant::now());
            }
        }
        Ok(())
    }

    fn requests(&self) -> Option<f64> {
        Some(requests(&self.get("/metrics")?))
    }

    /// Stops it as Kubernetes does, and waits until it has stopped.
    pub async fn stop(mut self) -> Result<()> {
        let pid = libc::pid_t::try_from(self.child.id())?;
        // SAFETY: the child is ours and not yet waited for, so the id is still its own.
        ensure!(unsafe { libc::kill(pid, libc::SIGTERM) } == 0, "cannot stop the operator");
        let deadline = Instant::now() + LIMIT;
        while self.child.try_wait()?.is_none() {
            ensure!(Instant::now() < deadline, "the operator does not stop");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        Ok(())
    }

    fn get(&self, path: &str) -> Option<String> {
        let mut stream = TcpStream::connect(address(&std::fs::read_to_string(&self.log).ok()?)?).ok()?;
        stream.set_read_timeout(Some(Duration::from_secs(2))).ok()?;
        write!(stream, "GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n").ok()?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer).ok()?;
        Some(answer)
    }

    fn last_words(&self) -> String {
        let log = std::fs::read_to_string(&self.log).unwrap_or_default();
        let lines: Vec<&str> = log.lines().rev().take(5).collect();
        format!("the end of its log, newest line first:\n{}", lines.join("\n"))
    }
}

impl Drop for Operator {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Where it listens, by its log.
fn address(log: &str) -> Option<String> {
    let line = log.lines().find(|line| line.contains("operator started"))?;
    let line: serde_json::Value = serde_json::from_str(line).ok()?;
    line.get("address")?.as_str().map(str::to_owned)
}

/// The number of requests that its metrics show.
fn requests(metrics: &str) -> f64 {
    let counted = metrics.lines().filter(|line| line.starts_with("punctual_api_requests_total{"));
    counted.filter_map(|line| line.rsplit(' ').next()?.parse::<f64>().ok()).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_address_is_read_from_the_log() {
        let log = "{\"message\":\"x\"}\n{\"message\":\"operator started\",\"address\":\"127.0.0.1:4711\"}\nhalf a li";
        assert_eq!(address(log).as_deref(), Some("127.0.0.1:4711"));
        assert_eq!(address("{\"message\":\"x\"}"), None);
    }

    #[test]
    fn requests_of_all_verbs_are_added() {
        let metrics = "# HELP punctual_api_requests_total x\npunctual_api_requests_total{verb=\"create\"} 5\n\
                       punctual_api_requests_total{verb=\"status\"} 7\npunctual_leader 1\n";
        assert_eq!(requests(metrics), 12.0);
    }
}
