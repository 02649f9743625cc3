//! The nodes: what is said to run containers runs them, and what does not says so.

use std::io::Write;
use std::process::Stdio;
use std::time::{Duration, Instant};

use cluster::{BUSYBOX_IMAGE, Cluster, Image, Node, NodeChoice, Options};

fn kubectl(cluster: &Cluster, args: &[&str]) -> String {
    let output = cluster.kubectl().args(args).output().unwrap();
    assert!(
        output.status.success(),
        "kubectl {args:?}: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    String::from_utf8(output.stdout).unwrap()
}

fn run_job(cluster: &Cluster, name: &str, image: &str, script: &str) {
    let job = format!(
        r#"{{"apiVersion": "batch/v1", "kind": "Job", "metadata": {{"name": "{name}"}}, "spec": {{"backoffLimit": 0,
           "template": {{"spec": {{"restartPolicy": "Never", "containers": [{{"name": "main", "image": "{image}",
           "imagePullPolicy": "Never", "command": ["sh", "-c", "{script}"]}}]}}}}}}}}"#
    );
    let mut create = cluster
        .kubectl()
        .args(["create", "-f", "-"])
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    create.stdin.take().unwrap().write_all(job.as_bytes()).unwrap();
    assert!(create.wait().unwrap().success());
}

fn wait_for_condition(cluster: &Cluster, job: &str, condition: &str) {
    let path = format!("jsonpath={{.status.conditions[?(@.type==\"{condition}\")].status}}");
    let deadline = Instant::now() + Duration::from_secs(90);
    while kubectl(cluster, &["get", "job", job, "-o", &path]) != "True" {
        assert!(
            Instant::now() < deadline,
            "{job} is not {condition}: {}",
            kubectl(cluster, &["describe", "pods"])
        );
        std::thread::sleep(Duration::from_millis(100));
    }
}

#[test]
fn on_a_real_node_containers_really_run() {
    if let Some(obstacle) = cluster::real_node_obstacle() {
        println!("skipped: no real node here: {obstacle}");
        return;
    }
    let (one, two) = std::thread::scope(|scope| {
        let start = || {
            Cluster::start(Options {
                node: NodeChoice::Real,
                ..Options::default()
            })
            .unwrap()
        };
        let other = scope.spawn(start);
        (start(), other.join().unwrap())
    });
    assert_eq!(one.node(), &Node::Real);
    for cluster in [&one, &two] {
        run_job(
            cluster,
            "sum",
            BUSYBOX_IMAGE,
            "echo sum=$((40 + 2)); seq 3 | awk '{s += $1} END {print s}'",
        );
        run_job(
            cluster,
            "fails",
            BUSYBOX_IMAGE,
            "echo the disk is full > /dev/termination-log; exit 7",
        );
        run_job(cluster, "stays", BUSYBOX_IMAGE, "sleep 1000");
    }
    one.import(&Image::new("example.test/own:1").file("/etc/hostname", "/data/hostname"))
        .unwrap();
    run_job(&one, "own", "example.test/own:1", "test -s /data/hostname && echo found");
    for cluster in [&one, &two] {
        wait_for_condition(cluster, "sum", "Complete");
        assert_eq!(kubectl(cluster, &["logs", "job/sum"]), "sum=42\n6\n");
        wait_for_condition(cluster, "fails", "Failed");
        let ended = "jsonpath={.items[0].status.containerStatuses[0].state.terminated['exitCode','message']}";
        assert_eq!(
            kubectl(cluster, &["get", "pods", "-l", "job-name=fails", "-o", ended]).trim(),
            "7 the disk is full"
        );
    }
    wait_for_condition(&one, "own", "Complete");
    assert_eq!(kubectl(&one, &["logs", "job/own"]), "found\n");

    let ids = [one.id().to_string(), two.id().to_string()];
    drop((one, two));
    let mounts = std::fs::read_to_string("/proc/self/mountinfo").unwrap();
    let cgroups = std::fs::read_to_string("/proc/mounts").unwrap();
    for id in ids {
        assert!(!mounts.contains(&id), "a mount is left");
        for root in cgroups
            .lines()
            .filter(|line| line.starts_with("cgroup"))
            .filter_map(|line| line.split(' ').nth(1))
        {
            assert!(
                !std::path::Path::new(root).join(format!("punctual-{id}")).exists(),
                "a cgroup is left in {root}"
            );
        }
    }
}

#[test]
fn kwok_completes_jobs_and_says_that_it_is_kwok() {
    let cluster = Cluster::start(Options {
        node: NodeChoice::Kwok,
        ..Options::default()
    })
    .unwrap();
    assert!(matches!(cluster.node(), Node::Kwok { reason } if reason == "it was asked for"));
    run_job(&cluster, "paper", BUSYBOX_IMAGE, "exit 7");
    wait_for_condition(&cluster, "paper", "Complete");
}
