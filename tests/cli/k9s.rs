//! The plugins for k9s call commands that exist, with arguments that they take.

use super::process::punctual;
use serde_json::Value;
use std::collections::BTreeSet;

/// The command line of a plugin, with the variables that k9s fills in.
fn command_line(plugin: &Value) -> Vec<String> {
    let args = plugin["args"].as_array().expect("a list").iter();
    let args: Vec<&str> = args.map(|arg| arg.as_str().expect("text")).collect();
    let line: Vec<String> = match (plugin["command"].as_str(), &args[..]) {
        (Some("punctual"), args) => args.iter().map(|arg| (*arg).to_owned()).collect(),
        (Some("sh"), ["-c", script]) => {
            let (command, pager) = script.split_once(" | ").expect("a pager");
            assert_eq!(pager, "less -R");
            let mut words = command.split(' ').map(str::to_owned);
            assert_eq!(words.next().as_deref(), Some("punctual"), "{script}");
            words.collect()
        }
        other => panic!("{other:?}"),
    };
    let values = [("$NAMESPACE", "shop"), ("$NAME", "nightly"), ("$CONTEXT", "nowhere")];
    let fill = |word: &String| values.iter().fold(word.clone(), |word, (name, value)| word.replace(name, value));
    line.iter().map(fill).collect()
}

#[test]
fn each_command_line_of_the_k9s_plugins_is_valid() {
    let text = include_str!("../../deploy/k9s/plugins.yaml");
    let file: Value = serde_yaml::from_str(text).expect("YAML");
    let plugins = file["plugins"].as_object().expect("plugins");
    let mut verbs = BTreeSet::new();
    let mut keys = BTreeSet::new();
    for (name, plugin) in plugins {
        let line = command_line(plugin);
        assert!(line.iter().all(|word| !word.contains('$')), "{name}: {line:?}");
        let args: Vec<&str> = line.iter().map(String::as_str).collect();
        let output = punctual(&args, "");
        // Arguments that are not understood end with 2; without a cluster a valid command ends with 1.
        assert_eq!(output.code, Some(1), "{name}: {}", output.err);
        assert!(!output.err.contains("Usage:"), "{name}: {}", output.err);
        assert_eq!(plugin["scopes"], serde_json::json!(["scheduledtasks"]), "{name}");
        assert!(keys.insert(plugin["shortCut"].to_string()), "{name}: its key is taken");
        verbs.insert(line[0].clone());
    }
    let expected = ["history", "logs", "resume", "run-now", "suspend"].map(str::to_owned);
    assert_eq!(verbs, BTreeSet::from(expected));
}
