//! Attacks on the port of metrics and probes: the real process, over loopback, without a cluster.
//!
//! Peers take every liberty that TCP and HTTP give them, from an address of their own. Held is that a probe is answered meanwhile, and
//! what the peers cost: memory (`/proc/PID/statm`) and file descriptors (`/proc/PID/fd`). Never how long something takes.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream};
use tokio::task::JoinSet;

/// Where probes and scrapes come from.
const NODE: Ipv4Addr = Ipv4Addr::new(127, 0, 0, 1);
/// Where attacks come from.
const POD: Ipv4Addr = Ipv4Addr::new(127, 0, 0, 2);
/// Connections that are open at once: docs/limits.md.
const CONNECTIONS: usize = 128;
/// Bytes by which an attack may let the process grow. Without bounds, each of the first two takes several times as much.
const GROWTH: usize = 32 << 20;
const GET_LIVEZ: &str = "GET /livez HTTP/1.1\r\nHost: pod\r\nConnection: close\r\n\r\n";
const GET_METRICS: &str = "GET /metrics HTTP/1.1\r\nHost: pod\r\nConnection: close\r\n\r\n";

/// The operator as a process, with a cluster that does not answer.
struct Operator {
    child: Child,
    address: SocketAddr,
    memory: usize,
    descriptors: usize,
    _folder: tempfile::TempDir,
}

impl Operator {
    async fn start() -> Self {
        Self::start_with("exec \"$@\"").await
    }

    /// Starts it by a line of shell.
    async fn start_with(line: &str) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let (kubeconfig, log) = (folder.path().join("kubeconfig"), folder.path().join("log"));
        let nowhere = serde_json::json!({"apiVersion": "v1", "kind": "Config", "current-context": "none",
            "clusters": [{"name": "none", "cluster": {"server": "http://127.0.0.1:1"}}], "users": [{"name": "none", "user": {}}],
            "contexts": [{"name": "none", "context": {"cluster": "none", "user": "none"}}]});
        std::fs::write(&kubeconfig, nowhere.to_string()).expect("a kubeconfig");
        let binary = std::env::var_os("PUNCTUAL_BINARY").unwrap_or_else(|| env!("CARGO_BIN_EXE_punctual").into());
        let child = Command::new("sh")
            .args(["-c", line, "sh"])
            .arg(binary)
            .args(["controller", "--metrics-addr=127.0.0.1:0", "--log-format=json", "--kubeconfig"])
            .arg(&kubeconfig)
            .env("RUST_LOG", "info,kube_client=off,kube_runtime=off")
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(std::fs::File::create(&log).expect("a log"))
            .spawn()
            .expect("it starts");
        let mut beat = tokio::time::interval(std::time::Duration::from_millis(10));
        let address = loop {
            beat.tick().await;
            let text = std::fs::read_to_string(&log).expect("a log");
            let started = text.lines().find(|line| line.contains("operator started"));
            if let Some(said) = started.and_then(|line| serde_json::from_str::<serde_json::Value>(line).ok()) {
                break said["address"].as_str().expect("an address").parse().expect("an address");
            }
        };
        let mut operator = Self {
            child,
            address,
            memory: 0,
            descriptors: 0,
            _folder: folder,
        };
        // What the first requests cost is not what an attack costs.
        for _ in 0..100 {
            operator.probe().await;
            assert!(operator.ask(NODE, GET_METRICS).await.expect("a scrape").contains("punctual_leader"));
        }
        operator.memory = operator.memory_now();
        operator.descriptors = operator.descriptors_now();
        operator
    }

    async fn connect(&self, from: Ipv4Addr) -> io::Result<TcpStream> {
        let socket = TcpSocket::new_v4()?;
        socket.bind((from, 0).into())?;
        // What a peer could send is then what the operator took, and not what its own kernel keeps.
        socket.set_send_buffer_size(8192)?;
        socket.connect(self.address).await
    }

    async fn ask(&self, from: Ipv4Addr, request: &str) -> io::Result<String> {
        let mut stream = self.connect(from).await?;
        stream.write_all(request.as_bytes()).await?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await?;
        Ok(answer)
    }

    /// What the kubelet does: one attempt, and no second one.
    async fn probe(&self) {
        let answer = self.ask(NODE, GET_LIVEZ).await.expect("the probe is answered");
        assert!(answer.starts_with("HTTP/1.1 200 "), "{answer:?}");
    }

    fn memory_now(&self) -> usize {
        let statm = std::fs::read_to_string(format!("/proc/{}/statm", self.child.id())).expect("it runs");
        let pages: usize = statm.split(' ').nth(1).and_then(|pages| pages.parse().ok()).expect("a number");
        pages * 4096
    }

    fn descriptors_now(&self) -> usize {
        std::fs::read_dir(format!("/proc/{}/fd", self.child.id())).expect("it runs").count()
    }

    /// Holds, while the attack goes on, that a probe is answered and what the attack costs.
    async fn withstands(&self, attack: &str) {
        for _ in 0..20 {
            self.is_well(attack).await;
        }
        let (grown, open) = (self.grown(), self.opened());
        println!("{attack}: {} KiB more memory, {open} more file descriptors", grown >> 10);
    }

    async fn is_well(&self, attack: &str) {
        self.probe().await;
        let scrape = self.ask(NODE, GET_METRICS).await.expect("a scrape is answered");
        assert!(scrape.contains("punctual_leader"), "{attack}: {scrape:?}");
        // One more is being accepted, and a few lead to the cluster.
        assert!(
            self.opened() <= CONNECTIONS + 3,
            "{attack}: {} more file descriptors",
            self.opened()
        );
        assert!(self.grown() <= GROWTH, "{attack}: grown by {} bytes", self.grown());
    }

    fn grown(&self) -> usize {
        self.memory_now().saturating_sub(self.memory)
    }

    fn opened(&self) -> usize {
        self.descriptors_now().saturating_sub(self.descriptors)
    }
}

impl Drop for Operator {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Sends this again and again until the operator has had enough, or so many bytes are sent; gives how many it took.
async fn pour(stream: &mut TcpStream, chunk: &[u8], at_most: usize) -> usize {
    let mut sent = 0;
    while sent < at_most && stream.write_all(chunk).await.is_ok() {
        sent += chunk.len();
    }
    sent
}

/// A7
#[tokio::test(flavor = "multi_thread")]
async fn six_hundred_heads_without_an_end_cost_a_bounded_memory() {
    let operator = Operator::start().await;
    let mut attack = JoinSet::new();
    for _ in 0..600 {
        let mut stream = operator.connect(POD).await.expect("a connection");
        attack.spawn(async move {
            let _ = stream.write_all(b"GET /livez HTTP/1.1\r\nx: ").await;
            let sent = pour(&mut stream, &[b'x'; 4096], 400 << 10).await;
            (stream, sent)
        });
    }
    operator.withstands("600 connections with a head of 400 KB").await;
    let held: Vec<(TcpStream, usize)> = attack.join_all().await;
    assert!(held.iter().all(|(_, sent)| *sent < 400 << 10), "a head of 400 KB was taken");
    operator.withstands("600 heads of 400 KB, refused").await;
}

/// A7
#[tokio::test(flavor = "multi_thread")]
async fn silent_connections_give_way_to_probes_even_of_their_own_address() {
    let operator = Operator::start().await;
    let mut silent = Vec::new();
    for number in 0..1_100 {
        let from = if number % 2 == 0 { POD } else { NODE };
        silent.push(operator.connect(from).await.expect("a connection"));
    }
    operator.withstands("1,100 silent connections").await;
    drop(silent);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_head_that_comes_byte_by_byte_is_cut_off() {
    let operator = Operator::start().await;
    let mut attack = JoinSet::new();
    for _ in 0..100 {
        let mut stream = operator.connect(POD).await.expect("a connection");
        attack.spawn(async move {
            let mut beat = tokio::time::interval(std::time::Duration::from_millis(200));
            let _ = stream.write_all(b"GET /livez HTTP/1.1\r\nx: ").await;
            while stream.write_all(b"x").await.is_ok() {
                beat.tick().await;
            }
        });
    }
    operator.withstands("100 heads, a byte at a time").await;
    // Each of them is ended by the operator; else this would not return.
    attack.join_all().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn peers_that_ask_and_never_read_cost_a_bounded_memory() {
    let operator = Operator::start().await;
    let mut greedy = Vec::new();
    for _ in 0..1_000 {
        let socket = TcpSocket::new_v4().expect("a socket");
        socket.set_recv_buffer_size(1024).expect("a small buffer");
        socket.bind((POD, 0).into()).expect("bound");
        let mut stream = socket.connect(operator.address).await.expect("a connection");
        // The operator may have ended it already.
        let _ = stream.write_all(GET_METRICS.as_bytes()).await;
        greedy.push(stream);
    }
    operator.withstands("1,000 scrapes that nobody reads").await;
    drop(greedy);
}

#[tokio::test(flavor = "multi_thread")]
async fn pipelined_requests_and_bodies_without_end_are_refused() {
    let operator = Operator::start().await;
    let pipeline = "GET /metrics HTTP/1.1\r\nHost: pod\r\n\r\n".repeat(64);
    let head = "POST /metrics HTTP/1.1\r\nHost: pod\r\nContent-Length: 1000000000\r\n\r\n";
    let mut attack = JoinSet::new();
    for number in 0..200 {
        let mut stream = operator.connect(POD).await.expect("a connection");
        let chunk = if number % 2 == 0 {
            pipeline.clone().into_bytes()
        } else {
            vec![b'x'; 4096]
        };
        attack.spawn(async move {
            if number % 2 == 1 {
                let _ = stream.write_all(head.as_bytes()).await;
            }
            pour(&mut stream, &chunk, 1_000_000_000).await
        });
    }
    operator.withstands("100 pipelines and 100 bodies of 1 GB").await;
    // What is read and thrown away, and what buffers hold.
    let most = attack.join_all().await.into_iter().max().unwrap_or_default();
    println!("at most {} KiB of one of them were taken", most >> 10);
    assert!(most < 1 << 20, "{most} bytes were taken");
}

#[tokio::test(flavor = "multi_thread")]
async fn ten_thousand_connections_in_a_row_leave_nothing_behind() {
    let operator = Operator::start().await;
    for number in 0..10_000 {
        let answer = operator.ask(POD, if number % 10 == 0 { GET_METRICS } else { GET_LIVEZ }).await;
        assert!(answer.is_ok_and(|answer| answer.starts_with("HTTP/1.1 200 ")), "{number}");
    }
    operator.withstands("10,000 connections in a row").await;
}

/// A7
#[tokio::test(flavor = "multi_thread")]
async fn a_flood_of_connections_from_one_address_never_displaces_a_probe_from_another() {
    let operator = Operator::start().await;
    static MADE: AtomicUsize = AtomicUsize::new(0);
    let mut flood = JoinSet::new();
    for _ in 0..64 {
        let address = operator.address;
        flood.spawn(async move {
            let mut held = std::collections::VecDeque::new();
            loop {
                let socket = TcpSocket::new_v4().expect("a socket");
                socket.bind((POD, 0).into()).expect("bound");
                if let Ok(mut stream) = socket.connect(address).await {
                    MADE.fetch_add(1, Ordering::Relaxed);
                    let _ = stream.write_all(&GET_METRICS.as_bytes()[..20]).await;
                    held.push_back(stream);
                    held.truncate(32);
                }
            }
        });
    }
    while MADE.load(Ordering::Relaxed) < 10_000 {
        operator.is_well("a flood of connections").await;
    }
    operator.withstands("a flood of connections").await;
    flood.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn without_file_descriptors_left_connections_give_way_to_probes() {
    let operator = Operator::start_with("ulimit -n 40; exec \"$@\"").await;
    let mut silent = Vec::new();
    for _ in 0..300 {
        silent.push(operator.connect(POD).await.expect("a connection"));
    }
    operator.withstands("300 silent connections, 40 file descriptors").await;
    assert!(operator.descriptors_now() <= 40);
    drop(silent);
    operator.withstands("40 file descriptors, nobody there").await;
}
