//! A cluster is real, alone, and gone when it should be. Needs the built programs; no test looks at the clock.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use cluster::{Cluster, Options};

/// Processes whose command line names `dir`.
fn processes_in(dir: &Path) -> Vec<String> {
    let dir = format!("{}/", dir.display());
    std::fs::read_dir("/proc")
        .unwrap()
        .flatten()
        .filter_map(|entry| std::fs::read(entry.path().join("cmdline")).ok())
        .map(|bytes| String::from_utf8_lossy(&bytes).replace('\0', " "))
        .filter(|command| command.contains(&dir))
        .collect()
}

fn eventually(what: &str, is: impl Fn() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(60);
    while !is() {
        assert!(Instant::now() < deadline, "still not so: {what}");
        std::thread::sleep(Duration::from_millis(50));
    }
}

fn kubectl(cluster: &Cluster, args: &[&str]) -> String {
    let output = cluster.kubectl().args(args).output().unwrap();
    assert!(
        output.status.success(),
        "kubectl {args:?}: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn two_clusters_live_side_by_side_and_leave_nothing() {
    let (one, two) = std::thread::scope(|scope| {
        let other = scope.spawn(|| Cluster::start(Options::default()).unwrap());
        (Cluster::start(Options::default()).unwrap(), other.join().unwrap())
    });
    kubectl(&one, &["create", "namespace", "only-in-one"]);
    assert!(kubectl(&one, &["get", "namespaces"]).contains("only-in-one"));
    assert!(!kubectl(&two, &["get", "namespaces"]).contains("only-in-one"));
    let version = kubectl(&one, &["version", "-o", "json"]);
    assert!(version.contains(&format!("\"gitVersion\": \"v{}", one.release())), "{version}");
    let dirs = [one.dir().to_path_buf(), two.dir().to_path_buf()];
    assert!(processes_in(&dirs[0]).len() >= 3);
    drop(one);
    kubectl(&two, &["get", "namespaces"]);
    drop(two);
    for dir in dirs {
        assert_eq!(processes_in(&dir), Vec::<String>::new());
        assert!(!dir.exists(), "{} is still there", dir.display());
    }
}

#[test]
fn its_parts_come_back_with_the_same_port_and_data() {
    let cluster = Cluster::start(Options::default()).unwrap();
    kubectl(&cluster, &["create", "namespace", "kept"]);
    cluster.api_server().kill().unwrap();
    cluster.etcd().kill().unwrap();
    assert_eq!(cluster.etcd().pid(), None);
    cluster.etcd().start().unwrap();
    cluster.api_server().start().unwrap();
    assert!(kubectl(&cluster, &["get", "namespaces"]).contains("kept"));
    let manager = cluster.controller_manager().unwrap();
    manager.pause().unwrap();
    manager.resume().unwrap();
    manager.stop().unwrap();
    manager.start().unwrap();
    cluster.api_server().stop().unwrap();
    cluster.api_server().start().unwrap();
    assert!(kubectl(&cluster, &["get", "namespaces"]).contains("kept"));
}

#[test]
fn a_user_has_the_rights_that_rbac_gives_and_the_audit_log_names_them() {
    let cluster = Cluster::start(Options::default()).unwrap();
    let may = |config: &Path, verb: &str| {
        let mut command = cluster.kubectl();
        command
            .env("KUBECONFIG", config)
            .args(["auth", "can-i", verb, "pods"])
            .output()
            .unwrap()
            .status
            .success()
    };
    let ann = cluster.kubeconfig_for("ann", Some("readers")).unwrap();
    assert!(!may(&ann, "list"));
    kubectl(
        &cluster,
        &["create", "clusterrolebinding", "readers", "--clusterrole=view", "--group=readers"],
    );
    eventually("ann may list pods", || may(&ann, "list"));
    assert!(!may(&ann, "delete"));
    kubectl(&cluster, &["create", "serviceaccount", "robot"]);
    let robot = cluster.kubeconfig_for_service_account("default", "robot").unwrap();
    assert!(!may(&robot, "list"));
    let audit = std::fs::read_to_string(cluster.audit_log()).unwrap();
    assert!(audit.contains("\"username\":\"ann\""));
    assert!(audit.contains("system:serviceaccount:default:robot"));
}

#[test]
fn what_does_not_come_up_says_why_with_its_log() {
    let options = Options {
        api_server_args: vec!["--no-such-flag".into()],
        ..Options::default()
    };
    let error = format!("{:#}", Cluster::start(options).err().expect("it cannot start"));
    assert!(error.contains("kube-apiserver ended"), "{error}");
    assert!(error.contains("unknown flag: --no-such-flag"), "{error}");
}

/// Not a test of its own: the process that the next test kills.
#[test]
#[ignore = "run by the test below in a process of its own"]
fn victim() {
    let cluster = Cluster::start(Options {
        controller_manager: false,
        ..Options::default()
    })
    .unwrap();
    println!("\nDIR={}", cluster.dir().display());
    loop {
        std::thread::park();
    }
}

#[test]
fn a_killed_process_takes_its_cluster_along_and_the_next_start_clears_up() {
    let mut victim = Command::new(std::env::current_exe().unwrap())
        .args(["--ignored", "--exact", "victim", "--nocapture"])
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let lines = BufReader::new(victim.stdout.take().unwrap()).lines().map_while(Result::ok);
    let dir = lines
        .into_iter()
        .find_map(|line| line.strip_prefix("DIR=").map(String::from))
        .expect("it starts");
    let dir = Path::new(&dir);
    assert!(processes_in(dir).len() >= 2);
    victim.kill().unwrap();
    victim.wait().unwrap();
    eventually("its processes are gone", || processes_in(dir).is_empty());
    drop(
        Cluster::start(Options {
            controller_manager: false,
            ..Options::default()
        })
        .unwrap(),
    );
    eventually("its files are gone", || !dir.exists());
}
