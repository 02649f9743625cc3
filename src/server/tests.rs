//! The server in this process, with a health of the test's own, over loopback. Attacks on the real process are in `tests/server.rs`.

use super::{Health, Limits, Page, Server, Table, bind, is_of_the_peer, lock};
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream};

/// Larger than the buffers of both ends of a connection.
const LARGE: usize = 16 * 1024 * 1024;

/// Says that it is ready; what the metrics are is the test's choice.
struct Answers(fn() -> String);

impl Health for Answers {
    fn is_ready(&self) -> bool {
        true
    }

    fn scrape(&self) -> Box<dyn Page> {
        Box::new(Lines((self.0)()))
    }
}

/// A text whose parts are its lines.
struct Lines(String);

impl Page for Lines {
    fn part(&self, number: usize) -> Option<String> {
        self.0.split_inclusive('\n').nth(number).map(str::to_owned)
    }
}

/// A server that runs until the test ends.
struct Running {
    address: SocketAddr,
    table: Table,
}

impl Running {
    async fn start(metrics: fn() -> String, limits: Limits) -> Self {
        let listener = bind((Ipv4Addr::LOCALHOST, 0).into()).await.expect("a free port");
        let address = listener.local_addr().expect("an address");
        let server = Server::new(Answers(metrics), limits);
        let table = server.table.clone();
        tokio::spawn(server.run(listener));
        Self { address, table }
    }

    async fn connect(&self) -> TcpStream {
        TcpStream::connect(self.address).await.expect("a connection")
    }

    /// Sends this and reads until the end.
    async fn ask(&self, request: &str) -> io::Result<String> {
        let mut stream = self.connect().await;
        stream.write_all(request.as_bytes()).await?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await?;
        Ok(answer)
    }

    async fn get(&self, path: &str) -> String {
        let answer = self.ask(&format!("GET {path} HTTP/1.1\r\nHost: pod\r\n\r\n")).await;
        answer.unwrap_or_else(|error| panic!("{path}: {error}"))
    }

    /// Waits until as many connections are open.
    async fn until_open(&self, count: usize) {
        let mut beat = tokio::time::interval(Duration::from_millis(5));
        while lock(&self.table).len() != count {
            beat.tick().await;
        }
    }
}

fn nothing() -> String {
    String::new()
}

#[tokio::test]
async fn a_page_of_many_parts_is_one_response() {
    let server = Running::start(|| "a 1\nb 2\nc 3\n".into(), Limits::default()).await;
    let answer = server.get("/metrics").await.to_lowercase();
    assert!(answer.contains("transfer-encoding: chunked"), "{answer}");
    assert!(
        answer.ends_with("\r\n\r\n4\r\na 1\n\r\n4\r\nb 2\n\r\n4\r\nc 3\n\r\n0\r\n\r\n"),
        "{answer}"
    );
}

#[tokio::test]
async fn each_path_has_its_answer_and_the_connection_ends_with_it() {
    let server = Running::start(|| "punctual_leader 1\n".into(), Limits::default()).await;
    for (path, status, body) in [
        ("/livez", "200 OK", "ok\n"),
        ("/readyz", "200 OK", "ok\n"),
        ("/metrics", "200 OK", "punctual_leader 1\n"),
        ("/", "404 Not Found", ""),
    ] {
        let answer = server.get(path).await;
        assert!(answer.starts_with(&format!("HTTP/1.1 {status}\r\n")), "{path}: {answer}");
        assert!(answer.ends_with(&format!("\r\n\r\n{body}")), "{path}: {answer}");
        assert!(answer.contains("connection: close"), "{path}: {answer}");
    }
    let refused = server.ask("POST /livez HTTP/1.1\r\nHost: pod\r\n\r\n").await.expect("an answer");
    assert!(refused.starts_with("HTTP/1.1 405 "), "{refused}");
}

#[tokio::test]
async fn a_request_with_a_body_is_refused_before_the_body_is_read() {
    let server = Running::start(nothing, Limits::default()).await;
    for head in [
        "GET /metrics HTTP/1.1\r\nHost: pod\r\nContent-Length: 1000000000\r\n\r\n",
        "POST /livez HTTP/1.1\r\nHost: pod\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n",
        "POST /livez HTTP/1.1\r\nHost: pod\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n",
    ] {
        let answer = server.ask(head).await.expect("an answer");
        assert!(answer.starts_with("HTTP/1.1 413 "), "{answer}");
        assert!(answer.contains("GET /livez, /readyz or /metrics"), "{answer}");
    }
}

#[tokio::test]
async fn a_head_that_is_too_long_is_refused() {
    let server = Running::start(nothing, Limits::default()).await;
    let fits = format!("GET /livez HTTP/1.1\r\nx: {}\r\n\r\n", "x".repeat(15_000));
    assert!(server.ask(&fits).await.expect("an answer").starts_with("HTTP/1.1 200 "));
    let long = format!("GET /livez HTTP/1.1\r\nx: {}", "x".repeat(16 * 1024));
    let many = format!("GET /livez HTTP/1.1\r\n{}", "a: b\r\n".repeat(101) + "\r\n");
    for head in [long, many] {
        let answer = server.ask(&head).await.expect("an answer");
        assert!(answer.starts_with("HTTP/1.1 431 "), "{answer}");
    }
}

#[tokio::test]
async fn a_defect_in_the_metrics_is_an_error_of_that_scrape_only() {
    let server = Running::start(|| panic!("a defect"), Limits::default()).await;
    for _ in 0..3 {
        let answer = server.get("/metrics").await;
        assert!(answer.starts_with("HTTP/1.1 500 "), "{answer}");
        assert!(server.get("/livez").await.starts_with("HTTP/1.1 200 "));
    }
    server.until_open(0).await;
}

#[tokio::test]
async fn peers_that_never_take_their_answer_hold_no_place_against_others() {
    let limits = Limits {
        connections: 4,
        exchange_time: Duration::from_secs(600),
        ..Limits::default()
    };
    let server = Running::start(|| "x".repeat(LARGE), limits).await;
    let mut greedy = Vec::new();
    for _ in 0..12 {
        let mut stream = server.connect().await;
        stream.write_all(b"GET /metrics HTTP/1.1\r\nHost: pod\r\n\r\n").await.expect("sent");
        greedy.push(stream);
        assert!(server.get("/livez").await.starts_with("HTTP/1.1 200 "));
        assert!(lock(&server.table).len() <= 4);
    }
}

#[tokio::test]
async fn an_exchange_that_takes_too_long_is_ended() {
    let limits = Limits {
        exchange_time: Duration::from_millis(200),
        ..Limits::default()
    };
    let server = Running::start(|| "x".repeat(LARGE), limits).await;
    let socket = TcpSocket::new_v4().expect("a socket");
    socket.set_recv_buffer_size(4096).expect("a small buffer");
    let mut never_reads = socket.connect(server.address).await.expect("a connection");
    never_reads
        .write_all(b"GET /metrics HTTP/1.1\r\nHost: pod\r\n\r\n")
        .await
        .expect("sent");
    let silent = server.connect().await;
    // Takes its answer but stays. Connections are accepted in their order: the others are open by now.
    let mut never_leaves = server.connect().await;
    never_leaves
        .write_all(b"GET /livez HTTP/1.1\r\nHost: pod\r\n\r\n")
        .await
        .expect("sent");
    never_leaves.read_exact(&mut [0; 12]).await.expect("an answer");
    server.until_open(0).await;
    let mut answer = Vec::new();
    let end = never_reads.read_to_end(&mut answer).await;
    assert!(end.is_err() && answer.len() < LARGE, "{end:?}, {} bytes", answer.len());
    drop((never_leaves, silent));
}

#[tokio::test]
async fn a_head_that_comes_too_slowly_is_ended() {
    let limits = Limits {
        head_time: Duration::from_millis(200),
        exchange_time: Duration::from_secs(600),
        ..Limits::default()
    };
    let server = Running::start(nothing, limits).await;
    let silent = server.connect().await;
    let mut slow = server.connect().await;
    let mut beat = tokio::time::interval(Duration::from_millis(20));
    // Never done: the server ends it.
    while slow.write_all(b"x").await.is_ok() {
        beat.tick().await;
    }
    server.until_open(0).await;
    drop(silent);
}

#[test]
fn only_errors_of_the_peer_are_about_one_connection() {
    let of = |code| is_of_the_peer(&io::Error::from_raw_os_error(code));
    let (interrupted, aborted, reset, too_many_files, too_many_in_system, no_memory) = (4, 103, 104, 24, 23, 12);
    assert!(of(interrupted) && of(aborted) && of(reset));
    assert!(!of(too_many_files) && !of(too_many_in_system) && !of(no_memory));
}
