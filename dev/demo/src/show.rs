//! The demo's output: slots as they fire, then what kubectl shows.
//!
//! Reads tasks and logs from the cluster and prints them. Waits for at most 90 seconds.

use crate::ground::Ground;
use crate::names::NAMESPACE;
use anyhow::Result;
use serde_json::Value;
use std::collections::HashSet;
use std::fs;
use std::time::{Duration, Instant};

/// Examples that fire within seconds: the demo waits for their runs.
const FIRING: [&str; 3] = ["log-digest", "clean-up", "fails"];
/// Two runs show the effect of the watermark: the second one finds only new lines.
const RUNS: usize = 2;

/// Prints each run when it ends, until each of these examples has run twice.
pub fn slots_firing(ground: &Ground, tasks: &[String]) -> Result<()> {
    println!("\nSlots as they fire (in UTC):\n");
    println!("  {:<22}{:<13}{:<12}{:<20}MESSAGE", "SLOT", "TASK", "OUTCOME", "REASON");
    let firing: Vec<&String> = tasks
        .iter()
        .filter(|task| FIRING.contains(&task.as_str()) || *task == "hello")
        .collect();
    let mut shown = HashSet::new();
    let deadline = Instant::now() + Duration::from_secs(90);
    loop {
        let list: Value = serde_json::from_str(&ground.output(&["get", "stask", "-n", NAMESPACE, "-o", "json"])?)?;
        let mut fresh: Vec<(String, String)> = Vec::new();
        let mut enough = true;
        for task in list["items"].as_array().into_iter().flatten() {
            let name = task["metadata"]["name"].as_str().unwrap_or_default().to_owned();
            let runs = task["status"]["recentRuns"].as_array().cloned().unwrap_or_default();
            enough &= runs.len() >= RUNS || !firing.contains(&&name);
            for run in runs {
                let slot = run["slot"].as_str().unwrap_or_default().to_owned();
                if shown.insert((name.clone(), slot.clone())) {
                    fresh.push((slot.clone(), line(ground, &name, &slot, &run)));
                }
            }
        }
        fresh.sort();
        fresh.iter().for_each(|(_, line)| println!("{line}"));
        if enough {
            return Ok(());
        }
        if Instant::now() > deadline {
            println!("  (not every example ran twice within 90 seconds; see the operator's log and the events below)");
            return Ok(());
        }
        std::thread::sleep(Duration::from_millis(300));
    }
}

fn line(ground: &Ground, task: &str, slot: &str, run: &Value) -> String {
    let text = |field: &str| run[field].as_str().unwrap_or_default().to_owned();
    let message = match run["exitCode"].as_i64() {
        Some(code) => format!("exit code {code}: {}", text("message")),
        None if ground.real && run["outcome"] == "Succeeded" => last_words(ground, &text("job")),
        None => text("message"),
    };
    format!("  {slot:<22}{task:<13}{:<12}{:<20}{message}", text("outcome"), text("reason"))
}

fn last_words(ground: &Ground, job: &str) -> String {
    let log = ground
        .output(&["logs", "-n", NAMESPACE, &format!("job/{job}"), "--tail=1"])
        .unwrap_or_default();
    log.trim().replace('\t', "  ")
}

/// Prints the commands that a person would type next, with their output.
pub fn closing(ground: &Ground) -> Result<()> {
    typed(ground, &["get", "stask", "-n", NAMESPACE])?;
    typed(ground, &["get", "jobs", "-n", NAMESPACE])?;
    if ground.real {
        let newest = [
            "get",
            "stask",
            "log-digest",
            "-n",
            NAMESPACE,
            "--ignore-not-found",
            "-o",
            "jsonpath={.status.recentRuns[0].job}",
        ];
        let job = ground.output(&newest)?;
        if !job.is_empty() {
            typed(ground, &["logs", "-n", NAMESPACE, &format!("job/{job}")])?;
        }
    }
    typed(ground, &["describe", "stask", "fails", "-n", NAMESPACE])?;
    if let Some(results) = ground.results() {
        let digest = fs::read_to_string(format!("{results}/digest.tsv")).unwrap_or_default();
        println!("\n$ cat {results}/digest.tsv\n{}", digest.trim_end());
    }
    println!("\nThe demo keeps running. Try it yourself:\n");
    let access = if ground.access[0] == "--kubeconfig" {
        format!("export KUBECONFIG={}", ground.access[1])
    } else {
        format!("kubectl config use-context {}", ground.access[1])
    };
    println!("    {access}");
    if let Some(dir) = ground.kubectl_dir() {
        println!("    export PATH={dir}:$PATH");
    }
    println!("    kubectl get stask -n {NAMESPACE} --watch");
    let down = if ground.access[0] == "--kubeconfig" {
        "make demo-down".to_owned()
    } else {
        format!("make demo-down KUBECONTEXT={}", ground.access[1])
    };
    println!("    {down}        # removes everything");
    Ok(())
}

fn typed(ground: &Ground, args: &[&str]) -> Result<()> {
    println!("\n$ kubectl {}", args.join(" "));
    print!("{}", ground.output(args)?);
    Ok(())
}
