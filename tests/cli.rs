//! The commands as processes: output and exit codes.

#[path = "cli/arguments.rs"]
mod arguments;
#[path = "cli/check.rs"]
mod check;
#[path = "cli/convert.rs"]
mod convert;
#[path = "cli/hostile.rs"]
mod hostile;
#[path = "cli/k9s.rs"]
mod k9s;
#[path = "cli/names.rs"]
mod names;
#[path = "cli/odd_files.rs"]
mod odd_files;
#[path = "cli/preview.rs"]
mod preview;
#[path = "cli/process.rs"]
mod process;
#[path = "cli/reach.rs"]
mod reach;
#[path = "cli/yaml.rs"]
mod yaml;

/// Manifests that the API server was asked about: `tests/it` holds its answers.
#[path = "it/cronjob"]
mod cronjob {
    #[allow(dead_code, reason = "the tests on the cluster use the rest")]
    pub mod probes;
}
#[path = "it/manifests/wrong.rs"]
#[allow(dead_code, reason = "the tests on the cluster use the rest")]
mod wrong;
