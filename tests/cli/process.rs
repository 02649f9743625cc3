//! Runs the binary: arguments and standard input in, exit code and output out.

use std::ffi::OsStr;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// The exit code and output of a process.
#[derive(Debug, PartialEq, Eq)]
pub struct Output {
    pub code: Option<i32>,
    pub out: String,
    pub err: String,
}

/// Runs `punctual`.
pub fn punctual(args: &[&str], input: &str) -> Output {
    run(Path::new(env!("CARGO_BIN_EXE_punctual")), args, input)
}

/// Runs a program without kubeconfig, in another time zone, and without a terminal.
pub fn run(program: &Path, args: &[impl AsRef<OsStr>], input: &str) -> Output {
    run_with(program, args, input, &[])
}

/// The same with variables of the environment.
pub fn run_with(program: &Path, args: &[impl AsRef<OsStr>], input: &str, environment: &[(&str, String)]) -> Output {
    let mut command = Command::new(program);
    for name in ["HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "http_proxy", "https_proxy", "no_proxy"] {
        command.env_remove(name);
    }
    let mut child = command
        .args(args)
        .envs(environment.iter().map(|(name, value)| (name, value)))
        .env("TZ", "Pacific/Auckland")
        .env("HOME", "/nonexistent")
        .env_remove("KUBECONFIG")
        .env_remove("KUBERNETES_SERVICE_HOST")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the binary starts");
    // A program that does not read it may have exited.
    let _ = child.stdin.take().expect("piped").write_all(input.as_bytes());
    let output = child.wait_with_output().expect("it ends");
    let text = |bytes| String::from_utf8(bytes).expect("UTF-8");
    Output {
        code: output.status.code(),
        out: text(output.stdout),
        err: text(output.stderr),
    }
}

/// A symbolic link to the binary.
pub fn linked(dir: &Path, name: &str) -> PathBuf {
    let link = dir.join(name);
    std::os::unix::fs::symlink(env!("CARGO_BIN_EXE_punctual"), &link).expect("a link");
    link
}

/// A task with this spec.
pub fn task(name: &str, spec: &str) -> String {
    format!("apiVersion: punctual.dev/v1alpha1\nkind: ScheduledTask\nmetadata: {{name: {name}}}\nspec: {spec}\n")
}

/// A valid Job template.
pub const TEMPLATE: &str = "jobTemplate: {spec: {template: {spec: {restartPolicy: Never, containers: [{name: main, image: x}]}}}}";
