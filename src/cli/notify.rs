//! `punctual notify`: asks a sink of the configuration of notifications whether it takes a message.
//!
//! Reads the administrator's file, as the operator does, and sends one message about a task that does not exist. Inside of the operator's
//! pod that shows what the operator can reach: `kubectl exec deploy/punctual -- punctual notify test --sink NAME`.

use super::output;
use crate::api::printable;
use crate::clock::Clock;
use crate::notify::{Config, Message, NotDelivered, Sink, Subject, What};
use anyhow::{Context, Result, bail};
use std::fmt::Write;
use std::path::PathBuf;
use std::process::ExitCode;

/// Where the chart mounts the file.
const FILE: &str = "/etc/punctual/notifications/notifications.yaml";

#[derive(clap::Args, Debug)]
pub struct Args {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(clap::Subcommand, Debug)]
enum Verb {
    /// Send a test message to a sink
    Test(Test),
}

#[derive(clap::Args, Debug)]
struct Test {
    /// Name of the sink
    #[arg(long, value_name = "NAME")]
    sink: String,
    /// Configuration of notifications
    #[arg(long, value_name = "FILE", default_value = FILE)]
    config: PathBuf,
}

/// Sends the message. The exit code is 1 if it did not arrive.
pub fn run(args: &Args) -> Result<ExitCode> {
    let Verb::Test(args) = &args.verb;
    let file = printable(&args.config.display().to_string()).into_owned();
    let text = std::fs::read_to_string(&args.config).with_context(|| format!("cannot read {file}"))?;
    let config = Config::read(&text);
    for wrong in &config.wrong {
        output::print_error(&printable(&format!("warning: {}: {}", wrong.place, wrong.message)));
    }
    let Some(sink) = config.sinks.iter().find(|sink| sink.name == args.sink) else {
        let names: Vec<&str> = config.sinks.iter().map(|sink| sink.name.as_str()).collect();
        let usable = if names.is_empty() { "none".into() } else { names.join(", ") };
        bail!("{file} has no usable sink {:?}; it has: {usable}", args.sink);
    };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let mut sink = Sink::new(sink.clone(), "/punctual/notify-test");
    match runtime.block_on(sink.deliver(&[message()])) {
        Ok(()) => output::print(&format!("sink {} took the message\n", args.sink)).map(|()| ExitCode::SUCCESS),
        Err(NotDelivered { message, after, .. }) => {
            let mut said = format!("error: sink {} did not take the message: {message}", args.sink);
            if let Some(after) = after {
                let _ = write!(said, "; it asks to wait {} s", after.as_secs());
            }
            output::print_error(&printable(&said));
            Ok(ExitCode::FAILURE)
        }
    }
}

fn message() -> Message {
    let now = Clock::System.now();
    Message {
        // A monitor keeps the state of its checks.
        what: What::Stalled,
        subject: Subject {
            namespace: "punctual".into(),
            name: "notify-test".into(),
            uid: "00000000-0000-0000-0000-000000000000".into(),
        },
        id: format!("notify-test/{now}"),
        sequence: None,
        slots: 1,
        time: now,
        is_repeat: false,
        reason: "NotifyTest".into(),
        text: "a test message: no task failed".into(),
        run: None,
        lost: Vec::new(),
    }
}
