//! Runs the operator as a process that outlives the shell of `make demo`.
//!
//! Starts and stops the process and returns its log file. It stops only a process that a demo started: the process id is in a file,
//! and the command line is checked before a signal is sent.

use crate::ground::{Ground, root};
use crate::names::NAMESPACE;
use anyhow::{Context, Result, bail};
use std::fs;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// Builds the binary and returns its path.
pub fn build() -> Result<PathBuf> {
    let cargo = std::env::var("CARGO").unwrap_or_else(|_| "cargo".into());
    let built = Command::new(cargo)
        .args([
            "build",
            "--quiet",
            "--locked",
            "--bin",
            "punctual",
            "--message-format",
            "json-render-diagnostics",
        ])
        .current_dir(root())
        .stderr(Stdio::inherit())
        .output()?;
    if !built.status.success() {
        bail!("failed to build the operator");
    }
    let messages = String::from_utf8_lossy(&built.stdout).into_owned();
    let executables = messages
        .lines()
        .filter_map(|line| serde_json::from_str::<serde_json::Value>(line).ok());
    let path = executables
        .filter_map(|message| message["executable"].as_str().map(PathBuf::from))
        .next_back();
    path.context("cargo reported no executable")
}

/// Starts the operator, and stops one that an earlier demo started.
pub fn start(binary: &Path, ground: &Ground) -> Result<PathBuf> {
    stop()?;
    let log = home()?.join("operator.log");
    let file = fs::File::create(&log)?;
    let mut command = Command::new(binary);
    command
        .args(["controller", "--watch-namespaces", NAMESPACE, "--metrics-addr", "127.0.0.1:0"])
        .args(["--leader-elect-resource-namespace", NAMESPACE])
        .args(&ground.access)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(file);
    // SAFETY: setsid is async-signal-safe; it keeps the operator running when the terminal closes.
    unsafe {
        command.pre_exec(|| {
            if libc::setsid() < 0 {
                Err(std::io::Error::last_os_error())
            } else {
                Ok(())
            }
        });
    }
    let mut child = command.spawn().context("cannot start the operator")?;
    fs::write(pid_file()?, child.id().to_string())?;
    let deadline = Instant::now() + Duration::from_secs(60);
    while !fs::read_to_string(&log)?.contains("ready: tasks and Jobs are listed") {
        if let Some(status) = child.try_wait()? {
            bail!("the operator exited ({status}):\n{}", fs::read_to_string(&log)?);
        }
        if Instant::now() > deadline {
            bail!("the operator is not ready after a minute:\n{}", fs::read_to_string(&log)?);
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    Ok(log)
}

/// Stops the operator of an earlier demo. Returns whether one was running.
pub fn stop() -> Result<bool> {
    let file = pid_file()?;
    let Some(pid) = fs::read_to_string(&file).ok().and_then(|text| text.trim().parse::<i32>().ok()) else {
        return Ok(false);
    };
    let was_running = is_demo_operator(pid);
    let deadline = Instant::now() + Duration::from_secs(40);
    let mut signalled = false;
    while is_demo_operator(pid) {
        let late = Instant::now() > deadline;
        if !signalled || late {
            // SAFETY: the command line was just checked: it is the operator that a demo started.
            unsafe { libc::kill(pid, if late { libc::SIGKILL } else { libc::SIGTERM }) };
            signalled = true;
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    fs::remove_file(file)?;
    Ok(was_running)
}

fn is_demo_operator(pid: i32) -> bool {
    let command = fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
    let words: Vec<&[u8]> = command.split(|byte| *byte == 0).collect();
    words.first().is_some_and(|program| program.ends_with(b"punctual")) && words.contains(&NAMESPACE.as_bytes())
}

fn home() -> Result<PathBuf> {
    let home = cluster::cache_dir()?.join("demo");
    fs::create_dir_all(&home)?;
    Ok(home)
}

fn pid_file() -> Result<PathBuf> {
    Ok(home()?.join("operator.pid"))
}
