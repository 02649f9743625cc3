//! Names of releases, namespaces and objects: whatever Helm accepts gives valid objects.

use super::helm::{chart, helm, parse};
use serde_json::Value;

/// Strings that YAML 1.1 reads as something else when they are not quoted, and that are valid names of namespaces and releases.
const AMBIGUOUS: [&str; 10] = ["12345", "3240286e-210077", "1e3", "017", "0x1f", "0b11", "null", "true", "on", "y"];

fn rendered(release: &str, namespace: &str, values: &[String]) -> String {
    let chart = chart().display().to_string();
    let mut args: Vec<String> = ["template", release, &chart, "--namespace", namespace].map(str::to_owned).into();
    args.push("--set=crds.enabled=false".to_owned());
    args.extend(["serviceMonitor", "prometheusRule", "grafanaDashboard", "networkPolicy"].map(|kind| format!("--set={kind}.enabled=true")));
    args.extend(values.iter().cloned());
    helm(args).unwrap_or_else(|said| panic!("release {release} in {namespace}: {said}"))
}

/// The scalars of a line: the value of a key, an item of a list, or the items of a list in brackets.
fn scalars(line: &str) -> Vec<&str> {
    let value = line
        .rsplit_once(": ")
        .map_or(line.trim_start_matches([' ', '-']), |(_, value)| value);
    value.trim_matches(['[', ']']).split(", ").collect()
}

/// F08: a namespace, or any other name, that YAML reads as a number or a boolean stays a string.
#[test]
fn names_that_yaml_reads_as_numbers_stay_strings() {
    let render = |name: &str| {
        let values = [
            "nameOverride",
            "serviceAccount.name",
            "leaderElection.leaseName",
            "leaderElection.namespace",
            "grafanaDashboard.namespace",
            "priorityClassName",
            "watchNamespaces[0]",
            "commonLabels.team",
            "imagePullSecrets[0].name",
        ]
        .map(|value| format!("--set-string={value}={name}"));
        rendered(name, name, &[]) + &rendered(name, name, &values)
    };
    let plain = render("plain");
    for name in AMBIGUOUS {
        let (text, mut times) = (render(name), 0);
        for (line, plain) in text.lines().zip(plain.lines()) {
            for (scalar, plain) in scalars(line).into_iter().zip(scalars(plain)) {
                if plain.trim_matches('"') == "plain" {
                    assert!(
                        scalar.starts_with(['"', '\'']) && scalar.ends_with(['"', '\'']),
                        "not quoted: {line}"
                    );
                    times += 1;
                }
            }
        }
        assert!(times > 40, "{name} was compared {times} times");
    }
}

/// Whether the API server accepts this as the name of a Service, in every version: RFC 1035.
fn is_service_name(name: &str) -> bool {
    let letters = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    name.len() <= 63 && name.starts_with(|c: char| c.is_ascii_lowercase()) && name.chars().all(letters) && !name.ends_with('-')
}

/// F23: Helm accepts release names with dots and leading digits; a cut falls on any character.
#[test]
fn every_release_name_gives_valid_object_names() {
    let mut releases: Vec<String> = ["prod.punctual", "punctual-0.1.0", "2nd-punctual", "7", "a.b", "1.2.3", "x--y"]
        .map(str::to_owned)
        .into();
    for separator in [".", "-", "--"] {
        // The cut is at 45 characters.
        releases.extend((42..46).map(|at| format!("{}{separator}cron", "a".repeat(at))));
    }
    for release in releases {
        for object in parse(&rendered(&release, "punctual-system", &[])) {
            let (kind, name) = (&object["kind"], object["metadata"]["name"].as_str().expect("a name"));
            // In the name of an object without a namespace, the release's follows behind a dot.
            let mut parts = name.split(|c| c == '.' && kind == "FlowSchema");
            assert!(parts.all(is_service_name), "release {release}: {kind} {name}");
            let labels = object["metadata"]["labels"].as_object().expect("labels");
            let ends = |value: &Value| {
                value
                    .as_str()
                    .is_some_and(|value| value.len() <= 63 && value.ends_with(char::is_alphanumeric))
            };
            assert!(labels.values().all(ends), "release {release}: {labels:?}");
        }
    }
}
