//! Builds one module of `dev/tools` with plain `go build`. Takes the module and a folder, puts its binaries there,
//! never lets the user's Go settings decide what comes out.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Instant;

use anyhow::{Context, bail};

use crate::modules::Module;
use crate::{Result, spawner};

/// Builds `module` into `dir`.
pub(crate) fn build(module: Module, dir: &Path) -> Result<()> {
    let source = tempfile::Builder::new().prefix("punctual-tools-").tempdir()?;
    fs::write(source.path().join("go.mod"), module.go_mod())?;
    fs::write(source.path().join("go.sum"), module.go_sum())?;
    check_go(module, source.path())?;
    let name = format!("{} {}", module.title(), module.version());
    eprintln!("building {name}, {}, only the first time", module.takes());
    let started = Instant::now();
    let packages: Vec<&str> = module.commands().iter().map(|(_, package)| *package).collect();
    let mut go = go(source.path());
    go.args([
        "build",
        "-mod=readonly",
        "-buildvcs=false",
        "-trimpath",
        "-tags=grpcnotrace",
        "-ldflags",
    ])
    .arg(module.ldflags())
    .arg("-o");
    match module.commands() {
        [(binary, _)] => go.arg(dir.join(binary)),
        _ => go.arg(format!("{}/", dir.display())),
    };
    go.args(packages).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
    let output = spawner::spawn(go)?.wait_with_output().context("cannot wait for go")?;
    if !output.status.success() {
        bail!(
            "building {name} failed ({}). It needs a way to the Go module proxy (go env GOPROXY), 6 GB of disk and 3 GB of memory. Go said:\n{}",
            output.status,
            last_lines(&String::from_utf8_lossy(&output.stderr), 20)
        );
    }
    for (binary, _) in module.commands() {
        if !dir.join(binary).is_file() {
            bail!("building {name} left no {binary}: is dev/tools up to date?");
        }
    }
    eprintln!("built {name} in {} s", started.elapsed().as_secs());
    Ok(())
}

/// `go` in `dir`, free of what a user's environment may say about modules and targets.
fn go(dir: &Path) -> Command {
    let mut go = Command::new("go");
    go.current_dir(dir)
        .env("CGO_ENABLED", "0")
        .env("GOFLAGS", "")
        .env("GOWORK", "off")
        .env("GO111MODULE", "on");
    for name in ["GOOS", "GOARCH", "GOEXPERIMENT"] {
        go.env_remove(name);
    }
    go
}

fn check_go(module: Module, dir: &Path) -> Result<()> {
    let wanted = module.go_version();
    let way_out = format!(
        "install Go {wanted} or newer (your distribution's golang package if it is new enough, else https://go.dev/dl) and put it on the PATH; \
         or point KUBEBUILDER_ASSETS to a directory with kube-apiserver, etcd and kubectl"
    );
    let output = match go(dir).args(["env", "GOVERSION"]).output() {
        Ok(output) => output,
        Err(_) => bail!("Go is needed to build {} and is not on the PATH: {way_out}", module.title()),
    };
    let found = String::from_utf8_lossy(&output.stdout).trim().trim_start_matches("go").to_string();
    if !output.status.success() || number(&found) < number(wanted) {
        let said = String::from_utf8_lossy(&output.stderr).trim().to_string();
        bail!(
            "Go {found} is too old to build {} {}: {way_out}. {said}",
            module.title(),
            module.version()
        );
    }
    Ok(())
}

/// `1.26.8` as numbers; what is no number counts as 0.
fn number(version: &str) -> Vec<u32> {
    version
        .split(['.', ' ', '-'])
        .take(3)
        .map(|part| {
            part.chars()
                .take_while(char::is_ascii_digit)
                .collect::<String>()
                .parse()
                .unwrap_or(0)
        })
        .collect()
}

fn last_lines(text: &str, count: usize) -> String {
    let lines: Vec<&str> = text.lines().collect();
    lines[lines.len().saturating_sub(count)..].join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn go_versions_are_compared_as_numbers() {
        assert!(number("1.9.2") < number("1.26.0"));
        assert!(number("1.26.8") >= number("1.26.0"));
        assert!(number("1.27rc1") >= number("1.26.0"));
        assert!(number("") < number("1.24.0"));
    }
}
