//! What is refused, and how people are told.

use crate::harness::{Pace, Replica, World, cluster, until};
use std::process::Command;

#[tokio::test(flavor = "multi_thread")]
async fn without_rights_to_the_lease_it_says_so_and_does_not_lead_until_it_has_them() {
    let world = World::new("no-lease").await;
    world.allow_tasks().await;
    let mut replica = Replica::new(&world, cluster(), "alone", Pace::SHORT).await;
    replica.start_ready().await;
    until("the refusal to be told", || async {
        let log = replica.log();
        let told = |line: &&str| line.contains("WARN") && line.contains("lease") && line.contains("forbidden") && line.contains("alone");
        log.lines().find(told).map(|_| ())
    })
    .await;
    assert!(replica.runs() && !replica.leads());
    assert_eq!(world.holder().await, None);
    world.allow_lease().await;
    replica.until_it_leads(true).await;
}

#[test]
fn durations_that_cannot_work_are_refused_with_a_message_and_exit_code_1() {
    for (lease, renew, retry, message) in [
        (
            "10s",
            "10s",
            "2s",
            "the lease duration (10s) must be longer than the renew deadline (10s)",
        ),
        (
            "5s",
            "10s",
            "2s",
            "the lease duration (5s) must be longer than the renew deadline (10s)",
        ),
        (
            "15s",
            "2s",
            "2s",
            "the renew deadline (2s) must be longer than 1.2 times the retry period (2s)",
        ),
        ("15s", "10s", "0s", "the retry period must be longer than zero"),
    ] {
        let refused = Command::new(env!("CARGO_BIN_EXE_punctual"))
            .args(["controller", "--metrics-addr=127.0.0.1:0", "--leader-elect", "--kubeconfig"])
            .arg(cluster().kubeconfig())
            .args(["--leader-elect-lease-duration", lease])
            .args(["--leader-elect-renew-deadline", renew])
            .args(["--leader-elect-retry-period", retry])
            .output()
            .expect("the binary runs");
        let said = String::from_utf8_lossy(&refused.stderr);
        assert_eq!(refused.status.code(), Some(1), "{said}");
        assert!(said.contains("error: leader election: ") && said.contains(message), "{said}");
    }
}
