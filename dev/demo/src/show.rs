//! The screen: slots as they fire, then what kubectl says of them.
//!
//! Takes the ground, prints. Never waits longer than a minute and a half.

use crate::NAMESPACE;
use crate::ground::Ground;
use anyhow::Result;
use serde_json::Value;
use std::collections::HashSet;
use std::fs;
use std::time::{Duration, Instant};

/// The examples whose runs are waited for; the others (the nightly one) have their time.
const FIRING: [&str; 3] = ["log-digest", "clean-up", "fails"];
/// Two runs show what the watermark does: the second one has only new lines.
const RUNS: usize = 2;

/// Prints each run as it ends, until each firing example has ended twice.
pub fn slots_firing(ground: &Ground, tasks: &[String]) -> Result<()> {
    println!("\nSlots as they fire (in UTC):\n");
    println!("  {:<22}{:<13}{:<12}{:<20}WHAT IT SAID", "SLOT", "TASK", "OUTCOME", "BECAUSE");
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
            println!("  (not every example has run twice within a minute and a half; the operator's log and the events below say why)");
            return Ok(());
        }
        std::thread::sleep(Duration::from_millis(300));
    }
}

fn line(ground: &Ground, task: &str, slot: &str, run: &Value) -> String {
    let text = |field: &str| run[field].as_str().unwrap_or_default().to_owned();
    let said = match run["exitCode"].as_i64() {
        Some(code) => format!("exit code {code}: {}", text("message")),
        None if ground.real && run["outcome"] == "Succeeded" => last_words(ground, &text("job")),
        None => text("message"),
    };
    format!("  {slot:<22}{task:<13}{:<12}{:<20}{said}", text("outcome"), text("reason"))
}

fn last_words(ground: &Ground, job: &str) -> String {
    let log = ground
        .output(&["logs", "-n", NAMESPACE, &format!("job/{job}"), "--tail=1"])
        .unwrap_or_default();
    log.trim().replace('\t', "  ")
}

/// What a person would type next, and what it prints.
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
    println!("\nIt goes on. By hand:\n");
    let way_in = if ground.access[0] == "--kubeconfig" {
        format!("export KUBECONFIG={}", ground.access[1])
    } else {
        format!("kubectl config use-context {}", ground.access[1])
    };
    println!("    {way_in}");
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
