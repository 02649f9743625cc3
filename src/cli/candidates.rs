//! Finds what completion offers beyond flags: names of tasks and namespaces of the cluster, and contexts of the kubeconfig.
//!
//! The words of the command line select the cluster and the namespace as they will for the command. What cannot be read within two
//! seconds has no candidates, and errors are silent: a shell has no place for them.

use super::cluster::{self, Target};
use super::output;
use clap::Parser;
use clap_complete::engine::CompletionCandidate;
use k8s_openapi::api::core::v1::Namespace;
use kube::api::{Api, ListParams};
use kube::config::Kubeconfig;
use std::ffi::OsStr;
use std::time::Duration;

/// How long a person who pressed Tab waits.
const TIMEOUT: Duration = Duration::from_secs(2);
/// How many objects are asked for.
const MOST: u32 = 500;

/// The flags of the command line that select the cluster.
#[derive(Parser, Debug)]
struct Selected {
    #[command(flatten)]
    target: Target,
}

/// Names of tasks that begin like this.
pub fn tasks(current: &OsStr) -> Vec<CompletionCandidate> {
    let names = cluster::block_on(async {
        let found = tokio::time::timeout(TIMEOUT, async {
            let cluster = selected()?.connect().await?;
            let page = cluster.tasks().list_metadata(&ListParams::default().limit(MOST)).await;
            anyhow::Ok(page.map_err(|error| cluster.error(error))?.items)
        });
        Ok(found.await??.into_iter().filter_map(|object| object.metadata.name).collect())
    });
    that_begin_with(current, names.unwrap_or_default())
}

/// Names of namespaces that begin like this.
pub fn namespaces(current: &OsStr) -> Vec<CompletionCandidate> {
    let names = cluster::block_on(async {
        let found = tokio::time::timeout(TIMEOUT, async {
            let cluster = selected()?.connect().await?;
            let namespaces: Api<Namespace> = Api::all(cluster.client());
            let page = namespaces.list_metadata(&ListParams::default().limit(MOST)).await;
            anyhow::Ok(page.map_err(|error| cluster.error(error))?.items)
        });
        Ok(found.await??.into_iter().filter_map(|object| object.metadata.name).collect())
    });
    that_begin_with(current, names.unwrap_or_default())
}

/// Contexts of the kubeconfig that begin like this.
pub fn contexts(current: &OsStr) -> Vec<CompletionCandidate> {
    let words = words();
    let kubeconfig = match value_of(&words, "--kubeconfig", None) {
        Some(file) => Kubeconfig::read_from(file),
        None => Kubeconfig::read(),
    };
    let contexts = kubeconfig.map(|kubeconfig| kubeconfig.contexts).unwrap_or_default();
    that_begin_with(current, contexts.into_iter().map(|context| context.name).collect())
}

fn that_begin_with(current: &OsStr, names: Vec<String>) -> Vec<CompletionCandidate> {
    let current = current.to_string_lossy();
    // `stask/nightly` is a name, too.
    let kind = current.rfind('/').and_then(|slash| current.get(..=slash)).unwrap_or_default();
    let names = names.into_iter().map(|name| format!("{kind}{}", output::one_line(&name)));
    names
        .filter(|name| name.starts_with(&*current))
        .map(CompletionCandidate::new)
        .collect()
}

/// The cluster and namespace that the words of the command line select.
fn selected() -> anyhow::Result<Target> {
    let words = words();
    let mut flags = vec!["punctual".to_owned()];
    for (long, short) in [("--kubeconfig", None), ("--context", None), ("--namespace", Some("-n"))] {
        if let Some(value) = value_of(&words, long, short) {
            flags.push(format!("{long}={value}"));
        }
    }
    Ok(Selected::try_parse_from(flags)?.target)
}

fn words() -> Vec<String> {
    std::env::args_os().map(|word| word.to_string_lossy().into_owned()).collect()
}

/// The value of a flag, written as one word or as two.
fn value_of(words: &[String], long: &str, short: Option<&str>) -> Option<String> {
    let mut values = words.iter().enumerate().filter_map(|(number, word)| {
        if word == long || Some(word.as_str()) == short {
            return words.get(number + 1).cloned();
        }
        let value = word.strip_prefix(long).and_then(|rest| rest.strip_prefix('='));
        let value = value.or_else(|| short.and_then(|short| word.strip_prefix(short)).filter(|_| !word.starts_with("--")));
        value.map(|value| value.trim_start_matches('=').to_owned())
    });
    values.next_back().filter(|value| !value.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flag_may_be_one_word_or_two() {
        for (line, value) in [
            ("punctual history -n team x", Some("team")),
            ("punctual -nteam history x", Some("team")),
            ("punctual history --namespace team x", Some("team")),
            ("punctual history --namespace=team x", Some("team")),
            ("punctual history -n=team x", Some("team")),
            ("punctual -n other history x -n team", Some("team")),
            ("punctual history --name x", None),
            ("punctual history -n", None),
        ] {
            let words: Vec<String> = line.split(' ').map(str::to_owned).collect();
            assert_eq!(value_of(&words, "--namespace", Some("-n")).as_deref(), value, "{line}");
        }
    }

    #[test]
    fn candidates_keep_the_kind_that_was_written() {
        let offered = |current: &str| -> Vec<String> {
            let names = ["nightly", "noon"].map(str::to_owned).to_vec();
            let found = that_begin_with(OsStr::new(current), names);
            found
                .iter()
                .map(|candidate| candidate.get_value().to_string_lossy().into_owned())
                .collect()
        };
        assert_eq!(offered("ni"), ["nightly"]);
        assert_eq!(offered("stask/n"), ["stask/nightly", "stask/noon"]);
        assert_eq!(offered("x"), [""; 0]);
    }
}
