//! The check of the Kubernetes version: against what Helm assumes without a cluster, and against a stub of an API server's discovery.

use super::helm::{chart, helm, template};
use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};

/// Answers discovery as an API server of that version does, until the test ends; everything else is not found.
fn discovery(minor: u32) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = listener.local_addr().expect("an address");
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            std::thread::spawn(move || answer(stream, minor));
        }
    });
    format!("http://{address}")
}

fn answer(mut stream: TcpStream, minor: u32) {
    let mut head = BufReader::new(stream.try_clone().expect("a socket")).lines().map_while(Result::ok);
    let request = head.next().unwrap_or_default();
    head.take_while(|line| !line.is_empty()).for_each(drop);
    let (status, body) = match request.split(' ').nth(1).unwrap_or_default().split('?').next().unwrap_or_default() {
        "/version" => (
            "200 OK",
            format!(r#"{{"major": "1", "minor": "{minor}", "gitVersion": "v1.{minor}.4"}}"#),
        ),
        "/api" => ("200 OK", r#"{"kind": "APIVersions", "versions": ["v1"]}"#.to_owned()),
        "/apis" => ("200 OK", r#"{"kind": "APIGroupList", "apiVersion": "v1", "groups": []}"#.to_owned()),
        "/api/v1" => (
            "200 OK",
            r#"{"kind": "APIResourceList", "apiVersion": "v1", "groupVersion": "v1", "resources": []}"#.to_owned(),
        ),
        _ => (
            "404 Not Found",
            r#"{"kind": "Status", "apiVersion": "v1", "status": "Failure", "reason": "NotFound", "code": 404}"#.to_owned(),
        ),
    };
    let _ = write!(
        stream,
        "HTTP/1.1 {status}\r\nContent-Type: application/json\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
        body.len()
    );
}

/// What `helm install --dry-run=server` says to a cluster of that version.
fn install(minor: u32) -> String {
    let (chart, server) = (chart().display().to_string(), discovery(minor));
    let args = [
        "install",
        "punctual",
        &chart,
        "--namespace",
        "x",
        "--dry-run=server",
        "--kube-apiserver",
        &server,
    ];
    helm(args).unwrap_or_else(|said| said)
}

/// F24: without a cluster Helm assumes an old Kubernetes version, which one depends on Helm.
#[test]
fn without_a_cluster_every_assumed_version_renders() {
    for version in ["1.20.0", "1.33.0", "1.34.4-gke.100", "1.37.2"] {
        template(["--kube-version", version]).unwrap_or_else(|said| panic!("{version}: {said}"));
    }
}

/// F24: the check of the version remains where there is a cluster.
#[test]
fn a_cluster_that_is_too_old_is_rejected() {
    let words = "Kubernetes v1.33.4 is too old: Punctual requires 1.34 or newer";
    let said = install(33);
    assert!(said.contains(words), "{said}");
    let said = install(34);
    assert!(!said.contains("too old"), "{said}");
}
