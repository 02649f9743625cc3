//! The operator on a real control plane: one binary, so that all tests share one cluster.
//!
//! Each test has a namespace of its own and, where time matters, a clock of its own.

mod harness;

mod cli;
mod cli_commands;
mod cli_server;
mod credentials;
mod cronjob;
mod duplicates;
mod forbidden;
mod helm_wait;
mod large;
mod leader;
mod ledger;
mod load;
mod manifests;
mod missed;
mod no_status;
mod node;
mod notifications;
mod old_crd;
mod policies;
mod prometheus;
mod readme;
mod restored;
mod stuck;
mod task_metrics;
mod webhooks;
