//! The Grafana dashboard, as the sidecar of Grafana's chart finds it. tests/it/prometheus.rs runs its queries.

use super::helm::{everything, of_kind, read, render, set};
use super::queries::{Query, dashboard, of_panels, of_variables, selectors};
use serde_json::{Value, json};
use std::collections::BTreeSet;

/// Functions, operators and keywords of PromQL that the queries use, and the label of histograms.
const PROMQL: [&str; 18] = [
    "and",
    "bool",
    "bottomk",
    "by",
    "group",
    "histogram_quantile",
    "increase",
    "le",
    "max",
    "on",
    "or",
    "quantile_over_time",
    "rate",
    "sort",
    "sort_desc",
    "sum",
    "time",
    "topk",
];

fn rendered() -> Value {
    dashboard(of_kind(&set(&["grafanaDashboard.enabled=true"]), "ConfigMap")[0])
}

#[test]
fn the_sidecar_finds_the_dashboard_where_the_values_say() {
    let config_map = |objects: &[Value]| of_kind(objects, "ConfigMap").first().map(|object| (*object).clone());
    assert_eq!(config_map(&set(&[])), None, "off by default");
    let found = config_map(&set(&["grafanaDashboard.enabled=true"])).expect("a ConfigMap");
    assert_eq!(found["metadata"]["labels"]["grafana_dashboard"], "1");
    assert_eq!(found["metadata"]["namespace"], "punctual-system");
    assert_eq!(
        found["data"]["punctual.json"],
        read("charts/punctual/files/dashboards/punctual.json")
    );

    let found = config_map(&render(everything())).expect("a ConfigMap");
    assert_eq!(found["metadata"]["annotations"], json!({"grafana_folder": "Punctual"}));
    assert_eq!(found["metadata"]["labels"]["dashboard"], "labelled");
    assert_eq!(found["metadata"]["namespace"], "dashboards");
}

#[test]
fn queries_use_documented_metrics_only() {
    let page = read("docs/metrics.md");
    let rows = page.lines().filter_map(|line| line.strip_prefix("| `")?.split('`').next());
    let metrics: BTreeSet<&str> = rows.collect();
    // Labels among them.
    let terms: BTreeSet<&str> = page.split('`').skip(1).step_by(2).collect();
    let dashboard = rendered();
    for Query { panel, expr } in of_panels(&dashboard).into_iter().chain(of_variables(&dashboard)) {
        assert!(!selectors(&expr).is_empty(), "{panel}: {expr}");
        // Without what is in quotes, and without ranges.
        let text: String = expr.split('"').step_by(2).collect();
        let text: String = text.split('[').map(|part| part.rsplit(']').next().unwrap_or(part)).collect();
        let words = text.split(|c: char| !c.is_alphanumeric() && c != '_');
        for word in words.filter(|word| word.starts_with(char::is_alphabetic)) {
            let is_known = match word.starts_with("punctual_") {
                true => metrics.contains(word.strip_suffix("_bucket").unwrap_or(word)),
                false => PROMQL.contains(&word) || terms.contains(word),
            };
            assert!(is_known, "{panel}: {word} is not in docs/metrics.md: {expr}");
        }
    }
}

#[test]
fn panels_have_titles_and_places_of_their_own() {
    let dashboard = rendered();
    let panels = dashboard["panels"].as_array().expect("panels");
    let (mut ids, mut taken) = (BTreeSet::new(), BTreeSet::new());
    for panel in panels {
        let title = panel["title"].as_str().expect("a title");
        assert!(ids.insert(panel["id"].as_u64()), "{title}: id");
        let place = |key: &str| panel["gridPos"][key].as_u64().expect("a place");
        let (x, y) = (place("x"), place("y"));
        assert!(x + place("w") <= 24, "{title} is outside of the grid");
        for cell in (x..x + place("w")).flat_map(|x| (y..y + place("h")).map(move |y| (x, y))) {
            assert!(taken.insert(cell), "{title} covers another panel");
        }
        if panel["type"] == "row" {
            continue;
        }
        assert_eq!(
            panel["datasource"],
            json!({"type": "prometheus", "uid": "${datasource}"}),
            "{title}"
        );
        let targets = panel["targets"].as_array().expect("queries");
        let refs: BTreeSet<_> = targets.iter().map(|target| target["refId"].as_str()).collect();
        assert_eq!(refs.len(), targets.len(), "{title}: names of queries");
    }
    let rows: Vec<_> = panels
        .iter()
        .filter(|panel| panel["type"] == "row")
        .map(|row| &row["title"])
        .collect();
    assert_eq!(rows, ["Fleet", "Task $namespace/$task", "Operator"]);
}
