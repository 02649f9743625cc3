//! A real Prometheus that scrapes one operator and evaluates the chart's rules, asked over its HTTP API.
//!
//! Its data is in a folder that goes with it, and its port is one that the kernel chose. It ends with the test.

use crate::harness::until;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::fs::{self, File};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};
use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// How often it scrapes, and evaluates rules.
const INTERVAL: &str = "250ms";

/// The process.
pub struct Prometheus {
    child: Child,
    folder: TempDir,
    address: String,
}

impl Prometheus {
    /// Starts it with these rules, and waits until it is ready. It scrapes nothing yet.
    pub async fn start(program: &Path, rules: &Value) -> Prometheus {
        let folder = tempfile::tempdir().expect("a folder");
        let config = json!({
            "global": {"scrape_interval": INTERVAL, "scrape_timeout": INTERVAL, "evaluation_interval": INTERVAL},
            "rule_files": ["rules.json"],
            "scrape_configs": [{
                "job_name": "punctual",
                // As in the chart's ServiceMonitor.
                "honor_labels": true,
                "file_sd_configs": [{"files": ["targets.json"]}],
            }],
        });
        let write = |name: &str, text: String| fs::write(folder.path().join(name), text).expect("a file");
        write("prometheus.yml", config.to_string());
        write("rules.json", rules.to_string());
        write("targets.json", "[]".to_owned());
        let log = File::create(folder.path().join("log")).expect("a log");
        let child = Command::new(program)
            .args([
                "--config.file=prometheus.yml",
                "--storage.tsdb.path=data",
                "--web.listen-address=127.0.0.1:0",
            ])
            .current_dir(&folder)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(log)
            .spawn()
            .expect("Prometheus starts");
        let mut prometheus = Prometheus {
            child,
            folder,
            address: String::new(),
        };
        prometheus.address = until("Prometheus to listen", || async { prometheus.listens_at() }).await;
        until("Prometheus to be ready", || async { prometheus.get("/-/ready").await.map(|_| ()) }).await;
        prometheus
    }

    fn log(&self) -> String {
        fs::read_to_string(self.folder.path().join("log")).unwrap_or_default()
    }

    fn listens_at(&self) -> Option<String> {
        let log = self.log();
        let line = log.lines().find(|line| line.contains("Listening on"))?;
        line.split("address=").nth(1)?.split_whitespace().next().map(str::to_owned)
    }

    /// Scrapes the operator at this address from now on, with the labels that a ServiceMonitor adds.
    pub fn scrape(&self, operator: &str) {
        let targets = json!([{"targets": [operator], "labels": {"namespace": "punctual-system", "pod": "punctual-0"}}]);
        let (new, file) = (self.folder.path().join("new.json"), self.folder.path().join("targets.json"));
        fs::write(&new, targets.to_string()).expect("a file");
        fs::rename(new, file).expect("renamed");
    }

    /// The body of a successful response.
    async fn get(&self, path: &str) -> Option<String> {
        let (head, body) = self.exchange(path).await?;
        head.starts_with("HTTP/1.0 200").then_some(body)
    }

    async fn exchange(&self, path: &str) -> Option<(String, String)> {
        let mut stream = TcpStream::connect(&self.address).await.ok()?;
        // In HTTP/1.0 a response is not chunked.
        let request = format!("GET {path} HTTP/1.0\r\nHost: localhost\r\n\r\n");
        stream.write_all(request.as_bytes()).await.ok()?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.ok()?;
        let (head, body) = answer.split_once("\r\n\r\n")?;
        Some((head.to_owned(), body.to_owned()))
    }

    /// What the API says.
    ///
    /// # Panics
    /// If that is an error.
    async fn api(&self, path: &str) -> Value {
        let (_, body) = self.exchange(&format!("/api/v1/{path}")).await.expect("Prometheus answers");
        let answer: Value = serde_json::from_str(&body).expect("JSON");
        assert_eq!(answer["status"], "success", "{path}: {answer}");
        answer["data"].clone()
    }

    /// The samples that a query gives now. A value that is not a number is none.
    ///
    /// # Panics
    /// If the query is not valid.
    pub async fn samples(&self, query: &str) -> Vec<Value> {
        let encoded: String = query.bytes().map(|byte| format!("%{byte:02X}")).collect();
        let data = self.api(&format!("query?query={encoded}")).await;
        let mut samples = data["result"].as_array().expect("a vector").clone();
        samples.retain(|sample| sample["value"][1] != "NaN");
        samples
    }

    /// The rules as it evaluates them.
    pub async fn rules(&self) -> Vec<Value> {
        let data = self.api("rules").await;
        data["groups"][0]["rules"].as_array().expect("rules").clone()
    }

    /// The alerts that fire, each with the name of its task: `PunctualTaskFailing nightly`.
    pub async fn firing(&self) -> BTreeSet<String> {
        let data = self.api("alerts").await;
        let alerts = data["alerts"].as_array().expect("alerts").iter();
        let firing = alerts.filter(|alert| alert["state"] == "firing");
        let named = firing.map(|alert| {
            let labels = &alert["labels"];
            [&labels["alertname"], &labels["task"]]
                .map(|label| label.as_str().unwrap_or_default())
                .join(" ")
        });
        named.map(|name| name.trim_end().to_owned()).collect()
    }

    /// Waits until the alerts that fire are as they should be.
    pub async fn fires(&self, what: &str, is_so: impl Fn(&BTreeSet<String>) -> bool) -> BTreeSet<String> {
        let deadline = Instant::now() + Duration::from_secs(60);
        loop {
            let firing = self.firing().await;
            if is_so(&firing) {
                return firing;
            }
            assert!(Instant::now() < deadline, "waited a minute for {what}; what fires is {firing:#?}");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }
}

impl Drop for Prometheus {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        if std::thread::panicking() {
            eprintln!("--- Prometheus ---\n{}", self.log());
        }
    }
}
