//! The commands that ask the cluster about more than tasks: logs of pods, and dry runs of tasks and Jobs.

use crate::cli::{Said, owned, punctual, run};
use crate::harness::{World, cluster, until};
use k8s_openapi::api::core::v1::Pod;
use kube::Api;
use kube::api::ListParams;
use serde_json::json;

const NOW: &str = "2027-01-01T10:00:30Z";
const RARE: &str = "0 0 1 1 *";

fn error(said: &Said) -> &str {
    assert_eq!((said.code, said.out.as_str()), (Some(1), ""), "{}", said.err);
    &said.err
}

#[tokio::test(flavor = "multi_thread")]
async fn logs_name_what_is_missing() {
    let world = World::new("cli-logs").await;
    world.task("there", json!({"schedule": RARE})).await;
    let operator = world.operator(NOW).await;
    world.settled("there").await;
    let said = punctual(&world, &["logs", "there"]).await;
    assert_eq!(error(&said), "error: there has no run with a Job yet\n");

    punctual(&world, &["run-now", "there"]).await;
    let status = world
        .status("there", "its run", |status| status.active.iter().any(|run| run.uid.is_some()))
        .await;
    let (job, slot) = (status.active[0].job.clone(), status.active[0].slot.0.to_string());
    let pods: Api<Pod> = Api::namespaced(world.client.clone(), &world.namespace);
    let of_job = ListParams::default().labels(&format!("batch.kubernetes.io/job-name={job}"));
    until("its pod", || async { pods.list(&of_job).await.ok()?.items.into_iter().next() }).await;
    for run in [&[][..], &["--run", &slot], &["--run", &job]] {
        let said = punctual(&world, &[&["logs", "there"], run].concat()).await;
        assert!(error(&said).contains(" has not started: Pending"), "{run:?}: {}", said.err);
    }
    let said = punctual(&world, &["logs", "there", "-c", "other"]).await;
    assert!(
        error(&said).starts_with("error: no container \"other\" in the pod: it has "),
        "{}",
        said.err
    );
    let said = punctual(&world, &["logs", "there", "--run", "2027-01-01T00:00:00Z"]).await;
    assert_eq!(
        error(&said),
        "error: no run of slot 2027-01-01T00:00:00Z in the last runs: see punctual history there\n"
    );

    world.end_job(&job, 0, "").await;
    world.status("there", "its end", |status| status.succeeded == 1).await;
    // The pod ended on no node, and has written nothing.
    let said = punctual(&world, &["logs", "there"]).await;
    assert_eq!((said.code, said.out.as_str()), (Some(0), ""), "{}", said.err);
    world.delete_job(&job).await;
    until("the Job to be gone", || async { world.job_names().await.is_empty().then_some(()) }).await;
    let said = punctual(&world, &["logs", "there"]).await;
    assert!(
        error(&said).starts_with(&format!(
            "error: Job {job} is deleted, and its logs with it: punctual history there has exit code"
        )),
        "{}",
        said.err
    );
    operator.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn check_asks_the_server_with_the_rights_of_the_user() {
    let world = World::new("cli-check").await;
    let dir = tempfile::tempdir().expect("a directory");
    let file = |name: &str, container: serde_json::Value, more: serde_json::Value| {
        let mut task = json!({"apiVersion": "punctual.dev/v1alpha1", "kind": "ScheduledTask", "metadata": {"name": name},
            "spec": {"schedule": "17 3 * * *", "jobTemplate": {"spec": {"template": {"spec": {"restartPolicy": "Never", "containers": [container]}}}}}});
        for (field, value) in more.as_object().expect("fields") {
            task["metadata"][field.as_str()] = value.clone();
        }
        let path = dir.path().join(format!("{name}.json"));
        std::fs::write(&path, task.to_string()).expect("written");
        path.display().to_string()
    };
    let good = file("good", json!({"name": "main", "image": "x"}), json!({}));
    let said = punctual(&world, &["check", &good, "--server"]).await;
    assert_eq!((said.code, said.err.as_str()), (Some(0), ""), "{}", said.out);
    assert!(said.out.starts_with("ok: "), "{}", said.out);
    assert!(
        world.tasks().get_opt("good").await.expect("an answer").is_none(),
        "nothing is stored"
    );
    // The same where it exists.
    world.task("good", json!({"schedule": RARE})).await;
    let said = punctual(&world, &["check", &good, "--server"]).await;
    assert_eq!(said.code, Some(0), "{}", said.out);

    let image = file("image", json!({"name": "main"}), json!({}));
    let said = punctual(&world, &["check", &image, "--server"]).await;
    assert_eq!(said.code, Some(1));
    assert!(
        said.out.contains("error: ")
            && said
                .out
                .contains("(image): spec.jobTemplate.spec.template.spec.containers[0].image: Required value"),
        "{}",
        said.out
    );
    let elsewhere = file("elsewhere", json!({"name": "main", "image": "x"}), json!({"namespace": "nowhere"}));
    let said = punctual(&world, &["check", &elsewhere, "--server"]).await;
    assert!(
        said.out
            .contains("namespaces \"nowhere\" not found: create namespace nowhere, or select another with -n"),
        "{}",
        said.out
    );

    let config = std::fs::read_to_string(cluster().kubeconfig()).expect("a kubeconfig");
    let mut config: serde_json::Value = serde_yaml::from_str(&config).expect("YAML");
    config["users"][0]["user"]["as"] = json!("nobody");
    let kubeconfig = dir.path().join("kubeconfig");
    std::fs::write(&kubeconfig, config.to_string()).expect("written");
    let args = [
        "check",
        &good,
        "--server",
        "-n",
        &world.namespace,
        "--kubeconfig",
        &kubeconfig.display().to_string(),
    ];
    let said = run(env!("CARGO_BIN_EXE_punctual").into(), owned(&args), None).await;
    assert_eq!(said.code, Some(1), "{}", said.out);
    assert!(
        said.out.contains("cannot create resource \"scheduledtasks\"")
            && said
                .out
                .contains(&format!(": you need a Role in namespace {} that allows it", world.namespace)),
        "{}",
        said.out
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_requested_run_starts_although_the_zone_is_wrong() {
    let world = World::new("cli-zone").await;
    world.task("mars", json!({"schedule": RARE, "timeZone": "Mars/Olympus"})).await;
    let operator = world.operator(NOW).await;
    world.settled("mars").await;
    let (said, ()) = tokio::join!(punctual(&world, &["run-now", "mars", "--wait", "--timeout", "2m"]), async {
        let running = |status: &punctual::api::ScheduledTaskStatus| status.active.iter().any(|run| run.uid.is_some());
        let job = world.status("mars", "its run", running).await.active[0].job.clone();
        world.end_job(&job, 0, "").await;
    });
    assert_eq!((said.code, said.err.as_str()), (Some(0), ""));
    assert!(
        said.out.contains("scheduledtask.punctual.dev/mars run succeeded after "),
        "{}",
        said.out
    );
    operator.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn suspend_and_resume_are_each_others_end() {
    let world = World::new("cli-suspend").await;
    world.task("paused", json!({"schedule": RARE})).await;
    let said = punctual(&world, &["suspend", "stask/paused"]).await;
    assert_eq!(
        (said.code, said.out.as_str(), said.err.as_str()),
        (
            Some(0),
            "scheduledtask.punctual.dev/paused suspended: no slot starts; to end it: punctual resume paused --spec\n",
            ""
        )
    );
    let said = punctual(&world, &["resume", "paused"]).await;
    assert_eq!(
        said.err,
        "warning: paused: still suspended, because spec.suspend is true: to end that, too: punctual resume paused --spec\n"
    );
    assert!(world.tasks().get("paused").await.expect("the task").spec.suspend);
    let said = punctual(&world, &["resume", "paused", "--spec"]).await;
    assert_eq!(
        (said.code, said.out.as_str()),
        (Some(0), "scheduledtask.punctual.dev/paused resumed: spec.suspend is false\n")
    );
    assert!(!world.tasks().get("paused").await.expect("the task").spec.suspend);
}

#[tokio::test(flavor = "multi_thread")]
async fn tab_offers_the_names_of_tasks_and_namespaces() {
    let world = World::new("cli-tab").await;
    world.task("nightly", json!({"schedule": RARE})).await;
    world.task("noon", json!({"schedule": RARE})).await;
    let dir = tempfile::tempdir().expect("a directory");
    let completer = dir.path().join("kubectl_complete-punctual");
    std::os::unix::fs::symlink(env!("CARGO_BIN_EXE_punctual"), &completer).expect("a link");
    let kubeconfig = cluster().kubeconfig().display().to_string();
    let target = ["--kubeconfig", kubeconfig.as_str(), "-n", world.namespace.as_str()];
    for (words, offered) in [
        ([&["history"], &target[..], &["ni"]].concat(), "nightly\n:4\n".to_owned()),
        ([&target[..], &["run-now", "noon", "n"]].concat(), "nightly\nnoon\n:4\n".to_owned()),
        (
            vec!["list", "--kubeconfig", &kubeconfig, "-n", &world.namespace],
            format!("{}\n:4\n", world.namespace),
        ),
    ] {
        let said = run(completer.clone(), owned(&words), None).await;
        assert_eq!((said.out, said.err.as_str()), (offered, ""), "{words:?}");
    }
}
